package kube_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/berthsim/berth/cluster/manifest"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// gpuPod asks for shares of GPUs.
func gpuPod(name string, shares int64) *v1.Pod {
	p := aPod(name, 100)
	list := v1.ResourceList{cluster.GPUShares: *resource.NewQuantity(shares, resource.DecimalSI)}
	p.Spec.Containers[0].Resources = v1.ResourceRequirements{Requests: list, Limits: list}
	return p
}

// freeGPUs returns what the server's pods leave of a node's GPUs, by their annotations.
func (w *world) freeGPUs(node string, gpus int) []int32 {
	free := make([]int32, gpus)
	for i := range free {
		free[i] = cluster.WholeGPU
	}
	for _, p := range kubetest.List[*v1.Pod](w.server) {
		if p.Spec.NodeName != node {
			continue
		}
		places := strings.Split(p.Annotations[manifest.AnnotationPlaces], ",")
		asks := p.Spec.Containers[0].Resources.Requests[cluster.GPUShares]
		for _, place := range places {
			i, err := strconv.Atoi(place)
			if err != nil {
				w.t.Errorf("pod %s: %v", p.Name, err)
				continue
			}
			free[i] -= int32(asks.Value()) / int32(len(places))
		}
	}
	return free
}

// TestGPUsOutliveTheScheduler has a scheduler place pods on GPUs, and another go on after it,
// which knows of them only what the server does.
func TestGPUsOutliveTheScheduler(t *testing.T) {
	inWorld(t, kubetest.Options{}, func(w *world) {
		node := benchNode("a")
		node.Status.Allocatable[cluster.GPUShares] = resource.MustParse("4000")
		w.add(node)
		for i, shares := range []int64{300, 1000, 300, 600, 500} {
			w.add(gpuPod(fmt.Sprint("p", i), shares))
		}
		first := w.drive(kube.Options{}, nil, kubeScheduler(t, "GPUPacking"))
		after(5 * time.Second)
		was := w.freeGPUs("a", 4)
		first.end()
		second := w.drive(kube.Options{}, nil, kubeScheduler(t, "GPUPacking"))
		after(5 * time.Second)
		n := rowOfNode(second.state, "a")
		if is := second.state.Nodes.GPUFree[n]; fmt.Sprint(is) != fmt.Sprint(was) || fmt.Sprint(was) == "[1000 1000 1000 1000]" {
			t.Errorf("%v are free, and were %v", is, was)
		}
		for i, shares := range []int64{400, 1000, 1000, 400} {
			w.add(gpuPod(fmt.Sprint("q", i), shares))
		}
		after(5 * time.Second)
		for i, free := range w.freeGPUs("a", 4) {
			if free < 0 || free != second.state.Nodes.GPUFree[n][i] {
				t.Errorf("of GPU %d %d shares are free, and %d by the State", i, free, second.state.Nodes.GPUFree[n][i])
			}
		}
		if second.state.Pending() != 2 {
			t.Errorf("%d pods wait; two find no whole GPU free", second.state.Pending())
		}
	})
}
