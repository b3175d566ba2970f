//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// A contender is a scheduler that has turns.
type contender struct {
	name string
	// command returns how it is started for a turn, whose files begin with a path.
	command func(g *ground, path string) *exec.Cmd
	// fails says whether the end of its process, once it has been told to stop, is a failure.
	fails func(err error) bool
}

// Both place the pods of the default scheduler, nobody elects, nothing but the pods' statuses,
// bindings and Events is written, and nothing is served. What isn't said is as each has it.
var (
	berth = contender{
		name: "Berth",
		command: func(g *ground, path string) *exec.Cmd {
			return exec.Command(g.berth, "schedule", "--kubeconfig", g.lab.Kubeconfig(), "--name", core.DefaultSchedulerName,
				"--kube-api-qps", strconv.Itoa(g.qps), "--kube-api-burst", strconv.Itoa(g.qps),
				"--leader-elect=false", "--metrics-address", "none", "--log", path+".berth")
		},
		fails: func(err error) bool { return err != nil },
	}
	kubeScheduler = contender{
		name: "kube-scheduler",
		command: func(g *ground, _ string) *exec.Cmd {
			cmd := exec.Command(g.lab.Bin.Components["kube-scheduler"], "--kubeconfig", g.lab.Kubeconfig(),
				"--kube-api-qps", strconv.Itoa(g.qps), "--kube-api-burst", strconv.Itoa(g.qps),
				"--leader-elect=false", "--secure-port=0")
			cmd.Args[0] = "kube-scheduler" // one file has all components
			return cmd
		},
		// It says with status 1 that it has ended.
		fails: func(err error) bool {
			var status *exec.ExitError
			return err != nil && (!errors.As(err, &status) || !status.Exited())
		},
	}
)

// A turn is what one scheduler did with the pods.
type turn struct {
	Who      string        `json:"scheduler"`
	Path     string        `json:"files"` // begin with this
	Began    time.Time     `json:"began"`
	Load     string        `json:"loadBefore"` // of the machine, in the last 1, 5 and 15 minutes
	LoadEnd  string        `json:"loadAfter"`
	Creating time.Duration `json:"creatingPodsNanoseconds"`

	First time.Duration `json:"firstBindingNanoseconds"` // since the scheduler's process began
	Last  time.Duration `json:"lastBindingNanoseconds"`
	Quiet time.Duration `json:"quietNanoseconds"` // when nothing had been left to do for anyone

	Binding usage    `json:"cpuUntilLastBinding"` // since the scheduler's process began
	All     usage    `json:"cpuUntilQuiet"`
	Asked   requests `json:"requests"` // until quiet

	Placed map[string]string `json:"-"` // node, by pod
}

// turn has a scheduler place the pods, and removes them.
func (g *ground) turn(ctx context.Context, i int, who contender) (*turn, error) {
	t := &turn{Who: who.name, Path: filepath.Join(g.save, fmt.Sprintf("turn%d-%s", i+1, who.name)), Placed: map[string]string{}}
	before := time.Now()
	if err := g.create(ctx); err != nil {
		return nil, err
	}
	t.Creating = time.Since(before)
	if err := g.quiet(ctx); err != nil {
		return nil, err
	}
	if err := g.measure(ctx, t, who); err != nil {
		return nil, err
	}
	say("turn %d, %s: %d pods bound in %.1f s", i+1, who.name, len(t.Placed), (t.Last - t.First).Seconds())
	if err := g.clear(ctx); err != nil {
		return nil, err
	}
	return t, g.quiet(ctx)
}

// measure runs a scheduler until all pods are bound and everything else has been done.
func (g *ground) measure(ctx context.Context, t *turn, who contender) (err error) {
	asked, err := g.asked(ctx)
	if err != nil {
		return err
	}
	if t.Load, err = load(); err != nil {
		return err
	}
	bound, err := g.client.CoreV1().Pods(namespace).Watch(ctx, meta.ListOptions{FieldSelector: "spec.nodeName!="})
	if err != nil {
		return fmt.Errorf("watching pods: %w", err)
	}
	defer bound.Stop()
	log, err := os.Create(t.Path + ".log")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	idle, err := g.used(0)
	if err != nil {
		return err
	}
	cmd := who.command(g, t.Path)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is for this program, which ends it
	t.Began = time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", who.name, err)
	}
	err = g.follow(ctx, t, bound, cmd.Process.Pid, idle)
	if wrong := stop(cmd, who); err == nil {
		err = wrong
	}
	if err != nil {
		return fmt.Errorf("%w; it says more in %s", err, log.Name())
	}
	after, err := g.asked(ctx)
	t.Asked = after.minus(asked)
	return err
}

// follow looks on until all is done.
func (g *ground) follow(ctx context.Context, t *turn, bound watch.Interface, pid int, idle usage) error {
	if err := g.await(ctx, t, bound); err != nil {
		return err
	}
	u, err := g.used(pid)
	if err != nil {
		return err
	}
	t.Binding = u.minus(idle)
	if err := g.quiet(ctx); err != nil {
		return err
	}
	t.Quiet = time.Since(t.Began)
	if u, err = g.used(pid); err != nil {
		return err
	}
	t.All = u.minus(idle)
	t.LoadEnd, err = load()
	return err
}

// patience is for how long no pod may be bound: machines stall.
const patience = 2 * time.Minute

// await notes when pods are bound, and where, until all are.
func (g *ground) await(ctx context.Context, t *turn, bound watch.Interface) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	for len(t.Placed) < g.pods {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return fmt.Errorf("%d of %d pods are bound, and no other was for %v", len(t.Placed), g.pods, patience)
		case e, ok := <-bound.ResultChan():
			p, is := e.Object.(*core.Pod)
			if !ok || !is {
				return fmt.Errorf("the watch of pods broke (%v %v); begin again", e.Type, e.Object)
			}
			if _, known := t.Placed[p.Name]; known || e.Type == watch.Deleted {
				continue
			}
			t.Last = time.Since(t.Began)
			if len(t.Placed) == 0 {
				t.First = t.Last
			}
			t.Placed[p.Name] = p.Spec.NodeName
			late.Reset(patience)
		}
	}
	return nil
}

// stop ends a scheduler, and waits until its log is whole.
func stop(cmd *exec.Cmd, who contender) error {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s has ended by itself: %w", who.name, errors.Join(err, cmd.Wait()))
	}
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // Wait tells of it
	defer kill.Stop()
	if err := cmd.Wait(); who.fails(err) {
		return fmt.Errorf("ending %s: %w", who.name, err)
	}
	return nil
}

const (
	glance   = 2 * time.Second
	atRest   = 0.25 // cores that etcd and the API server take at most with nothing to do but leases
	mostRest = 3 * time.Minute
)

// quiet waits until etcd and the API server have had nothing to do but leases for a while: nothing
// is on its way any more from anybody.
func (g *ground) quiet(ctx context.Context) error {
	deadline := time.Now().Add(mostRest)
	for calm := 0; calm < 2; {
		before, err := g.used(0)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := pause(ctx, glance); err != nil {
			return err
		}
		after, err := g.used(0)
		if err != nil {
			return err
		}
		use := after.minus(before)
		if (use.APIServer + use.Etcd + use.KWOK).Seconds() < atRest*time.Since(began).Seconds() {
			calm++
		} else {
			calm = 0
		}
		if calm < 2 && time.Now().After(deadline) {
			return fmt.Errorf("the API server is still busy after %v with nothing to do; it says more in its log", mostRest)
		}
	}
	return nil
}

// load returns what the kernel says of the machine's load.
func load() (string, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", fmt.Errorf("reading the machine's load: %w", err)
	}
	var one, five, fifteen string
	_, err = fmt.Sscan(string(text), &one, &five, &fifteen)
	return one + " " + five + " " + fifteen, err
}
