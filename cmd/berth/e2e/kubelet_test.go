//go:build linux && e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/quota"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

// patience is how long anything is waited for: machines stall.
const patience = 4 * time.Minute

// await waits until something holds.
func await(t *testing.T, what string, holds func(ctx context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 300*time.Millisecond, patience, true, holds); err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
}

// work returns a pod that runs the lab's program for work.
func work(namespace, name, node, memory string, args ...string) *core.Pod {
	grace, mount := int64(1), false
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name},
		Spec: core.PodSpec{
			NodeName: node, TerminationGracePeriodSeconds: &grace, AutomountServiceAccountToken: &mount, DNSPolicy: core.DNSDefault,
			Containers: []core.Container{{
				Name: "work", Image: "registry.local/work:1", ImagePullPolicy: core.PullNever, Args: args,
				Resources: core.ResourceRequirements{Requests: core.ResourceList{core.ResourceMemory: resource.MustParse(memory)}},
			}},
		},
	}
}

func (b *bed) create(t *testing.T, p *core.Pod) {
	t.Helper()
	if _, err := b.client.CoreV1().Pods(p.Namespace).Create(t.Context(), p, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// memory has a node run short of memory. The kubelet must evict the pod that package eviction
// says, given what each of them asks for and takes, and no other.
func (b *bed) memory(t *testing.T) {
	const mib = 1 << 20
	pods := []struct {
		name  string
		asks  string
		takes int64 // bytes, when the node runs short
	}{
		{name: "modest", asks: "64Mi", takes: 20 * mib},
		{name: "within", asks: "300Mi", takes: 150 * mib},
		{name: "hog", asks: "64Mi", takes: 1700 * mib},
	}
	var candidates []eviction.Candidate
	for _, p := range pods {
		asks := resource.MustParse(p.asks)
		candidates = append(candidates, eviction.Candidate{MemoryRequest: asks.Value(), Memory: p.takes})
		args := []string{"--memory", fmt.Sprint(p.takes)}
		if p.name == "hog" {
			args = append(args, "--memory-rate", "60Mi")
		}
		b.create(t, work("default", p.name, "node1", p.asks, args...))
	}
	order := eviction.EvictionOrder(candidates, eviction.KubeletRank(eviction.MemoryAvailable, eviction.Disks{}))
	victim := pods[order[0]].name
	await(t, "the kubelet has evicted "+victim, func(ctx context.Context) (bool, error) {
		p, err := b.client.CoreV1().Pods("default").Get(ctx, victim, meta.GetOptions{})
		if err != nil {
			return false, nil
		}
		for _, c := range p.Status.Conditions {
			if c.Type == core.DisruptionTarget && c.Reason == core.PodReasonTerminationByKubelet {
				return true, nil
			}
		}
		return false, nil
	})
	for i, p := range pods {
		if i == order[0] {
			continue
		}
		got, err := b.client.CoreV1().Pods("default").Get(t.Context(), p.name, meta.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status.Phase != core.PodRunning || got.Status.Reason != "" {
			t.Errorf("%s, which asks for %s and takes %d bytes: %s %s", p.name, p.asks, p.takes, got.Status.Phase, got.Status.Reason)
		}
	}
}

// quota has the API server refuse a pod, in the words that package quota predicts.
func (b *bed) quota(t *testing.T) {
	ctx := t.Context()
	if _, err := b.client.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "tenant"}}, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	hard := core.ResourceList{core.ResourcePods: resource.MustParse("3"), core.ResourceRequestsMemory: resource.MustParse("100Mi")}
	q := &core.ResourceQuota{ObjectMeta: meta.ObjectMeta{Namespace: "tenant", Name: "limits"}, Spec: core.ResourceQuotaSpec{Hard: hard}}
	if _, err := b.client.CoreV1().ResourceQuotas("tenant").Create(ctx, q, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the quota's status says what is enforced", func(ctx context.Context) (bool, error) {
		got, err := b.client.CoreV1().ResourceQuotas("tenant").Get(ctx, "limits", meta.GetOptions{})
		return err == nil && len(got.Status.Hard) == 2, nil
	})
	for i := range 2 {
		b.create(t, work("tenant", fmt.Sprintf("p%d", i), "node2", "40Mi"))
	}
	third := work("tenant", "p2", "", "40Mi")
	predicted := b.predict(t, third)
	_, err := b.client.CoreV1().Pods("tenant").Create(ctx, third, meta.CreateOptions{})
	if err == nil {
		t.Fatalf("the API server takes a pod of which package quota says: %s", predicted)
	}
	if want := `pods "p2" is forbidden: ` + predicted; err.Error() != want {
		t.Errorf("the API server says\n%s\nand package quota\n%s", err, want)
	}
	if _, err := b.client.CoreV1().Pods("tenant").Create(ctx, work("tenant", "p3", "", "20Mi"), meta.CreateOptions{}); err != nil {
		t.Errorf("a pod that fits is refused: %v", err)
	}
}

// predict asks package quota whether a pod may be created now, and why not.
func (b *bed) predict(t *testing.T, p *core.Pod) string {
	t.Helper()
	now, err := b.client.CoreV1().ResourceQuotas("tenant").Get(t.Context(), "limits", meta.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	now.APIVersion, now.Kind = "v1", "ResourceQuota"
	asked := p.DeepCopy()
	asked.APIVersion, asked.Kind = "v1", "Pod"
	var text []byte
	for _, o := range []any{now, asked} {
		one, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, "---\n"...), one...)
	}
	read, err := manifest.Read("now.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	s := cluster.NewState()
	var objects []cluster.Event
	for _, o := range read.Objects {
		objects = append(objects, cluster.Event{Kind: cluster.ObjectSet, Object: o})
	}
	s.Observe(0, objects)
	code, reason := (&quota.Admission{}).Admit(s, read.Pods[0])
	if code != 403 {
		t.Fatalf("package quota answers %d: %s", code, reason)
	}
	return reason
}
