// Package perf plays kube-scheduler's own performance tests, the workloads of scheduler_perf, in one
// process: on upstream's scheduling algorithm and on Berth, with the same objects in the same order.
//
// The workloads are read as upstream has them (Read), and become Scripts: what happens to a cluster,
// step by step. What a Script can't say is an error with its file and line, and is never left out.
//
// Both sides are timed from the pod's object to the pod being assumed and confirmed. Upstream's side
// is UpdateSnapshot, PreEnqueue, SchedulePod, PostFilter and a second try if there is no room, the
// assumption and its confirmation. It leaves out upstream's queue, its Reserve and Permit plugins,
// and every call of an API but those that PostFilter makes, to a client that does nothing. Berth's
// side is all that Berth does: converting the pod and looking up its class, State, queue, cycle,
// journal, digest, and the confirmation.
//
// Three things are not as in scheduler_perf, where they depend on the speed of the machine:
//
//   - A pod is tried at once when it is created, so nothing needs to be waited for.
//   - What scheduler_perf does so many times a second, it does here as if a pod came every Pace.
//   - Victims of a preemption end at once, and the pod that they make way for is tried again.
package perf
