package traces

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// checkFuzzError checks that what is wrong with a list is said in one line.
func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	var wrong *Error
	if !errors.As(err, &wrong) || wrong.File != "f" || wrong.Problem == "" || wrong.Remedy == "" {
		t.Errorf("%#v is not an *Error that says all", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 600 {
		t.Errorf("%q is no line to read", err)
	}
}

func FuzzOpenbNodes(f *testing.F) {
	for _, bad := range badNodes {
		f.Add([]byte(bad.content))
	}
	f.Add(readTestdata(f, "openb_node_list_gpu_node.csv"))
	f.Fuzz(func(t *testing.T, content []byte) {
		nodes, err := readOpenbNodes("f", content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		names := map[string]bool{}
		for _, n := range nodes {
			if n.Name == "" || names[n.Name] || strings.ContainsAny(n.Name, " /\n") {
				t.Errorf("node %q", n.Name)
			}
			names[n.Name] = true
			if n.GPUs < 0 || n.GPUs > cluster.MaxGPUs {
				t.Errorf("%d GPUs", n.GPUs)
			}
			for r, amount := range n.Capacity {
				if amount < 0 {
					t.Errorf("%d of resource %d", amount, r)
				}
			}
		}
		s := cluster.NewState()
		for _, n := range nodes {
			s.Observe(0, []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: n}}) // panics at what it must not get
		}
	})
}

func FuzzOpenbPods(f *testing.F) {
	for _, bad := range slices.Concat(badPods, badTimes) {
		f.Add([]byte(bad.content), true)
		f.Add([]byte(bad.content), false)
	}
	f.Add(readTestdata(f, "openb_pod_list_default.csv"), true)
	f.Add(readTestdata(f, "openb_pod_list_multigpu50.csv"), false)
	f.Fuzz(func(t *testing.T, content []byte, timed bool) {
		pods, err := readOpenbPods("f", content, timed)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		classes := map[string]*cluster.Class{}
		for i := range pods {
			p := &pods[i]
			checkFuzzClass(t, p.spec.Class)
			text := classText(p.spec.Class)
			if c, ok := classes[text]; ok && c != p.spec.Class {
				t.Errorf("two classes are %s", text)
			}
			classes[text] = p.spec.Class
			if p.created < 0 || p.ran < -1 || p.spec.Run < 0 || (p.spec.Run == cluster.Never) != (!timed || p.ran < 0) {
				t.Errorf("pod %+v", p)
			}
		}
		playFuzzed(t, pods, timed)
	})
}

func checkFuzzClass(t *testing.T, c *cluster.Class) {
	t.Helper()
	g := c.GPUs
	switch {
	case g.Count < 0, g.Count > cluster.MaxGPUs, g.Shares < 0, g.Shares > cluster.WholeGPU:
		t.Errorf("out of range: %+v", g)
	case (g.Count == 0) != (g.Shares == 0), g.Count > 1 && g.Shares < cluster.WholeGPU, g.Count == 0 && len(g.Models) > 0:
		t.Errorf("in contradiction with itself: %+v", g)
	case !slices.IsSorted(g.Models), slices.Contains(g.Models, ""):
		t.Errorf("models: %q", g.Models)
	case c.Requests.Get(cluster.CPU) < 0, c.Requests.Get(cluster.Memory) < 0:
		t.Errorf("requests: %v", c.Requests)
	}
}

// playFuzzed plays pods on a small cluster, if that is possible. read checks the
// events.
func playFuzzed(t *testing.T, pods []openbPod, timed bool) {
	t.Helper()
	nodes, err := readOpenbNodes("f", []byte(goodNodes))
	if err != nil {
		t.Fatal(err)
	}
	rec := &openbRecording{nodes: nodes, pods: pods}
	if err := rec.sum("f", gpusOf(nodes)); err != nil {
		t.Fatal(err)
	}
	for _, s := range []Settings{{}, {"load": "0.7"}} {
		tr := &Trace{}
		if timed {
			_, err = tr.timeOpenb(rec, "f", s)
		} else {
			_, err = tr.fillOpenb(rec, s)
		}
		if err != nil {
			continue
		}
		if p := read(t, tr.Events(5)); timed && len(p.pods) != len(pods) {
			t.Errorf("%d of %d pods came", len(p.pods), len(pods))
		}
	}
}

func readTestdata(f *testing.F, name string) []byte {
	content, err := os.ReadFile("testdata/openb/" + name)
	if err != nil {
		f.Fatal(err)
	}
	return content
}

// FuzzOpen has TRACEs that a user might write.
func FuzzOpen(f *testing.F) {
	for _, spec := range []string{"", ":", "?", "openb:?", "synthetic:gpu?nodes=3&mode=time", "a:b?c=d&&e", smallOpenb + "?mode=time&load=0.5", smallPhilly + "?for=1m", metaSWF} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		tr, err := Opener{Root: "testdata"}.Open(spec)
		if err == nil && (tr.Name != spec || tr.Nodes == 0 || len(tr.Hash) != 64) {
			t.Errorf("%q gives %+v", spec, tr)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q gives %q", spec, err)
		}
	})
}
