// Command kwok prints how KWOK's nodes and pods live: a node is initialised and renews its lease,
// a pod runs at once, ends if its Job's would, and goes when it is deleted. These are KWOK's own
// "fast" stages, which its controller wants as a file. The controller itself is this module's
// tool, sigs.k8s.io/kwok/cmd/kwok.
package main

import (
	"fmt"

	"sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

func main() {
	for _, stage := range []string{
		fast.DefaultNodeInit, heartbeat.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete,
	} {
		fmt.Println("---")
		fmt.Println(stage)
	}
}
