// Package kube is a cluster.Cluster that is a Kubernetes API server: what it tells by watches
// becomes events, and decisions become requests.
//
// Watches are client-go's reflectors, one for each resource, which list, watch, begin again
// after a break and say so. What they bring is put into one inbox with the time at which it
// came. Next takes it out and translates it, in one goroutine and without I/O: an object is
// compared with what is known of it and with what of our own decisions is under way, so that
// an observation from before a decision doesn't take the decision back. Apply turns decisions
// into requests for a bounded number of workers, which try again what may go well later, and
// ask what has become of an object where an answer was lost. What a worker learns comes back
// through the inbox too.
//
// A decision is answered once: by what the watch shows (the pod is on the node, or gone), by
// the server's answer, or by a Rejected event. One that neither has settled is asked about.
package kube
