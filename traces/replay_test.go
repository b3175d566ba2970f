package traces

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestReplaySpan plays parts of a recording: the first pod of each comes at time 0,
// and rows of the others are counted, jobs of several batches once.
func TestReplaySpan(t *testing.T) {
	for query, want := range map[string]string{
		"?from=20s":           "0 job-1 0 job-5 40 job-4-0 40 job-4-1 40 job-4-2; outside 1",
		"?for=20001ms":        "0 job-2 20 job-1 20 job-5; outside 1",
		"?from=0s&for=60s":    "0 job-2 20 job-1 20 job-5; outside 1",
		"?from=1s&for=1h":     "0 job-1 0 job-5 40 job-4-0 40 job-4-1 40 job-4-2; outside 1",
		"?from=0s&for=20000h": "0 job-2 20 job-1 20 job-5 60 job-4-0 60 job-4-1 60 job-4-2; outside 0",
	} {
		tr := open(t, smallPhilly+query)
		var got []string
		for _, a := range read(t, tr.Events(1)).pods {
			got = append(got, fmt.Sprint(a.at.Seconds(), " ", a.pod.Name))
		}
		outside := 0
		for _, r := range tr.Rejected {
			if r.Reason == outOfSpan {
				outside = r.Rows
			}
		}
		if text := fmt.Sprintf("%s; outside %d", strings.Join(got, " "), outside); text != want {
			t.Errorf("%s: got %s, want %s", query, text, want)
		}
	}
}

// TestReplayHash checks that options that change the workload change the hash.
func TestReplayHash(t *testing.T) {
	seen := map[string]string{}
	for _, query := range []string{"", "?from=20s", "?for=1m", "?load=1", "?load=2", "?nodes2=1", "?owners=every"} {
		hash := open(t, smallPhilly+query).Hash
		if other, twice := seen[hash]; twice || len(hash) != 64 {
			t.Errorf("%q has the hash of %q: %s", query, other, hash)
		}
		seen[hash] = query
	}
}

// TestReplayLoad scales arrivals and nothing else.
func TestReplayLoad(t *testing.T) {
	recorded := read(t, open(t, smallPhilly).Events(1))
	for _, load := range []string{"0.01", "1", "70"} {
		tr := open(t, smallPhilly+"?load="+load)
		p := read(t, tr.Events(1))
		if got := offeredLoad(p, tr.GPUs); math.Abs(got/tr.OfferedLoad-1) > 1e-6 || formatNumber(tr.OfferedLoad) != load {
			t.Errorf("load=%s: the load is %v, said to be %v", load, got, tr.OfferedLoad)
		}
		stretch := p.pods[5].at.Seconds() / recorded.pods[5].at.Seconds()
		for i, a := range p.pods {
			if want := recorded.pods[i].at.Seconds() * stretch; math.Abs(a.at.Seconds()-want) > 1e-8 || a.pod.Run != recorded.pods[i].pod.Run {
				t.Errorf("load=%s: %s comes at %v, want %v", load, a.pod.Name, a.at.Seconds(), want)
			}
		}
	}
}

func TestReplayFails(t *testing.T) {
	const file = "testdata/philly/philly.csv"
	for query, want := range map[string]string{
		"?from=1":      smallPhilly + `?from=1: from is "1"; give a duration such as 30d`,
		"?for=0s":      smallPhilly + `?for=0s: for is "0s"; give a duration above 0, such as 7d`,
		"?for=x":       smallPhilly + `?for=x: for is "x"; give a duration above 0, such as 7d`,
		"?load=0":      smallPhilly + `?load=0: load is "0"; give a share of capacity above 0 and up to 1000, such as 1.3`,
		"?load=1e-12":  smallPhilly + "?load=1e-12: load 1e-12 spreads arrivals over more than a century; give a higher load",
		"?from=2d":     file + ": nothing was submitted in the time that is played; leave from and for out, or give a recording with at least one job",
		"?for=10s":     file + ": all pods come at the same time, so there is no load; give a longer part of the recording with from and for",
		"?for=292000d": smallPhilly + `?for=292000d: for is "292000d"; give a duration above 0, such as 7d`,
	} {
		checkError(t, smallPhilly+query, want)
	}
	checkError(t, "philly:testdata/openb", "testdata/openb: no philly.csv or philly.csv.gz in the folder; give the folder that contains it, or the file")
}

// fuzzNodes returns a node that has some of everything.
func fuzzNodes() []*cluster.NodeSpec {
	return []*cluster.NodeSpec{{Name: "n", Capacity: cluster.Amounts{cluster.CPU: 4000, cluster.Memory: 1 << 30, cluster.PodSlots: 110}, GPUs: 8}}
}

// fuzzCPUs returns one without GPUs.
func fuzzCPUs() []*cluster.NodeSpec {
	nodes := fuzzNodes()
	nodes[0].GPUs = 0
	return nodes
}

// checkFuzzReplay plays what a reader made of a fuzzed file, if that is possible.
func checkFuzzReplay(t *testing.T, y *tally, r *replay) {
	t.Helper()
	rejected := 0
	for _, what := range y.rejected {
		if rejected += what.Rows; what.Rows < 1 || what.Line < 1 || what.Reason == "" {
			t.Errorf("rejected %+v", what)
		}
	}
	rows, pods := 0, int64(0)
	for i := range r.batches.count {
		b := r.batches.at(i)
		checkFuzzClass(t, r.class(b))
		if pods += b.count(); !b.more {
			rows++
		}
	}
	if y.rows < rejected || rows > y.rows {
		t.Errorf("%d rows, %d of them rejected, %d became pods", y.rows, rejected, rows)
	}
	for _, s := range []Settings{{}, {"load": "0.7"}} {
		tr, err := y.trace(&replay{nodes: r.nodes, batches: r.batches, classes: r.classes, names: r.names}, recorded{file: "f", span: span{0, cluster.Never}, settings: s})
		if err != nil || pods > 100_000 {
			continue
		}
		if p := read(t, tr.Events(5)); int64(len(p.pods)) != pods || tr.Pods != len(p.pods) {
			t.Errorf("%d of %d pods came", len(p.pods), pods)
		}
	}
}
