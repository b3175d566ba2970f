package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// endOfTiny is where the trailer of the file begins that docs/trace-format.md shows. Without
// it there is no hash to tell what was changed.
const endOfTiny = 0x367

// lies are bytes of that file, what they are changed to, and what the reader then says. Offsets
// are those of the document.
var lies = []struct {
	at   int
	is   byte
	want string
}{
	{0x08, 2, "version 2"},
	{0x0c, 7, "first bytes are damaged"},
	{0x0e, 2, "first bytes are damaged"},
	{0x18, 'D', "what it says of itself"},
	{0x94, '[', "what it says of itself"},
	{0xa2, 'b', "no block begins here"},
	{0xa6, 'X', "no known kind"},
	{0xa7, 8, "what can't be"},
	{0xa7, 1, "can't be decompressed"},
	{0xa8, 1, "reserved"},
	{0x117, 1, "reserved"},
	{0xaa, 2, "says that it is block 2"},
	{0xb2, 6, "what can't be"},
	{0xb2, 1, "leaves out"},
	{0xba, 6, "another time"},
	{0xba, 4, "leaves out"},
	{0xc2, 3, "cut off"},
	{0xc2, 1, "takes more records"},
	{0xc6, 2, "follows its last record"},
	{0xca, 1, "follows its last definition"},
	{0xca, 3, "cut off"},
	{0xd5, 2, "size that can't be"},
	{0xf6, 1, "another number"},
	{0xfe, 1, "another number"},
	{0x106, 1, "another number"},
	{0x122, 9, "unknown field"},
	{0x122, 77, "isn't known"},
	{0x123, 0x19, "can't be read"},
	{0x346, 0xf, "longer than the frame"},
	{0x346, 0, "isn't known"},
	{0x347, 0xff, "isn't UTF-8"},
	{0x348, byte(cluster.PodBound), "always an outcome"},
	{0x348, byte(cluster.NodeRemoved), "node that hasn't come"},
	{0x348, byte(cluster.PodTold), "pod that hasn't come"},
	{0x348, 31, "isn't known"},
	{0x348, byte(cluster.Bind), "isn't known"},
	{0x34a, 0, "has none"},
	{0x34a, 2, "isn't there"},
	{0x34c, 1, "go back in time"},
	{0x34d, 0, "follows its last record"},
	{0x34d, 2, "a string is longer"},
	{0x34e, 0, "no class"},
	{0x34e, 2, "isn't there"},
	{0x34f, 1, "isn't there"},
	{0x351, 0x88, "parts"},
	{0x355, byte(cluster.PodAdded), "longer than"},
	{0x357, 2, "a round lacks"},
	{0x358, 1, "a round lacks"},
	{0x35a, 0, "or none"},
	{0x35a, 3, "takes more records"},
	{0x361, byte(cluster.AddTaint), "don't"},
	{0x361, 77, "isn't known"},
	{0x361, byte(cluster.NodeAdded), "is said to be an outcome"},
	{0x361, tagGap, "isn't known"},
	{0x363, 9, "pod that hasn't come"},
	{0x364, 1, "node that hasn't come"},
	{0x366, causeDetail, "don't"},
}

// TestLies changes a byte of that file at a time, with checksums that are right, and expects
// what the reader says of it.
func TestLies(t *testing.T) {
	for _, tt := range lies {
		file := bytes.Clone(tinyFile(t)[:endOfTiny])
		file[tt.at] = tt.is
		file = mend(file)
		_, _, err := read(t, bytes.NewReader(file[:endOfTiny]), ReadOptions{Torn: true})
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("with %#x at %#x: %v; want something with %q", tt.is, tt.at, err, tt.want)
		}
	}
}

// TestRefusedLies checks that a pod which was refused is the next that comes, at that time.
func TestRefusedLies(t *testing.T) {
	refused := cluster.Event{Time: 5, Kind: cluster.PodRefused, PodSpec: &cluster.PodSpec{Class: &cluster.Class{}}, Reason: "no"}
	namespace := cluster.Event{Time: 5, Kind: cluster.ObjectSet, Object: &cluster.Namespace{}}
	file := func(events ...cluster.Event) []byte {
		var b bytes.Buffer
		w, err := Create(&b, Meta{}, Options{Plain: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			if err := w.Event(&events[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, lie := range map[string]struct {
		file    []byte
		old, is []byte
	}{
		"another time": {file(refused), []byte{0, byte(cluster.PodAdded), 0}, []byte{0, byte(cluster.PodAdded), 1}},
		"taken before": {file(namespace, refused), []byte{tagTake, 1}, []byte{tagTake, 2}},
	} {
		if bytes.Count(lie.file, lie.old) != 1 {
			t.Fatalf("%s: %x is %d times in %x", name, lie.old, bytes.Count(lie.file, lie.old), lie.file)
		}
		_, _, err := read(t, bytes.NewReader(mend(bytes.Replace(lie.file, lie.old, lie.is, 1))), ReadOptions{Torn: true})
		if !errors.As(err, new(*Error)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A namespace where the pod should be.
	whole := file(refused, namespace)
	at := bytes.Index(whole, []byte{0, byte(cluster.PodAdded), 0}) + 1
	pod, other := whole[at:at+8], []byte{byte(cluster.ObjectSet), 0, 1}
	if !bytes.HasPrefix(whole[at+len(pod):], other) {
		t.Fatalf("the workload is %x", whole[at:at+16])
	}
	copy(whole[at:], append(bytes.Clone(other), pod...))
	if _, _, err := read(t, bytes.NewReader(mend(whole)), ReadOptions{Torn: true}); !errors.As(err, new(*Error)) {
		t.Errorf("a namespace was refused: %v", err)
	}
}
