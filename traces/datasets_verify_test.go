//go:build verify

package traces

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A dataset is a recording, and how many rows its README says that there are.
type dataset struct {
	spec string
	rows int
}

// datasets are those that are read whole.
var datasets = []dataset{
	{"openb:alibaba-openb-gpu-v2023?pods=default&mode=time", 9365},
	{"philly:philly-2017", 82_248},
	{"swf:swf-pwa/NASA-iPSC-1993-3.1-cln.swf.gz", 18_239},
	{"swf:swf-pwa/LCG.swf.gz?cpus=64", 188_041},
	{"swf:swf-pwa/MetaCentrum-wagap-2013.swf.gz", 17_900},
	{"azure:azure-vm-v1-arrivals?part=dev", 1000},
	{"azure:azure-vm-v1-arrivals?part=test", 1638},
	{"alibaba2018:alibaba-2018", 17_592 + 11_354},
	{"alibaba2017:alibaba-2017", 1352 + 80_553},
	{"google2011:google-2011-v2", 37_780 + 450_146},
	{"google2011:google-2011-v2?labels=job&owners=program", 37_780 + 450_146 + 24_579 + 24_580 + 12_797 + 7_460 + 305},
	{"dlrm:alibaba-gpu-v2025-dlrm", 23_871},
	{"pai:alibaba-pai-gpu-v2020", 1897},
	{"spot:alibaba-spot-gpu-v2026", 4278},
	{"helios:helios-2020", 15},
	{"helios:helios-2020/Earth_gpu_number.csv", 181},
	{"genai:alibaba-genai-v2026", 533_720},
	{"podmemory:k8s-pod-memory-2022", 500},
	{"bytedance:bytedance-microservice-2022", 643},
	{"opendc:opendc/surf_week_tasks.parquet?topology=surf_topology.json", 6295},
	{"opendc:opendc/bitbrains_small_tasks.parquet?unit=KiB&nodes=50&cpus=32&memory=128", 50},
	{"simkube:simkube/dsb-scaling.sktrace", 46},
	{"simkube:simkube/bare-pods.sktrace", 4},
	{"simkube:simkube/cronjob.sktrace", 2},
	{"simkube:simkube/trace.json", 2},
}

// TestVerifyDatasets reads each dataset whole, holds the numbers of rows against what the
// READMEs say and the table in docs/traces.md against what came of it, and writes each in
// Berth's own format: what is read from there is equal, event for event, and what is written
// of it once more is the same file. -update rewrites the table.
func TestVerifyDatasets(t *testing.T) {
	root := os.Getenv("BERTH_TRACES")
	var table bytes.Buffer
	fmt.Fprintln(&table, "| TRACE | rows read | rejected | nodes | pods | offered load | events | notes | bytes each, as Berth has them |")
	fmt.Fprintln(&table, "| :--- | ---: | :--- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, d := range datasets {
		_, place, _ := strings.Cut(d.spec, ":")
		place, _, _ = strings.Cut(place, "?")
		needRecording(t, place)
		tr, err := Opener{Root: root}.Open(d.spec)
		if err != nil {
			t.Fatal(err)
		}
		if tr.Rows != d.rows {
			t.Errorf("%s: %d rows were read, and its README has %d", d.spec, tr.Rows, d.rows)
		}
		own := filepath.Join(t.TempDir(), "trace.berth")
		events, notes := writeOwn(t, own, tr)
		sameTrace(t, own, tr)
		info, err := os.Stat(own)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "| `%s` | %d | %s | %d | %d | %.2f %% | %d | %d | %.2f |\n",
			d.spec, tr.Rows, rejectedText(tr), tr.Nodes, tr.Pods, 100*tr.OfferedLoad, events, notes, float64(info.Size())/float64(events+notes))
		t.Logf("%s: %d rows, %d events and %d notes, equal after a round trip", d.spec, tr.Rows, events, notes)
	}
	table.WriteString(accounted(t, root))
	keepDatasets(t, table.String())
}

func rejectedText(tr *Trace) string {
	var parts []string
	for _, r := range tr.Rejected {
		parts = append(parts, fmt.Sprintf("%d: %s", r.Rows, strings.ReplaceAll(r.Reason, "|", `\|`)))
	}
	if parts == nil {
		return "0"
	}
	return strings.Join(parts, "<br>")
}

// writeOwn writes a trace in Berth's own format, and returns how many events and notes it has.
func writeOwn(t *testing.T, path string, tr *Trace) (events, notes int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wire.Create(f, wire.Meta{Kind: wire.Dataset, SourceHash: tr.Hash}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for s := tr.Noted(42); ; {
		i, err := nextItem(s)
		switch {
		case errors.Is(err, io.EOF):
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return events, notes
		case err == nil && i.note != nil:
			notes++
			err = i.note.Write(w)
		case err == nil:
			events++
			err = w.Event(&i.event)
		}
		if err != nil {
			t.Fatalf("%s: after %d events and %d notes: %v", tr.Name, events, notes, err)
		}
	}
}

// sameTrace wants a file in Berth's own format to have a trace's events and notes, and to be
// written again as it is.
func sameTrace(t *testing.T, path string, tr *Trace) {
	t.Helper()
	own, err := Opener{}.Open("berth:" + path)
	if err != nil {
		t.Fatal(err)
	}
	same := equality{}
	for n, a, b := 0, tr.Noted(42), own.Noted(42); ; n++ {
		x, errX := nextItem(a)
		y, errY := nextItem(b)
		if errors.Is(errX, io.EOF) && errors.Is(errY, io.EOF) {
			break
		}
		if errX != nil || errY != nil || !reflect.DeepEqual(x.note, y.note) || x.note == nil && !same.events(&x.event, &y.event) {
			t.Fatalf("%s: entry %d is %+v, %v; and in Berth's own format it is %+v, %v", tr.Name, n, x, errX, y, errY)
		}
	}
	if x, y := slices.Sorted(slices.Values(tr.Waits)), slices.Sorted(slices.Values(own.Waits)); !slices.Equal(x, y) {
		t.Errorf("%s: %d jobs waited, and in Berth's own format it is %d, or they waited otherwise", tr.Name, len(x), len(y))
	}
	again := path + ".again"
	own.Hash = tr.Hash // what the file says that it was made of
	writeOwn(t, again, own)
	one, err1 := os.ReadFile(path)
	two, err2 := os.ReadFile(again)
	if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
		t.Errorf("%s: written again in Berth's own format, the file is another: %v, %v", tr.Name, err1, err2)
	}
}

// equality compares events, each pair of classes once. Pods and nodes that come have numbers
// in a file, and none yet before.
type equality map[[2]*cluster.Class]bool

func (q equality) events(a, b *cluster.Event) bool {
	x, y := *a, *b
	switch x.Kind {
	case cluster.NodeAdded, cluster.PodAdded, cluster.ObjectSet, cluster.ObjectRemoved:
		x.Pod, x.Node, y.Pod, y.Node = 0, 0, 0, 0
	}
	if x.PodSpec == nil || y.PodSpec == nil {
		return reflect.DeepEqual(&x, &y)
	}
	p, r := *a.PodSpec, *b.PodSpec
	pair := [2]*cluster.Class{p.Class, r.Class}
	equal, known := q[pair]
	if !known {
		equal = reflect.DeepEqual(p.Class, r.Class)
		if len(q) < 1<<16 {
			q[pair] = equal
		}
	}
	p.Class, r.Class, x.PodSpec, y.PodSpec = nil, nil, nil, nil
	return equal && reflect.DeepEqual(&p, &r) && reflect.DeepEqual(&x, &y)
}

var update = flag.Bool("update", false, "rewrite what docs/traces.md shows")

const datasetsDocument = "../docs/traces.md"

func keepDatasets(t *testing.T, table string) {
	t.Helper()
	document, err := os.ReadFile(datasetsDocument)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- datasets:begin -->\n", "<!-- datasets:end -->"
	before, rest, ok1 := strings.Cut(string(document), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the marks %s and %s", datasetsDocument, begin, end)
	}
	want := before + begin + table + end + after
	switch {
	case want == string(document):
	case !*update:
		t.Errorf("the table of %s is out of date: go test -tags verify -run TestVerifyDatasets ./traces -update", datasetsDocument)
	default:
		if err := os.WriteFile(datasetsDocument, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
