package traces

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const smallOpenb = "openb:testdata/openb"

// open opens a trace that must be good.
func open(t testing.TB, spec string) *Trace {
	t.Helper()
	tr, err := Opener{Root: os.Getenv("BERTH_TRACES")}.Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// A play is what a stream yielded.
type play struct {
	nodes []*cluster.NodeSpec
	pods  []arrival
}

// read reads a stream to its end, and checks what holds for all of them.
func read(t testing.TB, s Stream) play {
	t.Helper()
	var p play
	last, names := cluster.Time(0), map[string]bool{}
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			if _, err := s.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after io.EOF, Next returned %v", err)
			}
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Time < last {
			t.Fatalf("an event of %d comes after one of %d", e.Time, last)
		}
		last = e.Time
		switch {
		case e.Kind == cluster.NodeAdded && e.Time == 0 && len(p.pods) == 0:
			p.nodes = append(p.nodes, e.NodeSpec)
		case e.Kind == cluster.PodAdded && e.PodSpec.Run >= 0 && !names[e.PodSpec.Name]:
			names[e.PodSpec.Name] = true
			p.pods = append(p.pods, arrival{e.Time, e.PodSpec})
		default:
			t.Fatalf("unexpected event %+v", e)
		}
	}
}

// String writes a play a line an event.
func (p play) String() string {
	var b strings.Builder
	for _, n := range p.nodes {
		fmt.Fprintf(&b, "%s %v %d %q\n", n.Name, n.Capacity, n.GPUs, n.GPUModel)
	}
	for _, a := range p.pods {
		fmt.Fprintf(&b, "%d %s %d %s\n", a.at, a.pod.Name, a.pod.Run, classText(a.pod.Class))
	}
	return b.String()
}

func classText(c *cluster.Class) string {
	return fmt.Sprintf("%s %d %v %+v", c.Namespace, c.Priority, c.Requests, c.GPUs)
}

func (p play) podNames() (names []string) {
	for _, a := range p.pods {
		names = append(names, a.pod.Name)
	}
	return names
}

// asked is what all pods ask for of GPUs, in shares.
func (p play) asked() (shares int64) {
	for _, a := range p.pods {
		shares += a.pod.Class.GPUs.Total()
	}
	return shares
}

func TestOpenbNodes(t *testing.T) {
	content, err := os.ReadFile("testdata/openb/openb_node_list_gpu_node.csv")
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := readOpenbNodes("f", content)
	if err != nil {
		t.Fatal(err)
	}
	got := play{nodes: nodes}.String()
	const want = `node-c [96000 412316860416 0 1001] 4 "G2"
node-a [64000 274877906944 0 1001] 2 "P100"
node-d [32000 137438953472 0 1001] 0 ""
node-b [8000 34359738368 0 1001] 1 "T4"
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOpenbTrace(t *testing.T) {
	tr := open(t, smallOpenb)
	if tr.Name != smallOpenb || tr.Format != "openb" || tr.Nodes != 4 || tr.GPUs != 7 || tr.Pods != 8 {
		t.Errorf("got %+v", tr)
	}
	if tr.OfferedLoad != 1.3 || !tr.Seeded || tr.Timed {
		t.Errorf("got %+v", tr)
	}
	var mix []string
	for _, m := range tr.Mix {
		mix = append(mix, fmt.Sprintf("%d %s", m.Pods, classText(m.Class)))
	}
	want := []string{
		"1 default 0 [12000 17179869184] {Count:1 Shares:1000 Models:[]}",
		"3 default 0 [6000 12884901888] {Count:1 Shares:460 Models:[]}",
		"1 default 0 [8000 31999393792] {Count:0 Shares:0 Models:[]}",
		"1 default 0 [16000 68719476736] {Count:2 Shares:1000 Models:[G2 T4]}",
		"1 default 0 [32000 137438953472] {Count:4 Shares:1000 Models:[G2 P100]}",
		"1 default 0 [4000 8589934592] {Count:1 Shares:250 Models:[]}",
	}
	if !slices.Equal(mix, want) {
		t.Errorf("got the mix\n%s\nwant\n%s", strings.Join(mix, "\n"), strings.Join(want, "\n"))
	}
}

func TestOpenbSharesClasses(t *testing.T) {
	p := read(t, open(t, smallOpenb).Events(1))
	classes := map[string]*cluster.Class{}
	for _, a := range p.pods {
		text := classText(a.pod.Class)
		if c, ok := classes[text]; ok && c != a.pod.Class {
			t.Errorf("pods that ask for %s have different classes", text)
		}
		classes[text] = a.pod.Class
	}
}

// TestOpenbStorage checks that it doesn't matter how files are compressed, and
// that it matters what they say and how they are played.
func TestOpenbStorage(t *testing.T) {
	dir := t.TempDir()
	copyOpenb(t, dir, gzipped)
	plain, packed := open(t, smallOpenb), open(t, "openb:"+dir)
	if plain.Hash != packed.Hash {
		t.Errorf("hashes differ: plain %s, compressed %s", plain.Hash, packed.Hash)
	}
	if a, b := read(t, plain.Events(7)).String(), read(t, packed.Events(7)).String(); a != b {
		t.Errorf("plain gives\n%s\ncompressed gives\n%s", a, b)
	}
	hashes := map[string]string{}
	for _, query := range []string{
		"", "?pods=multigpu50", "?load=1.2", "?mode=time", "?mode=time&load=1.3",
	} {
		hash := open(t, smallOpenb+query).Hash
		if other, ok := hashes[hash]; ok {
			t.Errorf("%q and %q have the same hash", query, other)
		}
		hashes[hash] = query
	}
	for _, query := range []string{"?load=1.30&mode=fill", "?pods=default&nodes=gpu_node"} {
		if hashes[open(t, smallOpenb+query).Hash] != "" {
			t.Errorf("%q has another hash than no options", query)
		}
	}
}

func TestOpenbPrefersPlain(t *testing.T) {
	dir := t.TempDir()
	copyOpenb(t, dir, slices.Clone[[]byte])
	for _, name := range []string{"openb_node_list_gpu_node.csv.gz", "openb_pod_list_default.csv.gz", "openb_pod_list_.csv", "openb_pod_list_notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("never read"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, "openb:"+dir)
}

// copyOpenb writes the small trace to dir, its content as stored makes it.
func copyOpenb(t testing.TB, dir string, stored func([]byte) []byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/openb/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(file))
		packed := stored(content)
		if !bytes.Equal(packed, content) {
			to += ".gz"
		}
		if err := os.WriteFile(to, packed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func gzipped(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content)
	z.Close()
	return b.Bytes()
}
