package manifest

import (
	"fmt"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podBenches are pods that come one after the other, and what Converter.Pod may
// allocate for each: a PodSpec, and Labels if those of the pod before differ.
var podBenches = []struct {
	name   string
	pods   []*v1.Pod
	allocs float64
}{
	{"labels=0", plainPods(1, 0, 0), 1},
	{"labels=5", plainPods(1, 5, 0), 1},
	{"labels=5/differ=1", plainPods(1, 5, 1), 2},
	{"labels=5/templates=50", plainPods(50, 5, 0), 1},
	{"labels=5/differ=1/templates=50", plainPods(50, 5, 1), 2},
	{"example", examplePods(""), 1},
	{"example/running", examplePods("node"), 1},
}

var benchKeys = []string{
	"app.kubernetes.io/name", "app.kubernetes.io/instance", "pod-template-hash", "team", "batch.kubernetes.io/job-completion-index",
}

// plainPods are 200 pods, each with memory of its own, of Jobs whose pods ask for
// CPU and memory, with as many labels, of which some differ from pod to pod.
func plainPods(templates, labels, differ int) []*v1.Pod {
	yes, seconds, priority := true, int64(300), int32(0)
	var pods []*v1.Pod
	for i := range 200 {
		p := &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: fmt.Sprint("pod-", i), Namespace: "team", Labels: map[string]string{},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: fmt.Sprint("job-", i%templates), Controller: &yes}},
			},
			Spec: v1.PodSpec{
				Priority: &priority, SchedulerName: v1.DefaultSchedulerName,
				Containers: []v1.Container{{Name: "main", Image: "registry.k8s.io/pause:3.10", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
					v1.ResourceCPU: resource.MustParse("100m"), v1.ResourceMemory: resource.MustParse("500Mi"),
				}}}},
				Tolerations: []v1.Toleration{
					{Key: v1.TaintNodeNotReady, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: &seconds},
					{Key: v1.TaintNodeUnreachable, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: &seconds},
				},
			},
		}
		for k, key := range benchKeys[:labels] {
			value := "the-same-for-all"
			if k >= labels-differ {
				value = fmt.Sprint("value-", i)
			}
			p.Labels[key] = strings.Clone(value)
		}
		pods = append(pods, p.DeepCopy())
	}
	return pods
}

// examplePods are 200 of one Deployment, on a node if it has a name.
func examplePods(node string) (pods []*v1.Pod) {
	p := examplePod(0)
	p.Spec.NodeName = node
	if node == "" {
		p.Status = v1.PodStatus{Phase: v1.PodPending}
	}
	for i := range 200 {
		p.Name = fmt.Sprint("pod-", i)
		pods = append(pods, p.DeepCopy())
	}
	return pods
}

func BenchmarkPod(b *testing.B) {
	for _, bb := range podBenches {
		b.Run(bb.name, func(b *testing.B) {
			var conv Converter
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := conv.Pod(bb.pods[i%len(bb.pods)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestPodAllocations holds Converter.Pod to what its benchmark says.
func TestPodAllocations(t *testing.T) {
	for _, tt := range podBenches {
		var conv Converter
		allocs := testing.AllocsPerRun(10, func() {
			for _, p := range tt.pods {
				if _, err := conv.Pod(p); err != nil {
					t.Fatal(err)
				}
			}
		})
		if want := tt.allocs * float64(len(tt.pods)); allocs != want {
			t.Errorf("%s: %v allocations for %d pods, want %v", tt.name, allocs, len(tt.pods), want)
		}
	}
}
