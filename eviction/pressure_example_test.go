package eviction_test

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// A node of 8 GiB has 99 MiB left, which is less than the 100 MiB that kubelets keep free by default. Of
// three pods two use more than they asked for, and one of these is less important.
func ExamplePressure() {
	names := []string{"database", "web", "batch"}
	pods := []eviction.Candidate{
		{Priority: 0, MemoryRequest: 5 << 30, Memory: 4 << 30},
		{Priority: 1000, MemoryRequest: 1 << 30, Memory: 2 << 30},
		{Priority: 0, MemoryRequest: 1 << 30, Memory: 3 << 29},
	}
	var stats eviction.NodeStats
	stats.Set(eviction.MemoryAvailable, 99<<20, 8<<30, cluster.Second)

	kubelet := eviction.NewPressure(eviction.DefaultPressureConfig())
	out := kubelet.Synchronize(cluster.Second, &stats, pods, nil)
	for _, kill := range out.Evicted {
		fmt.Printf("%s is evicted for %s, with %v s to end\n", names[kill.Pod], kill.Cause, kill.Grace.Seconds())
	}
	fmt.Println("the node reports", kubelet.Conditions())

	// The pod was killed after 2 s and is gone half a second later; the kubelet asks every second.
	next := eviction.After(3*cluster.Second, 3500*cluster.Millisecond)
	fmt.Printf("and is looked at again at %v s\n", next.Seconds())
	// Output:
	// batch is evicted for memory.available, with 1 s to end
	// the node reports [MemoryPressure]
	// and is looked at again at 4 s
}
