// Package model has workloads as models: how often pods come over a week, in
// which bursts, what they ask for and how long they run. A model is fitted to a
// recording, and any number of workloads like it can be generated, which are the
// same on every machine for the same seed.
package model

import "github.com/berthsim/berth/cluster"

// Format and Version are in every model that is written. Version is of what the
// fields mean: another one isn't read.
const (
	Format  = "berth-model"
	Version = 1
)

// A Model is a workload that pods are drawn from. What its fields mean, in more
// words, is in docs/models.md.
type Model struct {
	Origin   string         `json:"origin"` // of what it was made, for people
	Nodes    []NodeKind     `json:"nodes"`
	Arrivals Arrivals       `json:"arrivals"`
	Bursts   []Burst        `json:"bursts"`
	Sources  []Source       `json:"sources"`
	Classes  []Class        `json:"classes"`
	Jobs     []Job          `json:"jobs"`
	Runs     []Distribution `json:"runs"`    // run times, s
	RunTick  float64        `json:"runTick"` // s: run times are whole ones
}

// A NodeKind is nodes that differ in their names alone.
type NodeKind struct {
	Count         int               `json:"count"`
	CPU           int64             `json:"cpu,omitempty"`      // milli-CPUs
	Memory        int64             `json:"memory,omitempty"`   // bytes
	Storage       int64             `json:"storage,omitempty"`  // bytes, ephemeral
	Pods          int64             `json:"pods,omitempty"`     // how many it takes
	Extended      map[string]int64  `json:"extended,omitempty"` // resources, by name
	GPUs          int               `json:"gpus,omitempty"`
	GPUModel      string            `json:"gpuModel,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"` // but for its name
	Taints        []cluster.Taint   `json:"taints,omitempty"`
	Unschedulable bool              `json:"unschedulable,omitempty"`
}

// Arrivals says when bursts begin. Hours are counted from the first arrival of
// the recording; what weekday that was doesn't matter.
type Arrivals struct {
	Days float64   `json:"days"` // of the recording, from first arrival to last
	Tick float64   `json:"tick"` // s: arrivals are at whole ones
	Week []float64 `json:"week"` // 168 rates, one for each hour of the week, of mean 1

	// Level is by how many times an hour has more bursts than Week says: its
	// distribution, and how fast it is forgotten.
	Level  Distribution `json:"level"`
	Memory []Memory     `json:"memory"`
}

// A Memory is a part of what decides an hour's level, and how long it lasts: over
// so many hours, its correlation with itself falls to 1/e.
type Memory struct {
	Share float64 `json:"share"` // of the variance
	Hours float64 `json:"hours"`
}

// A Burst says how jobs come that are submitted shortly one after another.
type Burst struct {
	Size  Distribution `json:"size"` // jobs
	Gap   Distribution `json:"gap"`  // from one to the next, s
	Again float64      `json:"again"`

	// Alike is the correlation, by rank, of the run times of a burst's jobs.
	Alike float64 `json:"alike"`
}

// A Source submits bursts: a user, or who shares a namespace.
type Source struct {
	// Weight is its share of bursts, relative to the others' weights: so that, with
	// bursts as large as Burst says, its jobs are as many as were recorded.
	Weight int64 `json:"weight"`
	Burst  int   `json:"burst"` // of what kind: an index in Model.Bursts
}

// A Job is one or more pods that come together and run equally long.
type Job struct {
	Count  int64  `json:"count"`  // its share: how many were submitted
	Source int    `json:"source"` // whose it is
	Owner  string `json:"owner,omitempty"`
	Pods   []Part `json:"pods"`
	Run    int    `json:"run"` // an index in Model.Runs; -1 if it runs until it is told to end
}

// A Part is the pods of a job that are of one class.
type Part struct {
	Class int   `json:"class"`
	Count int32 `json:"count"`
}

// pods counts the pods of a job.
func (j *Job) pods() int64 {
	total := int64(0)
	for _, p := range j.Pods {
		total += int64(p.Count)
	}
	return total
}

// Totals counts jobs and pods as recorded.
func (m *Model) Totals() (jobs, pods int64) {
	for i := range m.Jobs {
		jobs += m.Jobs[i].Count
		pods += m.Jobs[i].Count * m.Jobs[i].pods()
	}
	return jobs, pods
}
