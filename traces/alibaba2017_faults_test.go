package traces

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/traces/wire"
)

// goodSoftErrors has rows of one machine that are in no order, and overlap if a repair takes
// an hour, one of another, and one of a machine that isn't there.
const goodSoftErrors = `0,1,add,,64,0.5,1
0,2,add,,64,0.5,1
9000,1,softerror,machine_fail,0,0,0
1000,1,softerror,machine_fail,0,0,0
2000,1,softerror,agent_check,0,0,0
3000,2,softerror,disk_full,0,0,0
3000,9,softerror,disk_full,0,0,0
`

func TestAlibaba2017Faults(t *testing.T) {
	file := t.TempDir() + "/server_event.csv"
	writeFile(t, file, []byte(goodSoftErrors))
	run := faults.Run{Nodes: namedNodes("machine-1", "machine-2"), Horizon: day}
	hashes := map[string]string{}
	for query, want := range map[string]string{
		"":                                "1000-5600 partition machine-1\n3000-6600 partition machine-2\n9000-12600 partition machine-1\n",
		"?repair=10m&kind=crash":          "1000-1600 crash machine-1\n2000-2600 crash machine-1\n3000-3600 crash machine-2\n9000-9600 crash machine-1\n",
		"?repair=1000s&from=2500s":        "0-500 partition machine-1\n500-1500 partition machine-2\n6500-7500 partition machine-1\n",
		"?errors=disk_full":               "3000-6600 partition machine-2\n",
		"?errors=machine_fail&repair=10d": "1000-873000 partition machine-1\n",
	} {
		f := openFaults(t, file+query)
		if got := textOf(readFaults(t, f, run)); got != want || f.Format != "alibaba2017" {
			t.Errorf("%s: %s has\n%swant\n%s", query, f.Format, got, want)
		}
		if other, twice := hashes[f.Hash]; twice {
			t.Errorf("%q and %q have the same hash", query, other)
		}
		hashes[f.Hash] = query
	}
	for query, want := range map[string]string{
		"?repair=0s":          `repair is "0s"; give a duration above 0, such as 30m`,
		"?errors=x":           `errors is "x"; give one of all, agent_check, daemon_check, disk_full, machine_fail, nc_diskless`,
		"?from=x":             `from is "x"; give a duration such as 5h`,
		"?kind=x":             `kind is "x"; give one of crash, hang, partition`,
		"?errors=nc_diskless": "no soft errors; give a table with some, or ask for others with errors and from",
	} {
		if _, err := (Opener{}).OpenFaults(file + query); err == nil || err.Error() != file+query+": "+want && err.Error() != file+": "+want {
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
}

// TestAlibaba2017Notes has an error whose repair was over when the run begins, and one that
// befalls a machine before.
func TestAlibaba2017Notes(t *testing.T) {
	struck := func(query string) (list []Note) {
		tr := open(t, small2017+query)
		for s := tr.Noted(1); ; {
			i, err := nextItem(s)
			if err != nil {
				return list
			}
			if i.note != nil && i.note.What == wire.Struck {
				list = append(list, *i.note)
			}
		}
	}
	if list := struck(""); len(list) != 0 {
		t.Errorf("an hour after 1351 s, %+v", list)
	}
	list := struck("?repair=2h")
	if len(list) != 1 || list[0].At != 0 || list[0].Fault.Until != (1351+7200-6457)*cluster.Second ||
		list[0].Fault.Kind != "partition" || list[0].Fault.Nodes[0] != "machine-1" {
		t.Errorf("%+v", list)
	}
	if open(t, small2017).Hash == open(t, small2017+"?repair=2h").Hash {
		t.Error("repairs aren't in the hash")
	}
}

// checkSoftErrors checks that outages of a machine are apart, and in order.
func checkSoftErrors(t *testing.T, r *alibabaBatch) {
	t.Helper()
	m := r.errors.of(r.nodes)
	for i, outages := range m.outages {
		last := cluster.Time(-1)
		for _, o := range outages {
			if o.at <= last || o.until <= o.at {
				t.Errorf("%s: %+v", m.names[i], outages)
			}
			last = o.until
		}
	}
}

// TestVerifyAlibaba2017Faults counts the soft errors that the README has, on one machine less
// than it says.
func TestVerifyAlibaba2017Faults(t *testing.T) {
	needRecording(t, "alibaba-2017")
	f := openFaults(t, "alibaba2017:alibaba-2017?repair=1s")
	var nodes []faults.Node
	for _, n := range open(t, "alibaba-2017").events(1).(*workload).nodes {
		nodes = append(nodes, faults.NodeOf(n))
	}
	list := readFaults(t, f, faults.Run{Nodes: nodes, Horizon: day})
	hit := map[string]bool{}
	for _, l := range list {
		hit[l.Nodes[0]] = true
	}
	if len(list) != 39 || len(hit) != 7 || list[0].At != 777*cluster.Second || list[38].At != 82_706*cluster.Second {
		t.Errorf("%d soft errors of %d machines, from %v", len(list), len(hit), list[0].At)
	}
}
