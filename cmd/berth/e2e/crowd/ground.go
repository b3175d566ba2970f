//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berthsim/berth/cluster/lab"
	"github.com/berthsim/berth/cluster/lab/build"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// A ground is a lab, and what is measured on it.
type ground struct {
	*options
	source string // root of the source tree
	lab    *lab.Lab
	client kubernetes.Interface // of whoever makes pods and looks on
}

// prepare finds the source tree, and builds the program if there is none.
func prepare(ctx context.Context, o *options) (*ground, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	g := &ground{options: o}
	if g.source, err = build.FindSource(here); err != nil {
		return nil, fmt.Errorf("%w; run it in Berth's source tree", err)
	}
	if o.save, err = filepath.Abs(o.save); err != nil {
		return nil, err
	}
	if o.berth != "" {
		o.berth, err = filepath.Abs(o.berth)
		return g, err
	}
	o.berth = filepath.Join(o.save, "berth")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", o.berth, "./cmd/berth")
	cmd.Dir, cmd.Stderr = g.source, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("building berth: %w", err)
	}
	return g, nil
}

// connect makes the client. Nothing but the server holds it back.
func (g *ground) connect() error {
	config, err := clientcmd.BuildConfigFromFlags("", g.lab.Kubeconfig())
	if err != nil {
		return fmt.Errorf("reading the lab's kubeconfig: %w", err)
	}
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	if g.client, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("speaking to the lab's API server: %w", err)
	}
	return nil
}

// atOnce is how many requests are made at a time where nothing is measured.
const atOnce = 16

// each does something n times, and returns the first error, after which no more is begun.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// ignoreGone returns an error unless it is that an object is gone already.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// pause waits; its error is ctx's.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
