// Package kubetest is a Kubernetes API in memory, for tests of what drives a live cluster.
package kubetest
