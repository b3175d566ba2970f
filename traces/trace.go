// Package traces makes workloads of recordings and of published figures: streams
// of events that bring nodes and pods to a cluster. A file each knows one format.
//
// The same trace and seed give the same stream, byte for byte, on any machine.
// Whatever a format draws at random is keyed by seed, purpose and name; only the
// filling of openb, whose published results depend on it, draws from the stream
// that its authors used.
package traces

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"slices"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A Trace is a workload that can be played, once for each seed. It is read-only
// once it is open, so that many runs may share it; so are the specs and classes
// that its events point to.
type Trace struct {
	Name   string // as the user wrote it
	Format string // the name of the Format that read it: "openb"

	// Hash is SHA-256, in hex, over the content of the files that were read
	// (decompressed, so that it doesn't matter how they are stored) and over
	// the options that change the workload.
	Hash string

	Nodes int // nodes in the recording
	GPUs  int // GPUs of all nodes
	Pods  int // pods in the recording; as many as are expected, where it is generated until the cluster is full

	// Mix says what pods to expect: those of the recording, in order of first
	// appearance, or the distribution that pods are drawn from.
	Mix cluster.Mix

	// Rows is how many rows were read, of all files, headers aside; 0 if the
	// trace is generated. Rejected says which of them are no part of the
	// workload, in order of first appearance.
	Rows     int
	Rejected []Rejection

	// OfferedLoad is demand for GPUs as a share of their capacity: where pods
	// only fill the cluster, what all of them ask for together; where they end,
	// the mean of concurrent demand over the time from first to last arrival.
	// In a recording without GPUs it is the demand for CPUs.
	OfferedLoad float64

	// Waits are how long the recording's jobs waited before they ran, in its order; nil if it
	// doesn't say. They are for people to compare with: no run sees them.
	Waits []cluster.Time

	Seeded bool // whether events differ from seed to seed
	Timed  bool // whether times mean something and pods end; false if time only orders and the cluster is filled

	// Epoch is when time 0 was, in UTC or, where nobody knows the zone, by the clock
	// on the wall; zero if nobody knows that either.
	Epoch time.Time

	// Decided is how many decisions, and outcomes of them, a log of a run or of a cluster has
	// beside its workload. Noted has of them where pods were placed.
	Decided int64

	events func(seed int64) Stream
	whole  func(seed int64) Stream                                       // events, and what a simulated cluster doesn't take; nil if that is nothing
	noted  func(seed int64) Stream                                       // whole, with notes; nil if they are those of the functions below
	used   func(seed int64) ([]Used, error)                              // nil if the recording doesn't say
	placed func(seed int64, add func(at cluster.Time, p wire.Placement)) // likewise
	struck func(add func(at cluster.Time, f *wire.Fault))                // likewise
}

// A Stream yields events in order of time. It returns io.EOF after the last; another
// error only if a file that is read anew has changed, or can't be read. It is a
// cluster/sim Source.
type Stream interface {
	Next() (cluster.Event, error)
}

// Events returns the workload under a seed. Each call gives a stream of its own;
// streams of one Trace may be read at the same time.
func (t *Trace) Events(seed int64) Stream { return t.events(seed) }

// Whole is Events with all that the trace has beside what a simulated cluster takes
// from a workload: that nodes change, fail and go, that pods were deleted. Pods and
// nodes of such events have numbers, as package wire gives them.
func (t *Trace) Whole(seed int64) Stream {
	if t.whole == nil {
		return t.events(seed)
	}
	return t.whole(seed)
}

// Noted is Whole with notes, if there are any: what pods used, where they ran and how long
// they waited in the recording, what befell nodes, what is missing.
func (t *Trace) Noted(seed int64) Stream {
	if t.noted != nil {
		return t.noted(seed)
	}
	used, err := t.Usage(seed)
	if err != nil {
		return failed{err}
	}
	var placed, struck []Note
	if t.placed != nil {
		t.placed(seed, func(at cluster.Time, p wire.Placement) {
			placed = append(placed, Note{What: wire.Placed, At: at, Placement: p})
		})
	}
	if t.struck != nil {
		t.struck(func(at cluster.Time, f *wire.Fault) {
			struck = append(struck, Note{What: wire.Struck, At: at, Fault: f})
		})
	}
	if len(used)+len(placed)+len(struck) == 0 {
		return t.Whole(seed)
	}
	byTime := func(a, b Note) int { return cmp.Compare(a.At, b.At) }
	slices.SortStableFunc(placed, byTime)
	slices.SortStableFunc(struck, byTime)
	return noted(t.Whole(seed), inOrder(those(struck), those(placed), samples(used)))
}

// An arrival is a pod that comes to the cluster.
type arrival struct {
	at  cluster.Time
	pod *cluster.PodSpec
}

// A workload is a Stream of nodes, all at time 0, and then of pods.
type workload struct {
	nodes []*cluster.NodeSpec
	next  func() (a arrival, ok bool)
}

// Next implements Stream.
func (w *workload) Next() (cluster.Event, error) {
	e := cluster.Event{Pod: cluster.None, Node: cluster.None}
	if len(w.nodes) > 0 {
		e.Kind, e.NodeSpec = cluster.NodeAdded, w.nodes[0]
		w.nodes = w.nodes[1:]
		return e, nil
	}
	a, ok := w.next()
	if !ok {
		return cluster.Event{}, io.EOF
	}
	e.Time, e.Kind, e.PodSpec = a.at, cluster.PodAdded, a.pod
	return e, nil
}

// fillingTime returns when the i-th pod comes, from 0, if pods only fill the
// cluster: one a second, after the nodes, so that each is decided by itself.
func fillingTime(i int) cluster.Time { return cluster.Time(i+1) * cluster.Second }

// gpusOf counts the GPUs of all nodes.
func gpusOf(nodes []*cluster.NodeSpec) int {
	total := 0
	for _, n := range nodes {
		total += n.GPUs
	}
	return total
}

// hashOf hashes parts, each with its length before it, so that no two lists of
// parts are hashed alike.
func hashOf(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
