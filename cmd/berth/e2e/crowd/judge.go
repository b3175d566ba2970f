//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/plugins"
	core "k8s.io/api/core/v1"
)

// A history is a cluster.Recorder that keeps what came in a run, and where pods were bound.
type history struct {
	came   sim.List // nodes and objects as they were when the first pod came, and pods in the order in which they came
	placed map[string]string
	begun  bool
}

// Record implements cluster.Recorder. It returns no error.
func (h *history) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	for i := range events {
		if e := &events[i]; e.Kind == cluster.PodAdded {
			h.add(s, e)
		}
	}
	for i := range ds {
		if d := &ds[i]; d.Kind == cluster.Bind {
			h.placed[s.PodName(d.Pod)] = s.Nodes.Name[d.Node]
		}
	}
	return nil
}

// add notes a pod, and with the first one the nodes that it came to.
func (h *history) add(s *cluster.State, e *cluster.Event) {
	if !h.begun {
		h.begun = true
		for _, n := range s.Nodes.Live() {
			spec := *s.Nodes.Spec[n]
			spec.Taints = s.Nodes.Taints[n]
			h.came = append(h.came, cluster.Event{Time: e.Time, Kind: cluster.NodeAdded, NodeSpec: &spec})
		}
	}
	spec := *e.PodSpec
	spec.Run = cluster.Never
	h.came = append(h.came, cluster.Event{Time: e.Time, Kind: cluster.PodAdded, PodSpec: &spec})
}

// judge plays each of Berth's logs again, has the simulator place the same pods, coming to the same
// nodes in the logged order, and asks kube-scheduler's own code about every binding.
func (g *ground) judge(ctx context.Context, w io.Writer, turns []turn) error {
	var all error
	for i := range turns {
		if turns[i].Who != berth.name {
			continue
		}
		text, err := g.judged(ctx, &turns[i])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("turn %d: %w", i+1, err))
			continue
		}
		if _, err := fmt.Fprintf(w, "\nTurn %d: %s\n", i+1, text); err != nil {
			return err
		}
	}
	return all
}

// judged says of one of Berth's turns how it held, or that it didn't.
func (g *ground) judged(ctx context.Context, t *turn) (string, error) {
	log := t.Path + ".berth"
	say("playing %s again", log)
	h := &history{placed: map[string]string{}}
	r, err := bench.Replay(ctx, log, "", bench.Options{Plugins: plugins.All, Watch: h})
	if err != nil {
		return "", err
	}
	if r.Difference != nil {
		return "", fmt.Errorf("%s: %s", log, r.Difference)
	}
	outside := map[string]string{}
	for pod, node := range t.Placed {
		outside[cluster.Key(namespace, pod)] = node
	}
	if err := same("the API server's pods", outside, "the log's", h.placed); err != nil {
		return "", err
	}
	simulated, err := h.simulate(ctx, r.Meta.Seed)
	if err != nil {
		return "", err
	}
	if err := same("the log's pods", h.placed, "the simulator's", simulated); err != nil {
		return "", err
	}
	say("asking kube-scheduler's code about %d bindings", len(h.placed))
	upstream, err := g.checked(ctx, log)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the log replays to the digest %s (%d rounds, %d decisions); %d of %d placements are those of the simulator; upstream %s.",
		r.Digest, r.Rounds, r.Decisions, len(simulated), g.pods, upstream), nil
}

// simulate has the simulator's cluster be given what came, and Berth decide there by itself: nothing
// of what was decided then is known to it. It returns where pods are placed.
func (h *history) simulate(ctx context.Context, seed int64) (map[string]string, error) {
	who, err := bench.NewSchedule(plugins.All, "kube", core.DefaultSchedulerName)
	if err != nil {
		return nil, err
	}
	controllers, err := who.Controllers(ctx, &bench.Options{Plugins: plugins.All})
	if err != nil {
		return nil, err
	}
	s := cluster.NewState()
	s.Seed = seed
	came := h.came
	c, err := sim.New(s, &came, sim.Options{})
	if err != nil {
		return nil, fmt.Errorf("simulating a turn: %w", err)
	}
	again := &history{placed: map[string]string{}}
	if err := cluster.Run(ctx, c, s, again, controllers...); err != nil {
		return nil, fmt.Errorf("simulating a turn: %w", err)
	}
	return again.placed, nil
}

// same returns how two sets of placements differ.
func same(which string, a map[string]string, other string, b map[string]string) error {
	var differ int
	var example string
	for pod, node := range a {
		if b[pod] != node {
			differ++
			example = fmt.Sprintf("%s is on %q and on %q", pod, node, b[pod])
		}
	}
	if differ > 0 || len(a) != len(b) {
		return fmt.Errorf("%d of %s and %d of %s: %d differ, as %s", len(a), which, len(b), other, differ, example)
	}
	return nil
}

// checked asks upstream about the bindings of a log, and returns what it was asked and said.
func (g *ground) checked(ctx context.Context, log string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "-C", "bench/upstream", "run", "./logged/check", log)
	cmd.Dir, cmd.Stderr = g.source, os.Stderr
	out, err := cmd.Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil {
		return "", fmt.Errorf("asking upstream: %w: %s", err, lines[0])
	}
	_, said, ok := strings.Cut(lines[len(lines)-1], "upstream ")
	if want := fmt.Sprintf("was asked about %d bindings, and 0 are not", g.pods); !ok || !strings.HasPrefix(said, want) {
		return "", fmt.Errorf("of upstream, %q is known instead of %q", lines[len(lines)-1], want)
	}
	return said, nil
}
