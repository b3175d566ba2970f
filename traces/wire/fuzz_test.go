package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// mend makes all checksums right again, and the last bytes, as far as there are blocks.
func mend(file []byte) []byte {
	if len(file) < fileHeader {
		return file
	}
	binary.LittleEndian.PutUint32(file[16:], crc32.Checksum(file[:16], castagnoli))
	at, last := fileHeader, 0
	for len(file)-at >= headerSize && string(file[at:at+4]) == blockMark {
		h := file[at : at+headerSize]
		last = at
		at += headerSize
		for i := range frames {
			size := int64(binary.LittleEndian.Uint32(h[60+4*i:]))
			if size > int64(len(file)-at) {
				break
			}
			binary.LittleEndian.PutUint32(h[72+4*i:], crc32.Checksum(file[at:at+int(size)], castagnoli))
			at += int(size)
		}
		binary.LittleEndian.PutUint32(h[headerSize-4:], crc32.Checksum(h[:headerSize-4], castagnoli))
	}
	if len(file) == at+fileFooter || len(file) == at && last > 0 {
		return appendFileFooter(file[:at], int64(last))
	}
	return file
}

// exhaust reads a file in all ways. It must end, and in an error only of those that say what to
// do.
func exhaust(t *testing.T, file []byte, o ReadOptions) (records []Record, whole bool) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file), o)
	if err == nil {
		records, err = rest(r)
	}
	var wrong *Error
	if err != nil && (!errors.As(err, &wrong) || wrong.Input.Remedy == "") {
		t.Fatalf("%v", err)
	}
	if r != nil {
		if seekErr := r.Seek(cluster.Time(len(file))); seekErr == nil {
			_, seekErr = rest(r)
			if seekErr != nil && !errors.As(seekErr, &wrong) {
				t.Fatalf("after seeking: %v", seekErr)
			}
		}
	}
	return records, err == nil && r.Torn() == nil
}

// FuzzReader reads files that were changed, with checksums that are right all the same. What
// can be read can be written, and read again.
func FuzzReader(f *testing.F) {
	for seed := range uint64(4) {
		tale := newTale(rand.New(rand.NewPCG(seed, 20)), 10+int(seed)*20)
		f.Add(write(f, nil, Options{Records: 16, Plain: true}, tale.records))
		f.Add(write(f, nil, Options{Records: 16}, tale.records))
	}
	f.Add([]byte(magic))
	f.Add(tinyFile(f))
	f.Fuzz(func(t *testing.T, file []byte) {
		exhaust(t, bytes.Clone(file), ReadOptions{Torn: true})
		file = mend(bytes.Clone(file))
		exhaust(t, file, ReadOptions{Workload: true, Torn: true})
		records, _ := exhaust(t, file, ReadOptions{Torn: true})
		var b bytes.Buffer
		w, err := Create(&b, Meta{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			if err := w.Write(&records[i]); err != nil {
				t.Fatalf("record %d, %+v, can be read and not be written: %v", i, records[i], err)
			}
		}
		if w.round != (Batch{}) {
			return
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, whole := exhaust(t, b.Bytes(), ReadOptions{})
		if !whole {
			t.Fatal("what was written again can't be read")
		}
		same(t, again, records)
	})
}

// FuzzJSONLines reads lines that were changed. What can be read gives a file that can be.
func FuzzJSONLines(f *testing.F) {
	for seed := range uint64(4) {
		tale := newTale(rand.New(rand.NewPCG(seed, 21)), 5+int(seed)*10)
		f.Add(string(lines(f, write(f, nil, Options{}, tale.records), ReadOptions{})))
	}
	f.Add(string(lines(f, tinyFile(f), ReadOptions{})))
	f.Fuzz(func(t *testing.T, text string) {
		var b bytes.Buffer
		err := ReadJSONLines(&b, "f", strings.NewReader(text))
		var wrong *Error
		if err != nil && !errors.As(err, &wrong) {
			t.Fatalf("%v", err)
		}
		if err != nil {
			return
		}
		first := lines(t, b.Bytes(), ReadOptions{})
		var again bytes.Buffer
		if err := ReadJSONLines(&again, "f", bytes.NewReader(first)); err != nil {
			t.Fatalf("lines of a file can't be read: %v", err)
		}
		if !bytes.Equal(again.Bytes(), b.Bytes()) {
			t.Fatal("the file made of its lines is another one")
		}
	})
}

// TestHostileSizes checks that headers which promise much don't have much allocated.
func TestHostileSizes(t *testing.T) {
	file := tinyFile(t)
	h, _ := parseHeader(file[fileHeader:])
	h.raw[0], h.stored[0] = maxFrame, maxFrame
	hostile := append(bytes.Clone(file[:fileHeader]), appendHeader(nil, &h)...)
	hostile = append(hostile, strings.Repeat("x", 100)...)
	if got := testing.AllocsPerRun(1, func() {
		if _, err := NewReader(bytes.NewReader(hostile), ReadOptions{}); err == nil {
			t.Fatal("it was read")
		}
	}); got > 1000 {
		t.Errorf("%v allocations", got)
	}
	before := allocated(t, func() { _, _ = NewReader(bytes.NewReader(hostile), ReadOptions{}) })
	if before > 8<<20 {
		t.Errorf("a file of %d bytes had %d bytes allocated", len(hostile), before)
	}
	h.raw[0] = maxFrame + 1
	if _, problem := parseHeader(appendHeader(nil, &h)); problem == "" {
		t.Error("a frame may be larger than the format allows")
	}
	if _, err := NewReader(io.LimitReader(zeros{}, 1<<20), ReadOptions{}); err == nil {
		t.Error("zeros were read")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
