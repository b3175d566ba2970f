package manifest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// randomAccount makes a pod that has something of all that accounts are made of.
func randomAccount(r *rand.Rand) *v1.Pod {
	p := randomPod(r)
	if p.Spec.Resources != nil && r.IntN(2) == 0 {
		p.Spec.Resources.Limits = randomAmounts(r)
		delete(p.Spec.Resources.Limits, "example.com/device")
	}
	onNode := r.IntN(2) == 0
	if onNode {
		p.Spec.NodeName = "n1"
		if p.Spec.Resources != nil && r.IntN(2) == 0 {
			p.Status.Resources, p.Status.AllocatedResources = &v1.ResourceRequirements{Requests: randomAmounts(r)}, randomAmounts(r)
		}
		if r.IntN(3) == 0 {
			p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: v1.PodReasonInfeasible}}
		}
	}
	for i, group := range [][]v1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for j := range group {
			group[j].Name = fmt.Sprint("c", i, j)
			group[j].Resources.Limits = randomAmounts(r)
			status := v1.ContainerStatus{Name: group[j].Name}
			switch {
			case !onNode || r.IntN(2) == 0:
				continue
			case r.IntN(5) > 0:
				status.Resources = &v1.ResourceRequirements{Requests: randomAmounts(r), Limits: randomAmounts(r)}
				status.AllocatedResources = randomAmounts(r)
			}
			if i == 0 {
				p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, status)
			} else {
				p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, status)
			}
		}
	}
	if r.IntN(2) == 0 {
		grace, deadline := int64(1+r.IntN(60)), int64(5)
		p.Spec.TerminationGracePeriodSeconds, p.Spec.ActiveDeadlineSeconds, p.Spec.PriorityClassName = &grace, &deadline, "high"
	}
	if r.IntN(3) == 0 {
		term := v1.PodAffinityTerm{TopologyKey: "z"}
		if r.IntN(2) == 0 {
			term.Namespaces = []string{"ns"} // its own, but listed
		}
		terms := []v1.WeightedPodAffinityTerm{{Weight: 1, PodAffinityTerm: term}}
		p.Spec.Affinity = &v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: terms}}
	}
	return p
}

// TestWriterAccounts writes and reads pods with accounts of all kinds.
func TestWriterAccounts(t *testing.T) {
	var given, other int
	for seed := range uint64(3000) {
		want, err := (&Converter{}).Pod(randomAccount(rand.New(rand.NewPCG(2, seed))))
		if err != nil {
			t.Fatal(err)
		}
		if want.Account.Containers[0].GivenRequests != nil {
			given++
		}
		if want.Account.OtherNamespaces {
			other++
		}
		got := rewritten(t, want)
		if !reflect.DeepEqual(got.Account, want.Account) || !sameClass(want.Class, got.Class) {
			t.Fatalf("seed %d:\n%s\n%s\nbecome\n%s\n%s", seed, asJSON(want.Account), asJSON(want.Class), asJSON(got.Account), asJSON(got.Class))
		}
	}
	if given < 300 || other < 300 {
		t.Errorf("%d pods have been given something, %d speak of namespaces", given, other)
	}
}

// TestWriterForeignAccount has an account that doesn't say what the class says: the class counts.
func TestWriterForeignAccount(t *testing.T) {
	class := &cluster.Class{Namespace: "ns", Requests: cluster.Amounts{500, 0, 0}, Images: []string{"i:latest"}}
	account := &cluster.Account{PriorityClass: "high", Containers: []cluster.Container{{Name: "c", Requests: cpuMemory(700, -1)}}}
	got := rewritten(t, &cluster.PodSpec{Name: "p", Class: class, Account: account, Run: cluster.Never})
	if got.Class.Requests.Get(cluster.CPU) != 500 || got.Account.PriorityClass != "high" {
		t.Errorf("class %s, account %s", asJSON(got.Class), asJSON(got.Account))
	}
}
