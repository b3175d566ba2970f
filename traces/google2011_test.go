package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// TestGoogleFaults plays the small recording to its own machines.
func TestGoogleFaults(t *testing.T) {
	f := openFaults(t, smallGoogle+"?kind=hang")
	run := faults.Run{Nodes: namedNodes("machine-10", "machine-5", "machine-6"), Horizon: day}
	want := "100-ever hang machine-10\n100-160 hang machine-5\n300-300.000001 hang machine-5\n"
	if got := textOf(readFaults(t, f, run)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	run.Horizon = 300 * cluster.Second
	if got := textOf(readFaults(t, f, run)); strings.Count(got, "\n") != 2 {
		t.Errorf("in 300 s:\n%s", got)
	}
}

// TestGoogleOtherNodes plays it to nodes of other names: each is given what befell
// one machine, by seed and name, whoever else is there.
func TestGoogleOtherNodes(t *testing.T) {
	f := openFaults(t, smallGoogle)
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprint("n", i))
	}
	of := func(list []faults.Fault, name string) (own []faults.Fault) {
		for _, fault := range list {
			if fault.Nodes[0] == name {
				own = append(own, fault)
			}
		}
		return own
	}
	all := readFaults(t, f, faults.Run{Nodes: namedNodes(names...), Seed: 4, Horizon: day})
	kinds := map[int]int{}
	for _, name := range names {
		own := of(all, name)
		kinds[len(own)]++
		alone := readFaults(t, f, faults.Run{Nodes: namedNodes("machine-5", name), Seed: 4, Horizon: day})
		if got := textOf(of(alone, name)); got != textOf(own) {
			t.Errorf("with others, %s has\n%s, else\n%s", name, textOf(own), got)
		}
	}
	for n, want := range map[int]int{0: 100, 1: 100, 2: 100} {
		if got := kinds[n]; got < want-30 || got > want+30 {
			t.Errorf("%d nodes have %d outages, want about %d", got, n, want)
		}
	}
	if textOf(readFaults(t, f, faults.Run{Nodes: namedNodes(names...), Seed: 5, Horizon: day})) == textOf(all) {
		t.Error("another seed gives the same")
	}
}

// TestGoogleMachines has capacities in our units, and events that State takes.
func TestGoogleMachines(t *testing.T) {
	m := openFaults(t, smallGoogle+"?cpus=10&memory=4&zones=2").Machines
	var got []string
	for _, n := range m.Nodes() {
		got = append(got, fmt.Sprintf("%s %d %d %d", n.Name, n.Capacity[cluster.CPU], n.Capacity[cluster.Memory]/mib, n.Capacity[cluster.PodSlots]))
		if zone, _ := n.Labels.Get(faults.ZoneLabel); zone != "zone-1" && zone != "zone-2" {
			t.Errorf("%s is in %q", n.Name, zone)
		}
	}
	if want := "machine-5 5000 1021 110; machine-10 10000 4096 110; machine-6 0 0 110"; strings.Join(got, "; ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "; "), want)
	}
	got = nil
	s, st := m.Events(), cluster.NewState()
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		got = append(got, fmt.Sprintf("%v %v %s %d", e.Time.Seconds(), e.Kind, e.NodeSpec.Name, e.NodeSpec.Capacity[cluster.CPU]))
		if e.Kind != cluster.NodeAdded {
			e.Node, _ = st.Nodes.Named(e.NodeSpec.Name)
		}
		st.Observe(e.Time, []cluster.Event{e}) // panics at what it must not get
	}
	want := []string{
		"0 NodeAdded machine-5 5000", "0 NodeAdded machine-10 10000", "0 NodeAdded machine-6 0",
		"100 NodeRemoved machine-5 5000", "100 NodeRemoved machine-10 10000", "160 NodeAdded machine-5 5000",
		"200 NodeChanged machine-6 2500", "300 NodeRemoved machine-5 5000", "300.000001 NodeAdded machine-5 5000",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(st.Nodes.Live()) != 2 {
		t.Errorf("%d nodes are left", len(st.Nodes.Live()))
	}
	if m.rows != [3]int{6, 3, 1} || m.repairs != 2 {
		t.Errorf("%v rows, %d repairs", m.rows, m.repairs)
	}
}

// TestGoogleZones counts machines in zones, which are the same whoever asks.
func TestGoogleZones(t *testing.T) {
	m := &Machines{zones: 3}
	count := map[string]int{}
	for i := range 3000 {
		count[m.zone(fmt.Sprint("machine-", i))]++
	}
	for _, zone := range []string{"zone-1", "zone-2", "zone-3"} {
		if n := count[zone]; n < 900 || n > 1100 {
			t.Errorf("%d machines in %s", n, zone)
		}
	}
	if got := m.zone("machine-5"); got != "zone-1" && got != "zone-2" && got != "zone-3" || got != m.zone("machine-5") {
		t.Errorf("machine-5 is in %s", got)
	}
}

// TestGoogleStorage reads the same from one file, compressed, or from a folder; the
// hash differs only by what was in each file.
func TestGoogleStorage(t *testing.T) {
	var content []byte
	for _, name := range []string{"part-00000-of-00002.csv", "part-00001-of-00002.csv"} {
		part, err := os.ReadFile(filepath.Join(smallFailures, googleFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, part...)
	}
	plain := filepath.Join(t.TempDir(), "x.csv")
	writeFile(t, plain, content)
	writeFile(t, plain+".gz", gzipped(content))
	a, b := openFaults(t, "google2011:"+plain), openFaults(t, "google2011:"+plain+".gz")
	if a.Hash != b.Hash {
		t.Errorf("compressed, the hash is %s, else %s", a.Hash, b.Hash)
	}
	if a.Hash == openFaults(t, "google2011:"+plain+"?zones=4").Hash {
		t.Error("zones don't change the hash")
	}
	run := faults.Run{Nodes: namedNodes("machine-10", "machine-5"), Horizon: day}
	want := textOf(readFaults(t, openFaults(t, smallGoogle), run))
	for _, f := range []*Faults{a, b} {
		if got := textOf(readFaults(t, f, run)); got != want {
			t.Errorf("%s has\n%swant\n%s", f.Name, got, want)
		}
	}
}

func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

const goodMachines = "0,5,0,p,0.5,0.25\n700000000,5,1,p,0.5,0.25\n760000000,5,0,p,,\n"

var badMachines = []struct{ content, want string }{
	{"0,5,0,p,0.5\n", "f:1: 5 fields; give 6, time, machine ID, event type, platform ID, CPUs, Memory"},
	{goodMachines + "x,5,1,p,0.5,0.5\n", `f:4: time is "x"; give a whole number from 0 to 9223372036854775807`},
	{"-1,5,0,p,0.5,0.5\n", `f:1: time is "-1"; give a whole number from 0 to 9223372036854775807`},
	{"599999999,5,0,p,0.5,0.5\n", `f:1: time is "599999999"; give 0 for what was before, or at least 600000000 µs, when the recording begins`},
	{"9223372036854775,5,0,p,,\n9223372036854776,6,0,p,,\n", `f:2: time is "9223372036854776"; give microseconds, or 9223372036854775807 for what was after the recording`},
	{goodMachines + "759999999,6,0,p,,\n", `f:4: time is "759999999"; a row before has 760000000: sort the rows by time`},
	{"0,,0,p,,\n", `f:1: machine ID is ""; give a whole number from 0 to 9223372036854775807`},
	{"0,5,3,p,,\n", `f:1: event type is "3"; give a whole number from 0 to 2`},
	{"0,5,0,p,1.1,\n", `f:1: CPUs is "1.1"; give a number from 0 to 1, or nothing if it isn't known`},
	{"0,5,0,p,,NaN\n", `f:1: Memory is "NaN"; give a number from 0 to 1, or nothing if it isn't known`},
	{goodMachines + "760000000,5,2,p,,\n", `f:4: time is "760000000"; the machine has an event at that moment already: give a later one`},
	{goodMachines + "760000001,5,0,p,,\n", `f:4: event type is "0"; the machine is there already: remove it first (1)`},
	{"0,5,1,p,,\n", `f:1: event type is "1"; the machine isn't there: add it first (0)`},
	{"0,5,2,p,,\n", `f:1: event type is "2"; the machine isn't there: add it first (0)`},
	{"0,\"5,0,p,,\n", `f:1: extraneous or missing " in quoted-field; correct the quotes of the row`},
}

// readMachines reads content as openGoogle2011 does.
func readMachines(file string, content []byte) (*Machines, error) {
	m := &Machines{zones: 3, cpu: 64_000, memory: 1 << 38}
	in, err := newStream(file, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return m, newGoogleReader(m).read(file, in)
}

func TestGoogleFails(t *testing.T) {
	for _, tt := range badMachines {
		if _, err := readMachines("f", []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	if _, err := readMachines("f.gz", []byte("0,5")); err == nil || err.Error() != "f.gz: not gzip data; fetch the file again" {
		t.Errorf("got %v", err)
	}
	zipped := gzipped([]byte(goodMachines))
	if _, err := readMachines("f.gz", zipped[:len(zipped)-9]); err == nil || err.Error() != "f.gz: the gzip data ends early; fetch the file again" {
		t.Errorf("got %v", err)
	}
	zipped[len(zipped)-5]++ // the checksum
	if _, err := readMachines("f.gz", zipped); err == nil || err.Error() != "f.gz: damaged gzip data; fetch the file again" {
		t.Errorf("got %v", err)
	}
	empty := filepath.Join(t.TempDir(), "x.csv")
	writeFile(t, empty, nil)
	if _, err := (Opener{}).OpenFaults("google2011:" + empty); err == nil || err.Error() != empty+": no machines; give a recording with at least one" {
		t.Errorf("got %v", err)
	}
}

// observe takes in all events of machines, and returns the cluster at the end, and when that is.
func observe(m *Machines) (st *cluster.State, last cluster.Time) {
	st = cluster.NewState()
	for s := m.Events(); ; {
		e, err := s.Next()
		if err != nil {
			return st, last
		}
		if e.Kind != cluster.NodeAdded {
			e.Node, _ = st.Nodes.Named(e.NodeSpec.Name)
		}
		st.Observe(e.Time, []cluster.Event{e})
		last = e.Time
	}
}

func FuzzGoogle(f *testing.F) {
	for _, bad := range badMachines {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodMachines + "9223372036854775807,5,1,p,0.5,0.5\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := readMachines("f", content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if len(m.names) == 0 {
			return
		}
		observe(m)
		named := namedNodes("x")
		for _, n := range m.Nodes() {
			named = append(named, faults.NodeOf(n))
		}
		list := readFaults(t, &Faults{source: m.faults(faults.Effect{})}, faults.Run{Nodes: named, Horizon: cluster.Never})
		if len(list) < m.repairs {
			t.Errorf("%d faults, %d repairs", len(list), m.repairs)
		}
	})
}
