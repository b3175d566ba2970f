// Package kubetest is a Kubernetes API in memory, for tests of what drives a live cluster.
package kubetest

import utilruntime "k8s.io/apimachinery/pkg/util/runtime"

// The error handlers of a process that links kubetest are taken away. One keeps the time
// of the last error of the process, and waits until its own time is past that: in a
// synctest bubble, which begins in the year 2000 whatever time it was in the last one,
// that is decades. The other logs each error that a fault makes.
func init() { utilruntime.ErrorHandlers = nil }
