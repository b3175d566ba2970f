package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// own reads Berth's own files: what the verbs of berth trace write, recordings of
// clusters, and the workload of logs of runs. What a scheduler made of the workload is
// not read.
var own = &Format{
	Name: "berth",
	Doc:  "Berth's own format: recordings, logs of runs, what berth trace writes",
	Path: "a file",
	Options: []Option{
		{"from", "0s", "how far into the workload the run begins"},
		{"for", "", "how much of it is played; all if left out"},
		{"running", "no", "yes: pods that would run where the run begins are there, with what is left of them"},
		{"pods", "", "times as many pods: whole groups of them are drawn or come again; as recorded if left out"},
		{"by", "job", "what pods' groups are: job, user or namespace"},
		restOption,
	},
	Recognise: func(path string) bool {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		var b [4]byte
		_, err = io.ReadFull(f, b[:])
		return err == nil && string(b[:]) == ownMagic
	},
	Open: openOwn,
}

// ownMagic is how files begin: more is for package wire to check.
const ownMagic = "\xb3ERT"

// ownVersion is part of every hash. It changes when the same file and options come to
// give other events.
const ownVersion = "berth/1"

func openOwn(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	running, err := s.choice("running", []string{"no", "yes"})
	if err != nil {
		return nil, err
	}
	scale, err := s.scale()
	if err != nil {
		return nil, err
	}
	cut := CutOptions{From: part.from, Running: running == "yes"}
	if part.until != cluster.Never {
		cut.For = part.until - part.from
	}
	rest, err := s.choice("rest", []string{"end", "never"})
	if err != nil {
		return nil, err
	}
	f := &ownFile{path: path, cut: cut, scale: scale}
	options := fmt.Sprintf("%v&running=%s&pods=%s&by=%s", part, running, formatNumber(scale.Pods), scale.By)
	if recorded, err := f.isRecording(); err != nil {
		return nil, err
	} else if recorded {
		if f.times, err = readLifetimes(path, rest == "never"); err != nil {
			return nil, err
		}
		options += "&rest=" + rest
	}
	return f.trace(options)
}

// trace makes a Trace of the file. The options enter its hash.
func (f *ownFile) trace(options string) (*Trace, error) {
	t := &Trace{Seeded: f.scale.Pods > 0, events: f.arrivals, whole: f.whole, noted: f.noted, used: f.used}
	if err := f.count(t); err != nil {
		return nil, err
	}
	t.Hash = hashOf([]byte(ownVersion), []byte(options), []byte(f.content))
	return t, nil
}

// scale returns the values of the options pods and by.
func (s Settings) scale() (ScaleOptions, error) {
	by, err := s.choice("by", Groupings)
	if err != nil {
		return ScaleOptions{}, err
	}
	o := ScaleOptions{By: by}
	if _, given := s["pods"]; given {
		if o.Pods, err = ParseFactor(s["pods"]); err != nil {
			return o, s.wrong("pods", "give a number above 0 and up to 1000, such as 0.1")
		}
	}
	return o, nil
}

// An ownFile is a file of Berth's own format, and what is made of it.
type ownFile struct {
	path     string
	embedded []byte // what is in it, if it comes with the program
	cut      CutOptions
	scale    ScaleOptions
	content  string     // hash of its workload, and of a recording's all
	times    *lifetimes // of a recording; nil of other files
}

// isRecording reports whether the file is of a live cluster.
func (f *ownFile) isRecording() (bool, error) {
	in, err := f.open()
	if err != nil {
		return false, err
	}
	defer in.close()
	return in.reader.Meta().Kind == wire.Recording, nil
}

// stream begins to read the workload.
func (f *ownFile) stream() (Stream, error) {
	in, err := f.open()
	if err != nil || f.times == nil {
		return in, err
	}
	return &lived{from: only{in, wire.Arrivals()}, times: f.times, nodes: map[string]bool{}}, nil
}

// read begins to read what is in the file.
func (f *ownFile) read() (io.ReadCloser, error) {
	if f.embedded != nil {
		return io.NopCloser(bytes.NewReader(f.embedded)), nil
	}
	in, err := os.Open(f.path)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	return in, nil
}

// count reads the file to its end, and fills in what t says of it.
func (f *ownFile) count(t *Trace) error {
	in, err := f.open()
	if err != nil {
		return err
	}
	defer in.close()
	var c counted
	if err := c.read(in); err != nil {
		return err
	}
	_, f.content = in.reader.Content()
	meta := in.reader.Meta()
	if meta.Kind != wire.Dataset {
		t.Decided = in.reader.Outcomes()
	}
	t.Rows = int(meta.Rows)
	for _, r := range meta.Rejected {
		t.Rejected = append(t.Rejected, Rejection{Reason: r.Reason, Rows: int(r.Rows)})
	}
	if epoch, err := time.Parse(time.RFC3339Nano, meta.Epoch); err == nil {
		t.Epoch = epoch.Add(time.Duration(f.cut.From))
	}
	if f.times != nil {
		f.content = f.times.content
		if n := f.times.unbound(); n > 0 {
			t.Rejected = append(t.Rejected, Rejection{Reason: neverBound, Rows: n})
		}
	}
	if f.changed() || f.times != nil {
		c = counted{}
		if err := c.read(f.whole(0)); err != nil {
			return err
		}
	}
	d := &c.demand
	if d.Nodes == 0 || d.Pods == 0 {
		return &Error{File: f.path, Problem: fmt.Sprintf("what is played has %d nodes and %d pods", d.Nodes, d.Pods), Remedy: "give more of it with from, for and pods, or another file"}
	}
	t.Nodes, t.GPUs, t.Pods, t.Mix, t.Timed = d.Nodes, d.GPUs, int(min(d.Pods, math.MaxInt32)), c.mix.mix, d.Timed()
	t.OfferedLoad = d.Offered(d.Main())
	if meta.Kind != wire.Run && in.reader.Outcomes() > 0 && f.scale.Pods == 0 { // of a scaled one the seed says whose they are
		if t.Waits, err = f.waits(); err != nil {
			return err
		}
	}
	return nil
}

// changed reports whether options make anything else of the file than what is in it.
func (f *ownFile) changed() bool {
	return f.cut != (CutOptions{Running: f.cut.Running}) || f.scale.Pods > 0
}

// counted is what there is in a workload.
type counted struct {
	demand Demand
	mix    mixCounter
}

// read takes a workload in.
func (c *counted) read(s Stream) error {
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.demand.Take(&e)
		c.mix.take(&e)
	}
}

// A mixCounter counts the pods of each class.
type mixCounter struct {
	mix     cluster.Mix
	at      map[*cluster.Class]int // by where classes lie, and by what they say
	classes cluster.Classes
}

func (m *mixCounter) take(e *cluster.Event) {
	if e.Kind != cluster.PodAdded {
		return
	}
	i, ok := m.at[e.PodSpec.Class]
	if !ok {
		if m.at == nil {
			m.at = map[*cluster.Class]int{}
		}
		first := m.classes.Share(e.PodSpec.Class)
		if i, ok = m.at[first]; !ok {
			i = len(m.mix)
			m.mix = append(m.mix, cluster.MixShare{Class: first})
			m.at[first] = i
		}
		m.at[e.PodSpec.Class] = i
	}
	m.mix[i].Pods++
}

// arrivals returns what a simulated cluster takes of the workload.
func (f *ownFile) arrivals(seed int64) Stream {
	return only{f.whole(seed), wire.Arrivals()}
}

// whole returns all of the workload.
func (f *ownFile) whole(seed int64) Stream {
	return f.made(seed, f.stream)
}

// noted returns the same with notes.
func (f *ownFile) noted(seed int64) Stream { return f.made(seed, f.openNoted) }

// made returns what options make of the file.
func (f *ownFile) made(seed int64, open func() (Stream, error)) Stream {
	cut := func() Stream {
		in, err := open()
		if err != nil {
			return failed{err}
		}
		if f.cut.From == 0 && f.cut.For == 0 {
			return in
		}
		return Cut(in, f.cut)
	}
	if f.scale.Pods == 0 {
		return cut()
	}
	o := f.scale
	o.Seed = seed
	s, err := Scale(cut, o)
	if err != nil {
		return failed{err}
	}
	return s
}

// An openFile is a Stream of a file, which lets go of the file at its end.
type openFile struct {
	file   io.Closer
	reader *wire.Reader
	*wire.Stream
}

// open begins to read the file. Whoever doesn't read to the end leaves it to the
// garbage collector to close it.
func (f *ownFile) open() (*openFile, error) {
	in, err := f.read()
	if err != nil {
		return nil, err
	}
	r, err := wire.NewReader(in, wire.ReadOptions{Name: f.path, Workload: true})
	if err != nil {
		_ = in.Close() // only read
		return nil, err
	}
	return &openFile{in, r, wire.NewStream(r)}, nil
}

// Next implements Stream.
func (o *openFile) Next() (cluster.Event, error) {
	e, err := o.Stream.Next()
	if err != nil {
		o.close()
	}
	return e, err
}

func (o *openFile) close() { _ = o.file.Close() } // only read

// failed is a Stream that fails.
type failed struct{ err error }

func (f failed) Next() (cluster.Event, error) { return cluster.Event{}, f.err }

// only is a Stream of some kinds of events.
type only struct {
	from  Stream
	kinds []cluster.Kind
}

// Next implements Stream.
func (o only) Next() (cluster.Event, error) {
	for {
		e, err := o.from.Next()
		if err != nil {
			return cluster.Event{}, err
		}
		for _, kind := range o.kinds {
			if e.Kind == kind {
				return e, nil
			}
		}
	}
}
