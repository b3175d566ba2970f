package scheduler

import "slices"

// Incoming counts the pods that came to a part of the queue for one reason, with the names that
// kube-scheduler gives both.
type Incoming struct {
	Queue string `json:"queue"` // active, backoff or unschedulable
	Event string `json:"event"` // such as UnschedulablePodAdd, ScheduleAttemptFailure, NodeAdd
	Pods  uint64 `json:"pods"`
}

// What brings pods to a part of the queue beside a change of the cluster.
const (
	podCame       = "UnschedulablePodAdd"
	attemptFailed = "ScheduleAttemptFailure"
	backoffOver   = "BackoffComplete"
	takenFromRest = "PopFromBackoffQ"
	waitedTooLong = "UnschedulableTimeout"
	activated     = "ForceActivate"
)

// incoming counts pods that come, by where and why.
type incoming struct {
	why    string // pods come from now on
	counts []Incoming
	last   int // of counts, which is likely to be the next one, too
}

var placeQueues = [...]string{isActive: "active", isBacking: "backoff", isFailed: "backoff", isIdle: "unschedulable"}

// note counts pods that come to a place.
func (in *incoming) note(to place, pods int) {
	queue := placeQueues[to]
	if in.last >= len(in.counts) || in.counts[in.last].Queue != queue || in.counts[in.last].Event != in.why {
		in.last = slices.IndexFunc(in.counts, func(c Incoming) bool { return c.Queue == queue && c.Event == in.why })
		if in.last < 0 {
			in.last = len(in.counts)
			in.counts = append(in.counts, Incoming{Queue: queue, Event: in.why})
		}
	}
	in.counts[in.last].Pods += uint64(pods)
}

// Incoming returns how many pods have come to the parts of the queue so far, and why, in order
// of first appearance. Of pods that were tried together those that leave the backoff before its
// end are not counted one by one: see SetCohorts.
func (sc *Scheduler) Incoming() []Incoming { return slices.Clone(sc.queue.incoming.counts) }

var actionNames = map[Action]string{
	NodeAdd: "Add", NodeDelete: "Delete", UpdateNodeAllocatable: "UpdateNodeAllocatable", UpdateNodeLabel: "UpdateNodeLabel",
	UpdateNodeTaint: "UpdateNodeTaint", UpdateNodeDeclaredFeature: "UpdateNodeDeclaredFeature",
	PodAdd: "Add", PodDelete: "Delete", UpdatePodLabel: "UpdatePodLabel", UpdatePodScaleDown: "UpdatePodScaleDown",
	UpdatePodToleration: "UpdatePodToleration", UpdatePodSchedulingGatesEliminated: "UpdatePodSchedulingGatesEliminated",
	UpdatePodOther: "Update", ObjectChange: "Change",
}

// label returns what kube-scheduler calls a change in its metrics.
func (c *Change) label() string {
	switch {
	case c.What == ObjectChange:
		return "Object" + actionNames[c.What]
	case c.What < PodAdd:
		return "Node" + actionNames[c.What]
	case c.Own:
		return "UnschedulablePod" + actionNames[c.What]
	}
	return "AssignedPod" + actionNames[c.What]
}
