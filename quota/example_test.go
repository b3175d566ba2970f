package quota_test

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
)

// A team may have 4 CPUs and 2 GPUs, of which its pods ask for 3 and 1 so far. A pod that asks for half
// a CPU and a GPU has room; the next like it has not.
func ExampleCheck() {
	hard := []cluster.NamedAmount{{Name: "requests.cpu", Amount: 4000}, {Name: "requests.nvidia.com/gpu", Amount: 2}}
	used := []cluster.NamedAmount{{Name: "requests.cpu", Amount: 3000}, {Name: "requests.nvidia.com/gpu", Amount: 1}}
	quotas := []*cluster.ResourceQuota{{Namespace: "team-a", Name: "team", Hard: hard, Enforced: hard, Used: used}}
	if err := quota.Validate(quotas[0]); err != nil {
		fmt.Println(err)
	}

	requests := []cluster.NamedAmount{{Name: "cpu", Amount: 500}, {Name: "nvidia.com/gpu", Amount: 1}}
	pod := quota.Object{Resource: quota.Pods, Namespace: "team-a", Name: "train", Pod: &quota.Pod{
		Account: &cluster.Account{Containers: []cluster.Container{{Name: "main", Requests: requests}}},
	}}
	for range 2 {
		after, code, reason := quota.Check(quotas, &quota.Request{Operation: quota.Create, Object: pod}, nil)
		if reason != "" {
			fmt.Println(code, reason)
			continue
		}
		quotas = after
		fmt.Println("created; used is", quotas[0].Used)
	}
	// Output:
	// created; used is [{requests.cpu 3500} {requests.nvidia.com/gpu 2}]
	// 403 exceeded quota: team, requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=2
}
