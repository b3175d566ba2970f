//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berthsim/berth/cluster/lab/cgroup"
	"github.com/berthsim/berth/cluster/lab/network"
)

// Up brings a lab up, and returns once all its nodes are Ready. If it fails or ctx ends, it stops
// what it has started; the folder with the logs stays, until Down.
func Up(ctx context.Context, c Config) (*Lab, error) {
	if err := c.complete(); err != nil {
		return nil, input(err)
	}
	if err := c.needs(); err != nil {
		return nil, err
	}
	programs, err := c.findPrograms(ctx) // which may take minutes, so that nothing is held meanwhile
	if err != nil {
		return nil, err
	}
	l := &Lab{Config: c, Created: time.Now().UTC(), Bin: programs, network: network.Network{Lab: c.Name}}
	if l.host, err = cgroup.Detect(); err != nil {
		return nil, err
	}
	for _, n := range l.nodes() { // which may take minutes, too
		if err := c.runtime(n.Runtime).Build(ctx, l, n); err != nil {
			return nil, err
		}
	}
	if err := l.claim(ctx); err != nil {
		return nil, err
	}
	defer func() { l.lock.Close(); l.lock = nil }()
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if err := l.bringUp(limited); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, l.stopAll(stopping))
	}
	return l, nil
}

// bringUp is Up once the folder is the lab's.
func (l *Lab) bringUp(ctx context.Context) error {
	if err := l.record(madeCgroup, l.whole().Name); err != nil {
		return err
	}
	if err := l.save(); err != nil {
		return err
	}
	if err := l.startControlPlane(ctx); err != nil {
		return err
	}
	l.Config.Say("the API server is ready at " + l.Server)
	var names []string
	for _, n := range l.nodes() {
		if err := l.startNode(ctx, n); err != nil {
			return err
		}
		names = append(names, n.Name)
	}
	if err := l.startSimulated(); err != nil {
		return err
	}
	simulated, err := l.makeKWOKNodes(ctx)
	if err != nil {
		return err
	}
	names = append(names, simulated...)
	for i := range l.Config.Hollow {
		names = append(names, hollow(i+1))
	}
	if err := l.awaitNodes(ctx, names); err != nil {
		return err
	}
	if len(names) > 0 {
		l.Config.Say(fmt.Sprintf("%d nodes are Ready", len(names)))
	}
	return nil
}

// startControlPlane makes network and certificates, and starts what serves the API.
func (l *Lab) startControlPlane(ctx context.Context) error {
	for _, name := range []string{l.network.Switch(), l.network.ControlPlane()} {
		if err := l.record(madeNetwork, name); err != nil {
			return err
		}
	}
	if err := l.network.Up(); err != nil {
		return err
	}
	if err := os.MkdirAll(l.path(logDir), 0o755); err != nil {
		return fmt.Errorf("making the lab's folders: %w", err)
	}
	if err := l.startProxy(); err != nil { // says at what port
		return err
	}
	if err := l.makeCertificates(); err != nil {
		return err
	}
	if err := errors.Join(l.startEtcd(), l.startAPIServer(), l.save()); err != nil {
		return err
	}
	if err := l.awaitAPIServer(ctx); err != nil {
		return err
	}
	return l.startControllers()
}
