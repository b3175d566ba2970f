//go:build linux

// Command crowd has Berth and kube-scheduler place the same pods on the same API server, in turn,
// and says how many each bound in a second, and what of the processors each took for it. It wants
// root, as berth lab up does.
//
//	go run ./cmd/berth/e2e/crowd -nodes 300 -pods 5000 -rounds 2 -save out
//
// It brings up a lab of KWOK's nodes and takes it down afterwards. What Berth decided is then
// played again, simulated, and shown to kube-scheduler's own code: it exits with status 1 if
// anything differs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/berthsim/berth/cluster/lab"
)

// options are what is asked for.
type options struct {
	nodes, pods int
	rounds      int // turns of each scheduler
	qps         int // requests a second that each scheduler may make, and at once
	name        string
	save        string // folder for logs and results
	binDir      string
	berth       string // the program; "" builds it
	only        string // name of the one scheduler that has turns; "" for both
}

// check returns what is wrong with the options.
func (o *options) check() error {
	switch {
	case o.nodes < 1 || o.pods < 2 || o.rounds < 1 || o.qps < 1:
		return errors.New("-nodes, -rounds and -qps must be 1 or more, -pods 2 or more")
	case o.pods > mostPods(o.nodes):
		return fmt.Errorf("%d pods don't fit on %d nodes whoever places them: ask for %d at most", o.pods, o.nodes, mostPods(o.nodes))
	case o.only != "" && o.only != berth.name && o.only != kubeScheduler.name:
		return fmt.Errorf("-only: there is no scheduler %q; name %s or %s", o.only, berth.name, kubeScheduler.name)
	case flag.NArg() > 0:
		return fmt.Errorf("%q: there are no arguments but flags", flag.Arg(0))
	}
	return nil
}

func main() {
	var o options
	flag.IntVar(&o.nodes, "nodes", 300, "nodes that KWOK plays")
	flag.IntVar(&o.pods, "pods", 5000, "pods to place in each turn")
	flag.IntVar(&o.rounds, "rounds", 2, "turns of each scheduler")
	flag.IntVar(&o.qps, "qps", 5000, "requests a second that a scheduler may make, and at once; kube-scheduler's own 50 and 100 would be all there is to see")
	flag.StringVar(&o.name, "name", "crowd", "the lab's")
	flag.StringVar(&o.save, "save", "", "folder for logs and results, which must not exist (default: they are kept only if something fails)")
	flag.StringVar(&o.binDir, "bin-dir", os.Getenv("BERTH_LAB_BIN"), "folder of the lab's programs, which are built otherwise")
	flag.StringVar(&o.berth, "berth", "", "the program berth (default: built from the source tree)")
	flag.StringVar(&o.only, "only", "", "scheduler that has turns, "+berth.name+" or "+kubeScheduler.name+" (default: both)")
	flag.Parse()
	if err := o.check(); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, &o)
	stopped := ctx.Err() != nil
	stop()
	switch {
	case stopped:
		fmt.Fprintln(os.Stderr, "crowd: stopped")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

// say tells how far it is.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// run measures on a lab of its own, and judges.
func run(ctx context.Context, o *options) (err error) {
	if o.save == "" {
		if o.save, err = os.MkdirTemp("", "berth-crowd-"); err != nil {
			return err
		}
		defer func() {
			if err != nil && ctx.Err() == nil {
				say("what failed has its logs in %s", o.save)
				return
			}
			err = errors.Join(err, os.RemoveAll(o.save))
		}()
	} else if err := os.Mkdir(o.save, 0o777); err != nil {
		return fmt.Errorf("-save: %w; give a folder that doesn't exist", err)
	}
	g, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	turns, err := g.onLab(ctx)
	if err != nil {
		return err
	}
	if err := g.report(os.Stdout, turns); err != nil {
		return err
	}
	return g.judge(ctx, os.Stdout, turns)
}

// onLab brings the lab up, has the schedulers take turns, and takes the lab down whatever happens.
func (g *ground) onLab(ctx context.Context) (turns []turn, err error) {
	if g.lab, err = lab.Up(ctx, lab.Config{Name: g.name, KWOK: g.nodes, BinDir: g.binDir, Source: g.source, Say: func(text string) { say("%s", text) }}); err != nil {
		return nil, errors.Join(err, g.down(ctx))
	}
	defer func() { err = errors.Join(err, g.down(ctx)) }()
	if err := g.connect(); err != nil {
		return nil, err
	}
	if err := g.furnish(ctx); err != nil {
		return nil, err
	}
	for i, who := range order(g.rounds, g.only) {
		t, err := g.turn(ctx, i, who)
		if err != nil {
			return nil, fmt.Errorf("turn %d, of %s: %w", i+1, who.name, err)
		}
		turns = append(turns, *t)
	}
	return turns, nil
}

// down takes the lab down, also if the work was stopped.
func (g *ground) down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return lab.Down(ctx, lab.DefaultDir(g.name))
}

// order is who has which turn: Berth, kube-scheduler, kube-scheduler, Berth and so on, so that
// what the machine and the server become slower or faster by befalls both.
func order(rounds int, only string) (all []contender) {
	for i := range rounds {
		both := []contender{berth, kubeScheduler}
		if i%2 == 1 {
			slices.Reverse(both)
		}
		all = append(all, both...)
	}
	return slices.DeleteFunc(all, func(c contender) bool { return only != "" && c.name != only })
}
