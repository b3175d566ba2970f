package wire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// A boundary is where a block ends, and how many records there are up to there.
type boundary struct {
	at      int
	records int
}

// boundaries returns the ends of a file's blocks of records.
func boundaries(t *testing.T, file []byte) (list []boundary) {
	t.Helper()
	at := fileHeader
	for {
		h, problem := parseHeader(file[at:])
		if problem != "" {
			t.Fatal(problem)
		}
		if h.kind == trailerBlock {
			return list
		}
		at += headerSize + int(h.stored[0]+h.stored[1]+h.stored[2])
		got, _, err := read(t, bytes.NewReader(file[:at]), ReadOptions{Torn: true})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, boundary{at, len(got)})
	}
}

// TestTorn kills a writer at random places. Each time, all up to the last whole block can be
// read, and how many records are missing is not more than what the reader says.
func TestTorn(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	tale := newTale(rng, 500)
	file := write(t, rng, Options{Records: 16}, tale.records)
	ends := boundaries(t, file)
	if len(ends) < 40 {
		t.Fatalf("only %d blocks", len(ends))
	}
	for i := range 1000 {
		cut := rng.IntN(len(file))
		if i < len(ends) { // between blocks, too
			cut = ends[i].at
		}
		if cut < ends[0].at {
			if _, _, err := read(t, bytes.NewReader(file[:cut]), ReadOptions{Torn: true}); !errors.As(err, new(*Error)) {
				t.Fatalf("cut at byte %d, before there is anything in it: %v", cut, err)
			}
			continue
		}
		last, next := ends[0], ends[len(ends)-1].records
		for j, b := range ends {
			if b.at <= cut {
				last = b
				if j+1 < len(ends) {
					next = ends[j+1].records
				}
			}
		}
		got, r, err := read(t, bytes.NewReader(file[:cut]), ReadOptions{Torn: true})
		if err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		same(t, got, tale.records[:last.records])
		torn := r.Torn()
		if torn == nil || torn.Byte != int64(last.at) || torn.Lost < int64(next-last.records) || torn.Lost > 16 {
			t.Fatalf("cut at byte %d of a block from byte %d with %d records, what is torn is %+v", cut, last.at, next-last.records, torn)
		}
		if i%4 > 0 {
			continue
		}
		var wrong *Error
		if got, _, err = read(t, bytes.NewReader(file[:cut]), ReadOptions{}); !errors.As(err, &wrong) || wrong.Torn == nil || *wrong.Torn != *torn || len(got) != last.records {
			t.Fatalf("cut at byte %d, who doesn't expect it gets %v after %d records", cut, err, len(got))
		}
		if _, _, err := read(t, bytes.NewReader(file[:cut]), ReadOptions{Workload: true, Torn: true}); err != nil {
			t.Fatalf("cut at byte %d, reading the workload: %v", cut, err)
		}
	}
}

// limited is a writer that dies after so many bytes.
type limited struct {
	bytes.Buffer
	left int
}

var errDead = errors.New("dead")

func (l *limited) Write(p []byte) (int, error) {
	n := min(l.left, len(p))
	l.Buffer.Write(p[:n])
	l.left -= n
	if n < len(p) {
		return n, errDead
	}
	return n, nil
}

// TestDeadWriter checks that a writer whose file can't be written any more says so from then
// on.
func TestDeadWriter(t *testing.T) {
	tale := newTale(rand.New(rand.NewPCG(6, 6)), 1000)
	to := &limited{left: 5000}
	w, err := Create(to, Meta{}, Options{Records: 20})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range tale.records {
		if err = w.Write(&tale.records[i]); errors.Is(err, errDead) {
			failed++
		} else if failed > 0 {
			t.Fatalf("record %d could be written after the writer had died: %v", i, err)
		}
	}
	if failed == 0 || !errors.Is(w.Close(), errDead) {
		t.Fatal("the writer has not noticed")
	}
	if got, _, err := read(t, to, ReadOptions{Torn: true}); err != nil || len(got) == 0 || len(got) > 1000-failed {
		t.Fatalf("%d records of %d can be read, %v", len(got), 1000-failed, err)
	}
}

// TestDamaged changes a bit of a file at a time: a reader always notices.
func TestDamaged(t *testing.T) {
	tale := newTale(rand.New(rand.NewPCG(7, 7)), 60)
	file := write(t, nil, Options{}, tale.records)
	for at := 0; at < len(file); at += 1 + at/2000 {
		damaged := bytes.Clone(file)
		damaged[at] ^= 1 << (at % 8)
		_, _, err := read(t, bytes.NewReader(damaged), ReadOptions{Name: "f"})
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Fatalf("with byte %d changed, the reader says %v", at, err)
		}
		if wrong.Input.Remedy == "" || wrong.Input.File != "f" || wrong.Byte > int64(at) {
			t.Fatalf("with byte %d changed, the error is %+v", at, wrong)
		}
	}
	if _, _, err := read(t, bytes.NewReader(append(file, 0)), ReadOptions{}); err == nil {
		t.Fatal("something follows the trailer, and the reader doesn't notice")
	}
	if _, _, err := read(t, &failing{file: bytes.NewReader(file[:300])}, ReadOptions{}); !errors.Is(err, errDead) {
		t.Fatalf("a disk that fails is reported as %v", err)
	}
}

type failing struct{ file io.Reader }

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	if err != nil {
		return n, errDead
	}
	return n, nil
}
