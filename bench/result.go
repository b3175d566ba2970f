package bench

import "github.com/berthsim/berth/scheduler"

// Version names the format of results and experiment files.
const Version = "berth/v1"

// A Point is one combination of an experiment's axes other than the seed.
type Point struct {
	Trace    string `json:"trace"`
	Policy   string `json:"policy"`
	Eviction string `json:"eviction"`
	Faults   string `json:"faults"`
	Quota    string `json:"quota"`
}

// A Run is what one run of one policy on one trace with one seed gave.
type Run struct {
	Point
	Seed int64 `json:"seed"`
	// Unseeded says that nothing in this run depends on its seed, so that it
	// is the only run of its Point and stands for the run of every seed.
	Unseeded bool   `json:"unseeded,omitempty"`
	Digest   string `json:"digest"` // SHA-256 of the decisions, in hex

	// Metrics holds the run's metrics by name; one that does not apply is absent.
	Metrics map[string]float64 `json:"metrics"`
	// Timing holds what depends on the machine, and is in no digest:
	// seconds, placements_per_second.
	Timing map[string]float64 `json:"timing"`
	// Unplaced counts, for the pods without a node at the end of the run,
	// kube's message of why.
	Unplaced map[string]int `json:"unplaced,omitempty"`

	// Queue says what the scheduler's queue did.
	Queue scheduler.Stats `json:"queue"`

	// Curves holds whole filling curves by family: the value at 0, 1, 2, …
	// % of capacity asked for, NaN where no pod arrived. They go to a file of
	// their own.
	Curves map[string][]float64 `json:"-"`

	// Limits says what of quotas was used, of a run with any.
	Limits []LimitUse `json:"limits,omitempty"`

	// Series is what there was over time, of a run with faults or eviction.
	Series series[[lines]int] `json:"-"`
}

// A Summary describes one metric over the seeds of one Point.
type Summary struct {
	Point
	Metric string      `json:"metric"`
	Unit   string      `json:"unit"`
	N      int         `json:"n"`
	Mean   float64     `json:"mean"`
	SD     float64     `json:"sd"`             // of the sample; 0 when N is 1
	CI95   *[2]float64 `json:"ci95,omitempty"` // Student's t interval of the mean; absent when N is 1
}

// A Difference compares one metric of a Point with that of the baseline
// policy on the same trace, paired by seed.
type Difference struct {
	Point
	Baseline string      `json:"baseline"`
	Metric   string      `json:"metric"`
	Unit     string      `json:"unit"`
	N        int         `json:"n"`              // seeds that both have
	Mean     float64     `json:"mean"`           // of policy minus baseline
	CI95     *[2]float64 `json:"ci95,omitempty"` // Student's t interval of the mean difference; absent when N is 1
	P        *float64    `json:"p,omitempty"`    // two-sided paired t test; absent when N is 1 or the differences don't vary
}

// TraceInfo is what a table says about a trace.
type TraceInfo struct {
	Name        string  `json:"name"` // as in Point.Trace
	Hash        string  `json:"hash"` // SHA-256 of what was read, in hex
	Nodes       int     `json:"nodes"`
	GPUs        int     `json:"gpus"`
	Pods        int     `json:"pods"`         // in the recording
	OfferedLoad float64 `json:"offered_load"` // demand as a share of capacity; 1.3 is 130 %

	Waits *RecordedWaits `json:"waits,omitempty"` // absent if the recording doesn't say
}

// RecordedWaits are how long jobs waited when the trace was recorded, in seconds.
type RecordedWaits struct {
	Jobs int     `json:"jobs"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

// PolicyInfo names the content of a policy that is a file, or of faults.
type PolicyInfo struct {
	Name string `json:"name"` // as in Point.Policy
	Hash string `json:"hash"` // SHA-256 of the file, in hex
}

// Results is everything an experiment gave.
type Results struct {
	Version     string       `json:"version"`
	Traces      []TraceInfo  `json:"traces"`
	Policies    []PolicyInfo `json:"policies,omitempty"` // those that are files
	Faults      []PolicyInfo `json:"faults,omitempty"`   // what befell nodes
	Quotas      []PolicyInfo `json:"quotas,omitempty"`   // what limited namespaces
	Ties        string       `json:"ties"`               // how equal scores were decided
	Runs        []Run        `json:"runs"`
	Summary     []Summary    `json:"summary"`
	Differences []Difference `json:"differences,omitempty"`
	Reproduce   Reproduce    `json:"reproduce"`
}

// Reproduce is what it takes to get the same results again.
type Reproduce struct {
	Berth      string `json:"berth"`      // the program's version
	Experiment string `json:"experiment"` // SHA-256 of the experiment, in hex
	Seeds      string `json:"seeds"`      // as in an experiment file, for example "42-51"
	Digest     string `json:"digest"`     // SHA-256 over all runs' digests, in hex
	Command    string `json:"command"`    // what to type
	Complete   bool   `json:"complete"`   // false if the experiment was stopped early
}
