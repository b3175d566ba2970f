//go:build linux && e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// virtualPatience is how long anything of an emulated machine is waited for: on a busy computer it
// boots in minutes.
const virtualPatience = 20 * time.Minute

// A story is what happens on a bed, with the times of its steps.
type story struct {
	*bed
	t           *testing.T
	began, last time.Time
	table       strings.Builder

	first *core.Pod // that ran in the machine
	boot  string    // the machine's, then
}

// done says that a step is.
func (s *story) done(what string) {
	s.t.Helper()
	now := time.Now()
	s.t.Logf("%7.1f s: %s", now.Sub(s.began).Seconds(), what)
	fmt.Fprintf(&s.table, "| %s | %.1f | %.1f |\n", what, now.Sub(s.last).Seconds(), now.Sub(s.began).Seconds())
	s.last = now
}

// await waits for a step. What the API server doesn't answer is asked again: it may be busy.
func (s *story) await(what string, holds func(ctx context.Context) bool) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), 200*time.Millisecond, virtualPatience, true, func(ctx context.Context) (bool, error) { return holds(ctx), nil })
	if err != nil {
		s.t.Fatalf("waiting until %s: %v; the lab is\n%s", what, err, s.run(s.t, s.berth, "lab", "status", "--name", s.name))
	}
	s.done(what)
}

// A background is a verb of the program that goes on until it is told to stop.
type background struct {
	verb  string
	cmd   *exec.Cmd
	wrong bytes.Buffer // standard error; to be read once it has ended
	ended chan error
}

// start starts a verb. It ends with the test at the latest.
func (b *bed) start(t *testing.T, args ...string) *background {
	t.Helper()
	g := &background{verb: strings.Join(args, " "), cmd: exec.Command(b.berth, args...), ended: make(chan error, 1)}
	g.cmd.Dir, g.cmd.Stderr = b.root, &g.wrong
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill() // it has ended, unless the test failed
		if g.ended != nil {
			<-g.ended
		}
		if t.Failed() {
			t.Logf("berth %s said:\n%s", g.verb, g.wrong.String())
		}
	})
	return g
}

// end tells the verb to stop, and wants it to exit with a status.
func (g *background) end(t *testing.T, how os.Signal, status int) {
	t.Helper()
	if err := g.cmd.Process.Signal(how); err != nil {
		t.Fatalf("berth %s can't be told to stop: %v", g.verb, err)
	}
	select {
	case <-g.ended: // an error says no more than the status
		g.ended = nil
	case <-time.After(virtualPatience):
		t.Fatalf("berth %s goes on after %v", g.verb, how)
	}
	if got := g.cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("berth %s, told to stop by %v, exited with status %d, not %d", g.verb, how, got, status)
	}
}

// node returns a node; an empty one if the API server doesn't say.
func (s *story) node(ctx context.Context, name string) *core.Node {
	n, err := s.client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return &core.Node{}
	}
	return n
}

// ready is the status of a node's condition Ready.
func ready(n *core.Node) core.ConditionStatus {
	for _, c := range n.Status.Conditions {
		if c.Type == core.NodeReady {
			return c.Status
		}
	}
	return ""
}

// tainted reports whether a node has a taint, whatever its value.
func tainted(n *core.Node, key string, effect core.TaintEffect) bool {
	for _, t := range n.Spec.Taints {
		if t.Key == key && t.Effect == effect {
			return true
		}
	}
	return false
}

// pods are those with a label app, by node; those that are told to end only if asked for.
func (s *story) pods(ctx context.Context, app string, ending bool) map[string]*core.Pod {
	list, err := s.client.CoreV1().Pods(meta.NamespaceDefault).List(ctx, meta.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		return nil
	}
	found := map[string]*core.Pod{}
	for i := range list.Items {
		if p := &list.Items[i]; (p.DeletionTimestamp != nil) == ending {
			found[p.Spec.NodeName] = p
		}
	}
	return found
}

// running reports whether a pod runs.
func running(p *core.Pod) bool {
	return p != nil && p.Status.Phase == core.PodRunning && len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].Ready
}
