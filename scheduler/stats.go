package scheduler

import (
	"github.com/berthsim/berth/cluster"
)

// Stats are what a Scheduler counts of its work, with the meanings of
// kube-scheduler's metrics. They depend on what happened alone, and are the same on
// any machine.
type Stats struct {
	// Tries, by what came of them: the pod got a node, plugins rejected it, or
	// something went wrong.
	Scheduled     uint64 `json:"scheduled"`
	Unschedulable uint64 `json:"unschedulable"`
	Errors        uint64 `json:"errors"`

	// Pods that got a node, by the number of tries that it took.
	ByTries []ByTries `json:"by_tries,omitempty"`

	// Flushed counts the pods that got a node when they were tried only because of
	// their age: what helped them had woken nobody.
	Flushed uint64 `json:"flushed"`

	// Hints counts what plugins said when they were asked whether a change helps.
	Hints []Hints `json:"hints,omitempty"`

	// PodSeconds sums up how long pods were in each part of the queue.
	PodSeconds PodSeconds `json:"pod_seconds"`
}

// ByTries is about the pods that got a node at their n-th try; the last entry, for
// 15, is about all that needed as many or more.
type ByTries struct {
	Tries       int     `json:"tries"`
	Pods        uint64  `json:"pods"`
	WaitSeconds float64 `json:"wait_seconds"` // all together, since they could be tried at first
}

// Hints are a plugin's answers.
type Hints struct {
	Plugin string `json:"plugin"`
	Queue  uint64 `json:"queue"`
	Skip   uint64 `json:"skip"`
}

// PodSeconds is the integral of Lengths over time.
type PodSeconds struct {
	Active        float64 `json:"active"`
	Backoff       float64 `json:"backoff"`
	Unschedulable float64 `json:"unschedulable"`
	Gated         float64 `json:"gated"`
}

// maxTries is up to where tries are told apart, as in kube's metrics.
const maxTries = 15

// count counts a try that gave the pod node n.
func (st *Stats) count(s *cluster.State, e *queued, n cluster.NodeID, rejected uint64) {
	switch {
	case n == cluster.None && rejected == 0:
		st.Errors++
	case n == cluster.None:
		st.Unschedulable++
	default:
		st.Scheduled++
		for len(st.ByTries) < int(min(e.attempts, maxTries)) {
			st.ByTries = append(st.ByTries, ByTries{Tries: len(st.ByTries) + 1})
		}
		by := &st.ByTries[min(e.attempts, maxTries)-1]
		by.Pods++
		by.WaitSeconds += (s.Now - e.first).Seconds()
		if e.flushed {
			st.Flushed++
		}
	}
}

// hint counts a plugin's answer.
func (st *Stats) hint(plugin string, queue bool) {
	i := 0
	for i < len(st.Hints) && st.Hints[i].Plugin != plugin {
		i++
	}
	if i == len(st.Hints) {
		st.Hints = append(st.Hints, Hints{Plugin: plugin})
	}
	if queue {
		st.Hints[i].Queue++
	} else {
		st.Hints[i].Skip++
	}
}

// pass counts the time in which the queue was as it is.
func (st *Stats) pass(l Lengths, time cluster.Time) {
	st.PodSeconds.Active += float64(float64(l.Active) * time.Seconds())
	st.PodSeconds.Backoff += float64(float64(l.Backoff) * time.Seconds())
	st.PodSeconds.Unschedulable += float64(float64(l.Unschedulable) * time.Seconds())
	st.PodSeconds.Gated += float64(float64(l.Gated) * time.Seconds())
}

// Lengths are the numbers of pods in the parts of a queue.
type Lengths struct{ Active, Backoff, Unschedulable, Gated int }

// Stats returns what the Scheduler has counted so far.
func (sc *Scheduler) Stats() Stats { return sc.stats }

// Lengths returns how many pods wait now.
func (sc *Scheduler) Lengths() Lengths {
	q := &sc.queue
	return Lengths{
		Active: q.active.live, Backoff: q.backing.live + q.failed.live,
		Unschedulable: q.idle.pods - q.idle.gated, Gated: q.idle.gated,
	}
}

// Where says where p waits: "active", "backoff", "unschedulable" or "gated"; or
// "in flight" while it is tried or waits for Gates; "" if the Scheduler has nothing
// to do with it. It is for tests.
func (sc *Scheduler) Where(s *cluster.State, p cluster.PodID) string {
	if !sc.queue.has(s, p) {
		return ""
	}
	switch e := &sc.queue.pods[p]; e.place {
	case isActive:
		return "active"
	case isBacking, isFailed:
		return "backoff"
	case inFlight:
		return "in flight"
	default:
		if e.gate != ungated {
			return "gated"
		}
		return "unschedulable"
	}
}
