// Package kubetest is a Kubernetes API in memory, for tests of what drives a live
// cluster. The real client-go speaks to it, over HTTP:
//
//	synctest.Test(t, func(t *testing.T) {
//		s := kubetest.New(kubetest.Options{})
//		defer s.Close()
//		s.Kubelet("node-1", kubetest.KubeletOptions{})
//		client, err := kubernetes.NewForConfig(s.Config())
//		…
//		s.Restart(20 * time.Second)
//		time.Sleep(10 * time.Minute) // takes milliseconds
//		if twice := s.BoundTwice(); twice != "" {
//			t.Error(twice)
//		}
//	})
//
// # Time
//
// Connections are pipes in this process, so all of it works in a testing/synctest bubble,
// in virtual time, if New is called there: a lease expires, a grace period passes and a
// back-off ends as soon as nobody has anything else to do. Close leaves no goroutine. For
// tests of a program, Listen serves on a socket, too, and WriteKubeconfig says where.
//
// client-go's error handlers (utilruntime.ErrorHandlers) are taken away from a process
// that links this package: one of them waits decades in a bubble, and all report faults
// that a test made on purpose.
//
// # What is served
//
// The resources in the list at the top of resource.go, with get, list, watch, create,
// update, patch, delete and deletecollection, in JSON and protobuf; pods/binding and
// pods/eviction; status apart from the specification; dry runs; discovery, /version and
// /readyz. As in the real server
//
//   - one resourceVersion counts all writes; what changes nothing is no write;
//   - a write from a stale resourceVersion, or for another UID, is a 409;
//   - a binding is a 409 if the pod has a node, is terminating or is gated;
//   - an eviction is a 429 if the pod's disruption budget allows none, and is charged to it;
//   - a pod on a node is deleted gracefully, until its kubelet deletes it for good;
//   - lists come in pieces, of one revision; watches start anywhere in the history, with
//     initial events if asked for, and get bookmarks; what is compacted is a 410;
//   - a pod's defaults, tolerations of unready nodes and priority are filled in.
//
// Not served: server-side apply, Table, validation beyond what is said here, admission by
// quota, garbage collection, and controllers. Users and rights aren't asked for: tests of
// rights compare Requests with what a role allows.
//
// # What can go wrong
//
// Inject and SetFaults make requests fail, by verb and resource, with a probability, or
// lose their connection before or after they took effect. CutWatches, MuteWatches,
// HoldWatches, LagLists, Compact, Silence and Restart are faults of the server. A Script puts all that
// on a time line; RandomScript draws one from a seed. What chance decides depends on the
// seed and on what is asked for how often, so a failing seed can be tried again, as far
// as the program under test asks for the same.
//
// # What tests can see
//
// Requests and Writes are an audit log; Get, List, Add, Update and Delete act at the
// store, at once and whatever faults are set. A Kubelet does, too, but not while the
// server is silent or down.
package kubetest

import utilruntime "k8s.io/apimachinery/pkg/util/runtime"

// The backing-off error handler keeps the time of the last error of the process, and
// waits until its own time is past that. A synctest bubble begins in the year 2000,
// whatever time it was outside it or in the last one.
func init() { utilruntime.ErrorHandlers = nil }
