package wire

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/berthsim/berth/cluster"
)

// A line is one line of a file as JSON lines: what the file is, a definition, a record, or the
// end. Whatever isn't there is zero.
type line struct {
	Format  string `json:"format,omitempty"` // of the first line
	Version int    `json:"version,omitempty"`
	Records int    `json:"blockRecords,omitempty"`
	Meta    *Meta  `json:"meta,omitempty"`

	Define string          `json:"define,omitempty"` // of a definition
	Number *uint64         `json:"number,omitempty"`
	Is     json.RawMessage `json:"is,omitempty"`

	Time    *cluster.Time `json:"time,omitempty"` // of a record
	Kind    string        `json:"kind,omitempty"`
	Outcome bool          `json:"outcome,omitempty"`
	eventLine
	decisionLine
	Rejected *rejectedLine `json:"rejected,omitempty"`

	Batch     *Batch         `json:"batch,omitempty"`
	Usage     *Usage         `json:"usage,omitempty"`
	Gap       *Gap           `json:"gap,omitempty"`
	Fault     *Fault         `json:"fault,omitempty"`
	Placement *placementLine `json:"placement,omitempty"`

	End *endLine `json:"end,omitempty"` // of the last line
}

// endLine lets a reader know that nothing is missing.
type endLine struct {
	Records int64 `json:"records"`
}

type eventLine struct {
	Pod      *cluster.PodID  `json:"pod,omitempty"` // also of decisions
	Node     *cluster.NodeID `json:"node,omitempty"`
	Spec     *podLine        `json:"spec,omitempty"`
	NodeSpec *uint64         `json:"nodeSpec,omitempty"`
	Object   *uint64         `json:"object,omitempty"`
	Health   *healthLine     `json:"health,omitempty"`
	Ready    bool            `json:"ready,omitempty"`
	Code     int16           `json:"code,omitempty"`
	Reason   string          `json:"reason,omitempty"`
}

type healthLine struct {
	Conditions   cluster.Conditions
	Lease, Posts cluster.Beats
}

type podLine struct {
	Name    string  `json:"name"`
	Class   *uint64 `json:"class"`
	Labels  *uint64 `json:"labels,omitempty"`
	Account *uint64 `json:"account,omitempty"`

	On          string        `json:"on,omitempty"`
	Nominated   string        `json:"nominated,omitempty"`
	Terminating bool          `json:"terminating,omitempty"`
	Preempted   bool          `json:"preempted,omitempty"`
	Unready     bool          `json:"unready,omitempty"`
	Starting    bool          `json:"starting,omitempty"`
	Started     *cluster.Time `json:"started,omitempty"`
	Run         *cluster.Time `json:"run,omitempty"` // for ever if it isn't there
	Continues   string        `json:"continues,omitempty"`
	Stop        cluster.Time  `json:"stop,omitempty"`
	Grace       cluster.Time  `json:"grace,omitempty"`
	GPUs        uint64        `json:"gpus,omitempty"` // of On
}

// decisionLine are the parts of a decision but for its kind, pod and node.
type decisionLine struct {
	GPUs   uint64         `json:"gpus,omitempty"`
	Taint  *cluster.Taint `json:"taint,omitempty"`
	Status *statusLine    `json:"status,omitempty"`
	Cause  *string        `json:"cause,omitempty"`
	Create *podLine       `json:"create,omitempty"`
	Store  *storeLine     `json:"store,omitempty"`
}

type statusLine struct{ From, To cluster.Conditions }

type storeLine struct {
	From *uint64 `json:"from,omitempty"`
	To   *uint64 `json:"to"`
}

// rejectedLine is a decision that came back.
type rejectedLine struct {
	Kind string          `json:"kind"`
	Pod  *cluster.PodID  `json:"pod,omitempty"`
	Node *cluster.NodeID `json:"node,omitempty"`
	decisionLine
}

type placementLine struct {
	Pod  cluster.PodID   `json:"pod"`
	Node *cluster.NodeID `json:"node,omitempty"`
	Wait cluster.Time    `json:"wait"`
	GPUs uint64          `json:"gpus,omitempty"`
}

const lineFormat = "berth-trace"

// The kinds of lines that are neither events nor decisions.
var otherKinds = map[string]What{"Batch": Round, "Usage": Sample, "Gap": Missing, "Fault": Struck, "Placement": Placed}

// kindNamed returns the kind of events or decisions with a name.
func kindNamed(name string) (cluster.Kind, error) {
	for kind := cluster.PodEnded; kind <= cluster.Store; kind++ {
		if kind.String() == name && (kind <= cluster.PodRefused || kind >= cluster.Bind) {
			return kind, nil
		}
	}
	return 0, fmt.Errorf("the kind %s isn't known", strconv.Quote(name))
}

// some returns a pointer to a number of a pod or node, nil for None.
func some[T ~int32](n T) *T {
	if n == cluster.None {
		return nil
	}
	return &n
}

// number is the inverse of some.
func number[T ~int32](n *T) (T, error) {
	if n == nil {
		return cluster.None, nil
	}
	if *n < 0 {
		return 0, fmt.Errorf("a pod or node has the number %d", *n)
	}
	return *n, nil
}
