// Package oracle asks the real kube-scheduler (k8s.io/kubernetes) what it would decide.
//
// An Oracle holds upstream's scheduler as upstream's own constructor builds it: default registry,
// default profile or a given KubeSchedulerConfiguration, upstream's cache, snapshot and nominator. It
// is told of every change of the cluster in the order in which it happened, as an informer would tell
// it, and answers with all that upstream computed on the way to a decision.
//
// Four things are pinned, since otherwise upstream answers differently from run to run:
//
//   - Parallelism is 1. With more workers the order of the feasible list is a race, and with it the
//     choice among equal nodes and the next start index.
//   - OpportunisticBatching is off: it reuses an order up to 500 ms of wall-clock time old.
//   - SchedulerAsyncPreemption is off: victims are then known when PostFilter returns.
//   - minCandidateNodesPercentage of DefaultPreemption is 100, so that its random offset has no effect.
//
// Extenders of the configuration are asked as upstream asks them, and those that preempt once more, to
// know all candidates.
//
// What stays random upstream even so is reported as such instead of being hidden: nodes visited in
// the order of a Go map (Result.Unordered), equal nodes that extenders scored (Result.Drawn) and equal
// preemption candidates (Candidate.Best).
//
// No informer runs. Objects are written straight into the indexers behind the listers, so that
// nothing is asynchronous and nothing needs to be waited for.
package oracle
