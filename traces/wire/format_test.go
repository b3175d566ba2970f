package wire

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// tinyFile is the file that docs/trace-format.md shows byte by byte.
func tinyFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Create(&b, Meta{Kind: Run}, Options{Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	ns := &cluster.Namespace{Name: "a"}
	records := []Record{
		{What: Round, Time: 0, Batch: Batch{Events: 1}},
		{What: Workload, Event: cluster.Event{Kind: cluster.ObjectSet, Object: ns}},
		{What: Round, Time: 5, Batch: Batch{Events: 1, Decisions: 1}},
		{What: Workload, Event: cluster.Event{Time: 5, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "a"}, Run: 300}}},
		{What: Decided, Time: 5, Decision: cluster.Decision{Kind: cluster.Nominate, Node: cluster.None}},
	}
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A dumper writes bytes with what they mean. It reads the file as the document says, and
// shares no code with the Reader.
type dumper struct {
	file []byte
	at   int
	text strings.Builder
}

// take writes the next n bytes, 8 to a line.
func (d *dumper) take(n int, note string, args ...any) []byte {
	b := d.file[d.at : d.at+n]
	for i := 0; i < n; i += 8 {
		fmt.Fprintf(&d.text, "%04x  % -23x  %s", d.at+i, b[i:min(i+8, n)], fmt.Sprintf(note, args...))
		note, args = "", nil
		trim := strings.TrimRight(d.text.String(), " ")
		d.text.Reset()
		d.text.WriteString(trim + "\n")
	}
	d.at += n
	return b
}

// json writes the next n bytes as the text that they are.
func (d *dumper) json(n int, note string) {
	text := string(d.file[d.at : d.at+n])
	fmt.Fprintf(&d.text, "%04x  %d bytes of JSON: %s\n", d.at, n, note)
	for len(text) > 0 {
		k := min(len(text), 86)
		fmt.Fprintf(&d.text, "      %s\n", text[:k])
		text = text[k:]
	}
	d.at += n
}

// header writes a block's header, and returns the sizes of its frames.
func (d *dumper) header(what string) (sizes [3]int) {
	fmt.Fprintf(&d.text, "\n%s\n", what)
	u32 := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
	d.take(4, "marker")
	d.take(1, "kind of block")
	d.take(1, "no frame is compressed")
	d.take(2, "reserved")
	d.take(8, "number of the block")
	d.take(8, "first position, ns")
	d.take(8, "last position, ns")
	n := u32(d.take(4, "records of the workload"))
	_ = n
	d.take(4, "records of outcomes")
	d.take(4, "definitions")
	d.take(4, "reserved")
	for _, frame := range []string{"definitions", "workload", "outcomes"} {
		d.take(4, "bytes of %s", frame)
	}
	for i, frame := range []string{"definitions", "workload", "outcomes"} {
		sizes[i] = int(u32(d.take(4, "bytes of %s in the file", frame)))
	}
	for _, frame := range []string{"definitions", "workload", "outcomes"} {
		d.take(4, "CRC of %s", frame)
	}
	d.take(8, "pods from outside, before")
	d.take(8, "pods that were outcomes, before")
	d.take(8, "nodes, before")
	d.take(16, "reserved")
	d.take(4, "CRC of the header")
	return sizes
}

// dump explains the tiny file.
func dump(t *testing.T, file []byte) string {
	t.Helper()
	d := &dumper{file: file}
	d.take(8, "magic")
	d.take(4, "version 1")
	d.take(4, "a block has 65536 records at most")
	d.take(4, "CRC of what is above")
	sizes := d.header("Block 0: what the file is")
	d.json(sizes[0], "metadata")
	d.header("Block 1: records")
	for _, what := range []string{"the namespace", "the class"} {
		d.take(1, "kind of definition: %s", what)
		size, n := binary.Uvarint(file[d.at:])
		d.take(n, "its length")
		d.json(int(size), what)
	}
	d.text.WriteString("\nThe frame of the workload\n")
	d.take(1, "bytes of strings")
	d.take(1, "the strings")
	d.take(1, "ObjectSet (7)")
	d.take(1, "0 ns after the first position")
	d.take(1, "object 0, and 1")
	d.take(1, "PodAdded (10): this is pod 0")
	d.take(1, "5 ns after the record before, zigzag")
	d.take(1, "length of its name: \"p\"")
	d.take(1, "class 0, and 1")
	d.take(1, "no labels")
	d.take(1, "no account")
	d.take(1, "no other part but Run")
	d.take(2, "runs 300 ns, zigzag")
	d.text.WriteString("\nThe frame of outcomes\n")
	d.take(1, "bytes of strings")
	d.take(2, "Batch (32), 0 ns after the first position")
	d.take(2, "of 1 event and no decision")
	d.take(2, "Take (37): 1 record of the workload comes here")
	d.take(2, "Batch, 5 ns later, zigzag")
	d.take(2, "of 1 event and 1 decision")
	d.take(2, "Take: 1 record of the workload comes here")
	d.take(2, "Nominate (68), 0 ns later")
	d.take(1, "pod: 0 more than the last one, and 1")
	d.take(1, "no node")
	d.take(1, "no GPUs")
	d.take(1, "nothing beside")
	sizes = d.header("Block 2: the trailer")
	d.json(sizes[0], "totals and index")
	d.text.WriteString("\nThe last bytes\n")
	d.take(8, "where the trailer begins")
	d.take(8, "mark: BERTHEND")
	if d.at != len(file) {
		t.Fatalf("the dump ends at byte %d of %d", d.at, len(file))
	}
	return d.text.String()
}

var rewrite = flag.Bool("rewrite", false, "write the dump of the tiny file into docs/trace-format.md")

// TestDocument holds the dump in the document to what is written.
func TestDocument(t *testing.T) {
	const path, begin, end = "../../docs/trace-format.md", "<!-- dump -->\n```text\n", "```\n<!-- end of dump -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the dump", path)
	}
	is := dump(t, tinyFile(t))
	if *rewrite {
		if err := os.WriteFile(path, []byte(before+begin+is+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != is {
		t.Errorf("the dump in %s isn't that of the file any more; run go test ./traces/wire -run TestDocument -rewrite\n%s", path, is)
	}
}
