// Package timeline holds Berth's queue against upstream's: which pod is tried when, what comes of it, and
// where the others wait meanwhile. Upstream's whole scheduler, its informers and its event handlers
// included, runs in virtual time (testing/synctest); Berth's Scheduler is told of the same events at
// the same times.
//
// These things are pinned, since otherwise upstream answers differently from run to run:
//
//   - Parallelism is 1, OpportunisticBatching and SchedulerAsyncPreemption are off, and DefaultPreemption
//     dry-runs every node, as in package oracle.
//   - A try takes some time, so that no two pods have the same timestamp, and is made by what was known
//     when it began.
//   - The next pod is popped when all that happens at an instant has come to rest.
//   - What a try asks of the API server, but for a pod's status, is seen to be done a microsecond later:
//     after the next pod was popped, which misses it.
//
// In every second story pods go through a turnstile at Permit: a plugin of upstream's, a Gate of Berth's.
package timeline

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// A Story is what happens to a cluster, as far as the scheduler doesn't decide it, and how long
// everything takes.
type Story struct {
	Service            time.Duration // that a try takes
	Initial, Max, Most time.Duration // of backoff, and before a pod is tried again anyway; 0 for the default
	Steps              []Step
	End                time.Duration
}

// A Step adds a pod or a node, changes it, or takes it away.
type Step struct {
	At     time.Duration // whole milliseconds, never whole seconds
	Gone   bool
	Kind   string // "pod" or "node"
	Name   string
	Fields Fields
}

// Fields describe a pod or a node; a step gives all of them.
//
// Of pods: cpu, in thousandths; prio; app, a label; gate, a scheduling gate; tol, a toleration of
// the taint; zone, wanted of the node; port, on the host; anti and near, the app of pods that the pod
// wants to be on other nodes, or in the same zone; spread, over zones; other, for another scheduler;
// fail, how often binding fails; permit, what the turnstile does with it; on, the node that the pod is on already; nominated, the node that
// somebody keeps for it, "-" for none; never, that it doesn't preempt.
//
// Of nodes: cpu; zone; taint; off, unschedulable; slots, for pods.
type Fields map[string]string

// number returns a field that is a number, 0 if it isn't there.
func (f Fields) number(name string) int64 {
	n, err := strconv.ParseInt(f[name], 10, 64)
	if err != nil && f[name] != "" {
		panic(err)
	}
	return n
}

// has reports whether there is a field of that name.
func (f Fields) has(name string) bool { _, ok := f[name]; return ok }

// String writes a step as Read reads it.
func (s Step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d ", s.At.Milliseconds())
	if s.Gone {
		b.WriteString("no ")
	}
	fmt.Fprintf(&b, "%s %s", s.Kind, s.Name)
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		b.WriteString(" " + k)
		if s.Fields[k] != "" {
			b.WriteString("=" + s.Fields[k])
		}
	}
	return b.String()
}

// String writes a story as Read reads it.
func (s *Story) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "service %v initial %v max %v most %v end %v\n", s.Service, s.Initial, s.Max, s.Most, s.End)
	for _, step := range s.Steps {
		b.WriteString(step.String() + "\n")
	}
	return b.String()
}

// Read reads a story: a line with how long things take, and a line for each step.
func Read(text string) (*Story, error) {
	head, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	s := &Story{}
	into := map[string]*time.Duration{"service": &s.Service, "initial": &s.Initial, "max": &s.Max, "most": &s.Most, "end": &s.End}
	words := strings.Fields(head)
	for i := 0; i+1 < len(words); i += 2 {
		d, err := time.ParseDuration(words[i+1])
		if err != nil || into[words[i]] == nil {
			return nil, fmt.Errorf("%s %s: %v", words[i], words[i+1], err)
		}
		*into[words[i]] = d
	}
	for line := range strings.Lines(rest) {
		step, err := readStep(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
		s.Steps = append(s.Steps, step)
	}
	return s, nil
}

func readStep(words []string) (s Step, err error) {
	if len(words) < 3 {
		return s, fmt.Errorf("want at least a time, a kind and a name")
	}
	ms, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return s, err
	}
	s.At = time.Duration(ms) * time.Millisecond
	words = words[1:]
	if words[0] == "no" {
		s.Gone, words = true, words[1:]
	}
	s.Kind, s.Name, s.Fields = words[0], words[1], Fields{}
	for _, w := range words[2:] {
		k, v, _ := strings.Cut(w, "=")
		s.Fields[k] = v
	}
	return s, nil
}

// lag is how long the API server takes for what isn't a pod's status.
const lag = time.Microsecond

// samples are when everybody's place is noted besides after each step: in the middle of each second.
const samples = time.Second

// Trace is what happened, a line each, in order of time.
type Trace []string

func (t *Trace) add(at time.Duration, format string, args ...any) {
	*t = append(*t, fmt.Sprintf("%14.9f  ", at.Seconds())+fmt.Sprintf(format, args...))
}

// try notes a try of a pod when it ends.
func (t *Trace) try(at, began time.Duration, pod string, number int, node string, rejected []string) {
	switch {
	case node != "":
		t.add(at, "%s try %d, begun %v: %s", pod, number, began, node)
	case len(rejected) > 0:
		slices.Sort(rejected)
		t.add(at, "%s try %d, begun %v: rejected by %s", pod, number, began, strings.Join(rejected, " "))
	default:
		t.add(at, "%s try %d, begun %v: error", pod, number, began)
	}
}

// where notes where everybody is.
func (t *Trace) where(at time.Duration, places map[string]string) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(places)) {
		fmt.Fprintf(&b, " %s:%s", name, places[name])
	}
	t.add(at, "where%s", b.String())
}

// on is a time as Berth has it.
func on(d time.Duration) cluster.Time { return cluster.Time(d) }
