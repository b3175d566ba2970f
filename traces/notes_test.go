package traces

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/traces/wire"
)

// noteLines tells what a stream consists of, notes included, a line each.
func noteLines(t testing.TB, s Stream) (lines []string) {
	t.Helper()
	for {
		i, err := nextItem(s)
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if i.note == nil {
			lines = append(lines, strings.TrimSuffix(told([]cluster.Event{i.event}), "\n"))
			continue
		}
		n, line := i.note, fmt.Sprintf("at %v s ", i.note.At.Seconds())
		switch n.What {
		case wire.Sample:
			line += fmt.Sprintf("pod %d uses %d, %d", n.Usage.Pod, n.Usage.CPU, n.Usage.Memory)
		case wire.Placed:
			line += fmt.Sprintf("pod %d on %d, GPUs %b, waited %v s", n.Placement.Pod, n.Placement.Node, n.Placement.GPUs, n.Placement.Wait.Seconds())
		case wire.Struck:
			line += fmt.Sprintf("%s of %s until %v s", n.Fault.Kind, strings.Join(n.Fault.Nodes, ","), n.Fault.Until.Seconds())
		case wire.Missing:
			line += fmt.Sprintf("a gap from %v s: %s", n.Gap.From.Seconds(), n.Gap.Reason)
		}
		lines = append(lines, line)
	}
}

func wantLines(t *testing.T, s Stream, want ...string) {
	t.Helper()
	if got := noteLines(t, s); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func sampled(at cluster.Time, pod cluster.PodID, cpu int64) Note {
	return Note{What: wire.Sample, At: at, Usage: wire.Usage{Pod: pod, CPU: cpu, Memory: wire.Unknown}}
}

// withNotes is a workload of two nodes and three pods with notes of every kind.
func withNotes() Stream {
	on := func(at cluster.Time, pod cluster.PodID, node cluster.NodeID, wait cluster.Time) Note {
		return Note{What: wire.Placed, At: at, Placement: wire.Placement{Pod: pod, Node: node, Wait: wait, Allocation: cluster.Allocation{GPUs: 2}}}
	}
	events := again(nodeAdded(0, 0, "a"), nodeAdded(0, 1, "b"),
		podAdded(1*sec, 0, "p", 100*sec), podAdded(10*sec, 1, "q", 100*sec), podAdded(20*sec, 2, "r", 100*sec))()
	return noted(events, those([]Note{
		on(3*sec, 0, 1, 2*sec),
		sampled(5*sec, 0, 50),
		{What: wire.Struck, At: 6 * sec, Fault: &wire.Fault{Until: 18 * sec, Nodes: []string{"b"}, Kind: "crash"}},
		on(10*sec, 2, 0, 0),
		sampled(12*sec, 0, 120),
		sampled(13*sec, 2, 130),
		{What: wire.Missing, At: 15 * sec, Gap: &wire.Gap{From: 4 * sec, Lost: -1, Reason: "watch of team-a was lost"}},
		{What: wire.Struck, At: 16 * sec, Fault: &wire.Fault{Until: cluster.Never, Nodes: []string{"a", "b"}, Kind: "hang"}},
		sampled(25*sec, 4, 250),
		sampled(26*sec, 0, 260),
	}))
}

// Notes stand after the events of their time. Who doesn't ask for them sees the events.
func TestNoted(t *testing.T) {
	wantLines(t, withNotes(),
		"at 0 s NodeAdded a #0", "at 0 s NodeAdded b #1", "at 1 s PodAdded ns/p for 100 s #0",
		"at 3 s pod 0 on 1, GPUs 10, waited 2 s", "at 5 s pod 0 uses 50, -1", "at 6 s crash of b until 18 s",
		"at 10 s PodAdded ns/q for 100 s #2", "at 10 s pod 2 on 0, GPUs 10, waited 0 s", "at 12 s pod 0 uses 120, -1", "at 13 s pod 2 uses 130, -1",
		"at 15 s a gap from 4 s: watch of team-a was lost", "at 16 s hang of a,b until "+fmt.Sprint(cluster.Never.Seconds())+" s",
		"at 20 s PodAdded ns/r for 100 s #4", "at 25 s pod 4 uses 250, -1", "at 26 s pod 0 uses 260, -1")
	if events := all(t, withNotes()); len(events) != 5 {
		t.Errorf("%d events without asking for notes", len(events))
	}
}

func TestCutKeepsNotes(t *testing.T) {
	never := fmt.Sprint(cluster.Never.Seconds())
	wantLines(t, Cut(withNotes(), CutOptions{From: 8 * sec, For: 17 * sec, Running: true}),
		"at 0 s NodeAdded a #0", "at 0 s NodeAdded b #1", "at 0 s PodAdded ns/p for 93 s #0",
		"at 0 s crash of b until 10 s", "at 2 s PodAdded ns/q for 100 s #2", "at 2 s pod 2 on 0, GPUs 10, waited 0 s",
		"at 4 s pod 0 uses 120, -1", "at 5 s pod 2 uses 130, -1", "at 7 s a gap from 0 s: watch of team-a was lost",
		"at 8 s hang of a,b until "+never+" s", "at 12 s PodAdded ns/r for 100 s #4")
	// Of pods that are left out there are no notes, and others have other numbers. Where no
	// event follows, notes do.
	wantLines(t, Cut(withNotes(), CutOptions{From: 12 * sec}),
		"at 0 s NodeAdded a #0", "at 0 s NodeAdded b #1", "at 0 s crash of b until 6 s", "at 3 s a gap from 0 s: watch of team-a was lost",
		"at 4 s hang of a,b until "+never+" s", "at 8 s PodAdded ns/r for 100 s #0", "at 13 s pod 0 uses 250, -1")
	wantLines(t, Cut(withNotes(), CutOptions{From: 25 * sec, Running: true}),
		"at 0 s NodeAdded a #0", "at 0 s NodeAdded b #1", "at 0 s PodAdded ns/p for 76 s #0", "at 0 s PodAdded ns/q for 85 s #2", "at 0 s PodAdded ns/r for 95 s #4",
		"at 0 s hang of a,b until "+never+" s", "at 0 s pod 4 uses 250, -1", "at 1 s pod 0 uses 260, -1")
}

func TestScaleKeepsNotes(t *testing.T) {
	s, err := Scale(withNotes, ScaleOptions{Pods: 2, By: "job", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	lines := noteLines(t, s)
	for _, want := range []string{
		"at 3 s pod 0 on 1, GPUs 10, waited 2 s", "at 3 s pod 2 on -1, GPUs 0, waited 2 s", // the copy's node isn't known
		"at 13 s pod 4 uses 130, -1", "at 13 s pod 6 uses 130, -1", "at 6 s crash of b until 18 s",
	} {
		if n := len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return l != want })); n != 1 {
			t.Errorf("%d times %s among\n\t%s", n, want, strings.Join(lines, "\n\t"))
		}
	}
	// Fewer pods: notes of those that remain, and of nothing else.
	if s, err = Scale(withNotes, ScaleOptions{Pods: 0.3, By: "job", Seed: 1}); err != nil {
		t.Fatal(err)
	}
	lines = noteLines(t, s)
	pods, uses := 0, 0
	for _, l := range lines {
		if strings.Contains(l, "PodAdded") {
			pods++
		}
		if strings.Contains(l, " uses ") {
			uses++
			if !strings.Contains(l, "pod 0 uses") {
				t.Errorf("with a single pod: %s", l)
			}
		}
	}
	if pods != 1 || uses == 0 {
		t.Errorf("%d pods and %d samples in\n\t%s", pods, uses, strings.Join(lines, "\n\t"))
	}
}

// Copies come later, and what is said of them does, too: in order, and after they came.
func TestScaledNotesComeInOrder(t *testing.T) {
	s, err := Scale(withNotes, ScaleOptions{Pods: 5, By: "job", Seed: 7, Jitter: 30 * sec})
	if err != nil {
		t.Fatal(err)
	}
	came, last, notes := map[cluster.PodID]cluster.Time{}, cluster.Time(0), 0
	for {
		i, err := nextItem(s)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if i.time() < last {
			t.Fatalf("back from %d to %d", last, i.time())
		}
		last = i.time()
		if i.note == nil {
			came[i.event.Pod] = i.event.Time
			continue
		}
		if i.note.What == wire.Placed {
			notes++
			at, ok := came[i.note.Placement.Pod]
			if wait := i.note.At - at; !ok || wait != i.note.Placement.Wait {
				t.Errorf("pod %d, which came at %d, was placed at %d and waited %d", i.note.Placement.Pod, at, i.note.At, i.note.Placement.Wait)
			}
		}
	}
	if notes != 10 {
		t.Errorf("%d placements, of 2 pods five times", notes)
	}
}

func TestMergeKeepsNotes(t *testing.T) {
	s, err := Merge(MergeInput{Open: withNotes}, MergeInput{Open: withNotes, At: 2 * sec})
	if err != nil {
		t.Fatal(err)
	}
	lines := noteLines(t, s)
	for _, want := range []string{
		"at 3 s pod 0 on 1, GPUs 10, waited 2 s", "at 5 s pod 2 on 3, GPUs 10, waited 2 s",
		"at 6 s crash of b until 18 s", "at 8 s crash of t2-b until 20 s", "at 28 s pod 2 uses 260, -1",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in\n\t%s", want, strings.Join(lines, "\n\t"))
		}
	}
	if s, err = Merge(MergeInput{Open: withNotes}, MergeInput{Open: withNotes, At: 2 * sec, WithoutNodes: true}); err != nil {
		t.Fatal(err)
	}
	lines = noteLines(t, s)
	if text := strings.Join(lines, "\n"); strings.Count(text, "crash of") != 1 || !strings.Contains(text, "pod 2 on -1, GPUs 0, waited 2 s") {
		t.Errorf("of nodes that are left out:\n%s", text)
	}
}

func TestAnonymiseNotes(t *testing.T) {
	s, err := Anonymise(withNotes, []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	lines := noteLines(t, s)
	node := strings.Fields(lines[1])[4]
	for _, want := range []string{"at 6 s crash of " + node + " until 18 s", "at 15 s a gap from 4 s: ", "at 5 s pod 0 uses 50, -1", "at 3 s pod 0 on 1, GPUs 10, waited 2 s"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in\n\t%s", want, strings.Join(lines, "\n\t"))
		}
	}
}

// notedFileOf writes a stream with its notes to a file of Berth's own.
func notedFileOf(t testing.TB, meta wire.Meta, s Stream) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "noted"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := wire.Create(f, meta, wire.Options{})
	for err == nil {
		var i item
		if i, err = nextItem(s); err == nil && i.note != nil {
			err = i.note.Write(w)
		} else if err == nil {
			err = w.Event(&i.event)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// Of a file, all is there again: notes, waits, use under options, and faults as FAULTS.
func TestOwnNotes(t *testing.T) {
	file := notedFileOf(t, wire.Meta{Kind: wire.Dataset}, withNotes())
	tr := open(t, file)
	wantLines(t, tr.Noted(1), noteLines(t, withNotes())...)
	if want := []cluster.Time{2 * sec, 0}; !slices.Equal(tr.Waits, want) || tr.Decided != 0 {
		t.Errorf("waits %v and %d decisions", tr.Waits, tr.Decided)
	}
	used, err := open(t, file+"?from=8s&for=10s&running=yes").Usage(1)
	if want := []Used{{4 * sec, wire.Usage{Pod: 0, CPU: 120, Memory: -1}}, {5 * sec, wire.Usage{Pod: 2, CPU: 130, Memory: -1}}}; err != nil || !slices.Equal(used, want) {
		t.Errorf("%v: used %v, want %v", err, used, want)
	}
	f, err := Opener{}.OpenFaults("berth:" + file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := f.Source(faults.Run{Nodes: []faults.Node{{Name: "a"}, {Name: "z"}}, Horizon: cluster.Never})
	if err != nil {
		t.Fatal(err)
	}
	fault, err := source.Next()
	if err != nil || fault.At != 16*sec || fault.Until != cluster.Never || fault.Kind != faults.Hang || !slices.Equal(fault.Nodes, []string{"a"}) {
		t.Errorf("%v: %+v", err, fault)
	}
	if _, err := source.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("what befell b befalls somebody: %v", err)
	}
	if _, err := f.Source(faults.Run{Nodes: []faults.Node{{Name: "z"}}}); err == nil || !strings.Contains(err.Error(), "; give") {
		t.Errorf("with other nodes: %v", err)
	}
}

// Faults that can't be are errors with a remedy.
func TestOwnFaultErrors(t *testing.T) {
	for name, fault := range map[string]*wire.Fault{
		"no kind of fault": {Until: 9 * sec, Nodes: []string{"a"}, Kind: "flood"},
		"ends before":      {Until: 1, Nodes: []string{"a"}, Kind: "crash"},
		"befalls nothing":  {Until: 9 * sec, Kind: "crash"},
		"lacks what a":     {Until: 9 * sec, Nodes: []string{"a"}, Kind: "flap", Period: 5, Down: 5},
		"befell nodes":     nil,
	} {
		var notes []Note
		if fault != nil {
			notes = []Note{{What: wire.Struck, At: 2 * sec, Fault: fault}}
		}
		file := notedFileOf(t, wire.Meta{Kind: wire.Dataset}, noted(again(jobs()...)(), those(notes)))
		var wrong *Error
		if _, err := (Opener{}).OpenFaults("berth:" + file); !errors.As(err, &wrong) || !strings.Contains(err.Error(), name) || wrong.Remedy == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Of the log of a run, where and when pods were placed is kept.
func TestOwnNotesOfLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wire.Create(f, wire.Meta{Kind: wire.Recording}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	node, pod, refused := nodeAdded(0, 0, "a"), podAdded(1*sec, 0, "p", 9*sec), podAdded(2*sec, 0, "q", 9*sec)
	refused.Kind, refused.Code, refused.Reason = cluster.PodRefused, 403, "exceeded quota"
	late := podAdded(3*sec, 0, "r", 9*sec)
	bind := cluster.Decision{Kind: cluster.Bind, Pod: 0, Node: 0, Allocation: cluster.Allocation{GPUs: 4}}
	bound := cluster.Event{Time: 5 * sec, Kind: cluster.PodBound, Pod: 0, Node: 0}
	err = errors.Join(w.Event(&node), w.Event(&pod), w.Event(&refused), w.Event(&late), w.Decision(4*sec, &bind), w.Outcome(&bound), w.Usage(6*sec, wire.Usage{Pod: 0, CPU: 7}), w.Close(), f.Close())
	if err != nil {
		t.Fatal(err)
	}
	tr := open(t, path)
	wantLines(t, tr.Noted(1), "at 0 s NodeAdded a #0", "at 1 s PodAdded ns/p for 9 s #0", "at 2 s PodAdded ns/q for 9 s #2", "at 3 s PodAdded ns/r for 9 s #4",
		"at 5 s pod 0 on 0, GPUs 100, waited 4 s", "at 6 s pod 0 uses 7, 0")
	if tr.Decided != 3 || !slices.Equal(tr.Waits, []cluster.Time{4 * sec}) {
		t.Errorf("%d decisions and outcomes, waits %v", tr.Decided, tr.Waits)
	}
}
