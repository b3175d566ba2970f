package eviction

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// ShutdownReason is the reason in the status of a pod that its kubelet ended because the node is shut
// down: it is Failed then, unless it had Succeeded. NotAdmittedReason is that of a pod which is bound
// to the node meanwhile and not let in, not even if it is critical.
const (
	ShutdownReason    = "Terminated"
	NotAdmittedReason = "NodeShutdown"
)

// A ShutdownPeriod is how long pods get to end from a priority up to that of the next period.
type ShutdownPeriod struct {
	Priority int32
	Seconds  int64
}

// A ShutdownPressureConfig is what the kubelet's configuration says of graceful shutdown: nothing, the first
// two, or the last. Without it, the node just ends.
type ShutdownConfig struct {
	Total      cluster.Time     // shutdownGracePeriod
	Critical   cluster.Time     // shutdownGracePeriodCriticalPods: the end of Total, which critical pods get
	ByPriority []ShutdownPeriod // shutdownGracePeriodByPodPriority
}

// Periods returns the periods that the configuration makes, none if there is no graceful shutdown.
// Parts of seconds are dropped. The error says what the kubelet would refuse.
func (c ShutdownConfig) Periods() ([]ShutdownPeriod, error) {
	for _, d := range []cluster.Time{c.Total, c.Critical} {
		if d < 0 || d > 0 && d < cluster.Second {
			return nil, fmt.Errorf("a shutdown grace period of %v s is neither 0 nor 1 s or more", d.Seconds())
		}
	}
	switch {
	case c.Critical > c.Total:
		return nil, fmt.Errorf("critical pods' part of the shutdown grace period, %v s, is more than all of it, %v s", c.Critical.Seconds(), c.Total.Seconds())
	case len(c.ByPriority) > 0 && c.Total > 0:
		return nil, errors.New("there are shutdown grace periods by priority, and one for all pods")
	case len(c.ByPriority) > 0:
		return c.ByPriority, nil
	case c.Total == 0:
		return nil, nil
	}
	return []ShutdownPeriod{
		{0, int64((c.Total - c.Critical) / cluster.Second)},
		{SystemCritical, int64(c.Critical / cluster.Second)},
	}, nil
}

// A ShutdownPod is a pod of a node that is shut down.
type ShutdownPod struct {
	Priority int32
	Grace    cluster.Time // terminationGracePeriodSeconds
	// Takes is how long it needs to end once it is asked to. It is killed if that is longer than what
	// it gets.
	Takes cluster.Time
	// Unmount is how long its volumes need to be unmounted once its containers have ended.
	Unmount cluster.Time
}

// A Stop is a pod's end.
type Stop struct {
	Pod   int          // index
	Begin cluster.Time // SIGTERM
	Grace cluster.Time // from there to SIGKILL, instead of the pod's own
	End   cluster.Time // of its containers
}

// Shutdown returns how a node that begins to shut down at a time ends its pods, and when it is done:
// the pods of a period together, periods from the lowest priority to the highest. A pod belongs to
// the period of the highest priority that is not above its own, or to the lowest there is. It gets
// its own grace period, but no more than the period. The next period begins when all pods of this one
// have ended and their volumes are unmounted, and no later than the period is over; a period without
// pods takes no time. Whatever runs when the node is done is cut off.
//
// A pod never ends before MinContainerGrace is over unless it does so by itself, even if its grace
// period is shorter. There must be a period.
func Shutdown(begin cluster.Time, periods []ShutdownPeriod, pods []ShutdownPod) (stops []Stop, done cluster.Time) {
	periods = slices.Clone(periods)
	slices.SortStableFunc(periods, func(a, b ShutdownPeriod) int { return cmp.Compare(a.Priority, b.Priority) })
	for k, period := range periods {
		most := cluster.Time(period.Seconds) * cluster.Second
		over := begin
		for i := range pods {
			p := &pods[i]
			if periodOf(periods, p.Priority) != k {
				continue
			}
			stop := Stop{Pod: i, Begin: begin, Grace: min(p.Grace, most)}
			stop.End = begin + min(p.Takes, max(stop.Grace, MinContainerGrace))
			over = max(over, stop.End+p.Unmount)
			stops = append(stops, stop)
		}
		begin = min(over, begin+most)
	}
	return stops, begin
}

// periodOf returns the index of the period that a pod of some priority belongs to. Periods are sorted.
func periodOf(periods []ShutdownPeriod, priority int32) int {
	at, found := slices.BinarySearchFunc(periods, priority, func(p ShutdownPeriod, priority int32) int {
		return cmp.Compare(p.Priority, priority)
	})
	if found || at == 0 {
		return at
	}
	return at - 1
}
