// Package wire reads and writes Berth's own traces: recordings of clusters, logs of runs and
// converted datasets, in one format, which docs/trace-format.md describes for those who write
// it in another language.
//
// A file is a row of blocks. Each block holds, apart from each other, the definitions that it
// uses first, what a replay of the workload may see, and the outcomes: what a scheduler and a
// cluster made of it. A reader of workloads never opens the outcomes, so that nothing of the
// answer can leak into the question.
//
// Pods and nodes are named by numbers, which outlive rows: pod 2k is the k-th, from 0, that
// came from outside, pod 2k+1 the k-th that was an outcome (a controller made it), and node k
// the k-th that came. In the events and decisions of a file, Pod and Node are such numbers.
package wire

import (
	"encoding/json"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// Version is the version of the format, which files carry.
const Version = 1

// Limits of the format. They bound what a reader must hold, whatever a file says.
const (
	maxFrame      = 16 << 20 // bytes of a frame before compression
	maxDefinition = 4 << 20  // bytes of a definition's JSON
	maxText       = 1 << 20  // bytes of a string
	keptNumbers   = 1 << 16  // definitions of a kind that can be referred to: the last ones,
	keptBytes     = 32 << 20 // as long as their JSON has no more bytes together
	maxPods       = 1 << 30  // from outside, and as many that are outcomes: numbers are int32
)

// Limits that the Writer sets itself.
const (
	blockRecords = 1 << 16 // in a block, unless Options say otherwise
	blockBytes   = 1 << 20 // of records after which a block ends with the round,
	fullBytes    = 4 << 20 // or even within a round
)

// Meta says what a file is. It counts for nothing in the hash of the content.
type Meta struct {
	Kind       string            `json:"kind"`                 // dataset, run or recording
	Source     string            `json:"source,omitempty"`     // what it was made of, for people
	SourceHash string            `json:"sourceHash,omitempty"` // SHA-256 of that, in hex
	Epoch      string            `json:"epoch,omitempty"`      // when time 0 was, as RFC 3339 has it; "" if nobody knows
	Seed       int64             `json:"seed,omitempty"`       // of a run
	Mix        cluster.Mix       `json:"mix,omitempty"`        // what pods to expect
	Rows       int64             `json:"rows,omitempty"`       // of the source that were read
	Rejected   []Rejected        `json:"rejected,omitempty"`   // rows of the source that are not in the file
	Program    string            `json:"program,omitempty"`    // that wrote the file, with its version
	More       map[string]string `json:"more,omitempty"`       // whatever else the writer has to say
}

// Rejected says why rows of a source are not in a file, and how many.
type Rejected struct {
	Reason string `json:"reason"`
	Rows   int64  `json:"rows"`
}

// The kinds of files.
const (
	Dataset   = "dataset"   // converted from what somebody else has recorded
	Run       = "run"       // a log of a run: every round with what was decided
	Recording = "recording" // of a live cluster
)

// An Error says what is wrong with a file, where, and what to do about it. What the system
// fails to read or write is not one. It unwraps to the *input.Error that other readers return.
type Error struct {
	Input input.Error
	Block int64 // in which it is, from 0, which is the metadata; -1 if it is about no block
	Byte  int64 // of the file at which the block begins, or the line's number where lines are read

	// Torn is set if the file ends before its trailer: whoever wrote it died, or writes it
	// still. All up to there has been read.
	Torn *Torn
}

// Error returns one line: "FILE: problem; remedy".
func (e *Error) Error() string { return e.Input.Error() }

// Unwrap returns the error without the place in the file.
func (e *Error) Unwrap() error { return &e.Input }

// Torn says what is missing of a file that ends before its trailer.
type Torn struct {
	Byte int64 // where the last whole block ends
	Lost int64 // how many records the writer held at most that are not in the file
}

// A Usage is what a pod was seen to use, as a mean since the sample before. What nobody
// has measured is Unknown.
type Usage struct {
	Pod    cluster.PodID
	CPU    int64 // milli-CPUs
	Memory int64 // bytes
}

// Unknown stands in a Usage for what nobody has measured.
const Unknown = -1

// A Gap is a time of which the recording may not tell all: a watch was lost, rows are missing.
type Gap struct {
	From   cluster.Time // to the record's Time
	Lost   int64        // events that are known to be missing; -1 if nobody knows
	Reason string
}

// A Fault is something that befell nodes from the record's Time on. Its parts are those of
// cluster/faults.Fault, by name.
type Fault struct {
	Until            cluster.Time // Never if it was not repaired
	Nodes            []string     // by name
	Kind             string       // as cluster/faults writes it
	Period, Down, By cluster.Time
	Signal           string
}

// A Placement is where a recording says that a pod ran, and how long it had waited.
type Placement struct {
	Pod  cluster.PodID
	Node cluster.NodeID // None if nobody knows
	Wait cluster.Time   // since the pod came; -1 if nobody knows
	cluster.Allocation
}

// A Batch is what one call of a Cluster's Next returned at the record's Time, and how much was
// decided in answer: so many records with events follow it, then so many with decisions.
type Batch struct{ Events, Decisions int }

// What a Record is about.
type What uint8

// The kinds of records.
const (
	Workload What = 1 + iota // an event from outside
	Outcome                  // an event that followed from decisions
	Decided                  // a decision
	Round                    // a Batch
	Sample                   // a Usage
	Missing                  // a Gap
	Struck                   // a Fault
	Placed                   // a Placement
)

// A Record is one entry of a file.
type Record struct {
	What What
	Time cluster.Time // of events and faults as they say, of all else when it was noted

	Event     cluster.Event    // of Workload and Outcome
	Decision  cluster.Decision // of Decided
	Batch     Batch            // of Round
	Usage     Usage            // of Sample
	Gap       Gap              // of Missing
	Fault     *Fault           // of Struck
	Placement Placement        // of Placed
}

// outside reports whether a pod's number says that it came from outside.
func outside(p cluster.PodID) bool { return p&1 == 0 }

// appendJSON appends what v says to b.
func appendJSON(b []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(b, text...), err
}
