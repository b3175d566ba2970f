package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// A crowd is very many pods that come one by one, each a millisecond after the other, and
// leave again. It is a sim.Source.
type crowd struct {
	nodes   []*cluster.NodeSpec
	classes []*cluster.Class // drawn from in turn
	pods    int
	run     cluster.Time
	every   cluster.Time // between pods; 0 for a millisecond
	next    int
	specs   []cluster.PodSpec // the last that came
}

// Next implements sim.Source.
func (c *crowd) Next() (cluster.Event, error) {
	i := c.next
	c.next++
	if i < len(c.nodes) {
		return cluster.Event{Kind: cluster.NodeAdded, NodeSpec: c.nodes[i]}, nil
	}
	if i -= len(c.nodes); i >= c.pods {
		return cluster.Event{}, io.EOF
	}
	if len(c.specs) == 0 {
		c.specs = make([]cluster.PodSpec, 1024)
	}
	spec := &c.specs[0]
	c.specs = c.specs[1:]
	*spec = cluster.PodSpec{Name: fmt.Sprint("pod-", i), Class: c.classes[i%len(c.classes)], Run: c.run}
	return cluster.Event{Time: cluster.Time(i+1) * cmp.Or(c.every, cluster.Millisecond), Kind: cluster.PodAdded, PodSpec: spec}, nil
}

// plainNodes are as in kube-scheduler's own performance tests.
func plainNodes(n int) (nodes []*cluster.NodeSpec) {
	for i := range n {
		name := fmt.Sprintf("node-%06d", i)
		nodes = append(nodes, &cluster.NodeSpec{
			Name: name, Capacity: cluster.Amounts{cluster.CPU: 4000, cluster.Memory: 32 << 30, cluster.PodSlots: 110},
			Labels: cluster.Labels{{Key: "kubernetes.io/hostname", Value: name}, {Key: "topology.kubernetes.io/zone", Value: fmt.Sprint("zone", i%3)}},
		})
	}
	return nodes
}

func plainClasses(n int) (classes []*cluster.Class) {
	for i := range int64(n) {
		classes = append(classes, &cluster.Class{Namespace: "default", Requests: cluster.Amounts{cluster.CPU: 100 + 10*i, cluster.Memory: (500 + 10*i) << 20}})
	}
	return classes
}

// recordedCrowd has so many nodes as openb's are, and pods of its classes in their
// proportions, as many of which run at a time as keep a fifth of the GPUs busy, so that all find room.
func recordedCrowd(b *testing.B, nodes, pods int) *crowd {
	b.Helper()
	root := os.Getenv("BERTH_TRACES")
	if root == "" {
		b.Skip("BERTH_TRACES doesn't name the folder of recorded traces")
	}
	tr, err := traces.Opener{Root: root}.Open("openb:alibaba-openb-gpu-v2023?pods=default&mode=time")
	if err != nil {
		b.Fatal(err)
	}
	c := &crowd{pods: pods}
	var gpus, wanted int64
	stream := tr.Events(1)
	for {
		e, err := stream.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		if e.Kind == cluster.NodeAdded {
			c.nodes = append(c.nodes, e.NodeSpec)
		} else {
			c.classes = append(c.classes, e.PodSpec.Class)
			wanted += e.PodSpec.Class.GPUs.Total()
		}
	}
	for i := 0; len(c.nodes) < nodes; i++ {
		spec := *c.nodes[i]
		spec.Name = fmt.Sprint(spec.Name, "-", len(c.nodes))
		c.nodes = append(c.nodes, &spec)
	}
	c.nodes = slices.Clip(c.nodes[:nodes])
	for _, n := range c.nodes {
		gpus += int64(n.GPUs) * cluster.WholeGPU
	}
	resident := gpus / 5 * int64(len(c.classes)) / wanted
	c.run = cluster.Time(resident) * cluster.Millisecond
	return c
}

// BenchmarkMillion plays a million pods: an iteration is the whole run, from an empty
// cluster to the digest of a million decisions. It is on one processor's time but for
// the collection of garbage.
func BenchmarkMillion(b *testing.B) {
	const pods = 1_000_000
	b.Run("nodes=5000/classes=10/policy=kube", func(b *testing.B) {
		million(b, "kube", func() *crowd {
			return &crowd{nodes: plainNodes(5000), classes: plainClasses(10), pods: pods, run: 10 * cluster.Second}
		})
	})
	b.Run("nodes=5000/classes=openb/policy=mostallocated", func(b *testing.B) {
		million(b, "mostallocated", func() *crowd { return recordedCrowd(b, 5000, pods) })
	})
	b.Run("nodes=100000/classes=10/policy=kube/resident=1000000", func(b *testing.B) {
		million(b, "kube", func() *crowd {
			return &crowd{nodes: plainNodes(100_000), classes: plainClasses(10), pods: pods, run: cluster.Never}
		})
	})
}

func million(b *testing.B, policy string, source func() *crowd) {
	b.ReportAllocs()
	decided := uint64(0)
	for b.Loop() {
		c, s := source(), cluster.NewState()
		pr, err := scheduler.NewProfile(plugins.All, []scheduler.Weighted{{Name: policy, Weight: 1}})
		if err != nil {
			b.Fatal(err)
		}
		cl, err := sim.New(s, c, sim.Options{})
		if err != nil {
			b.Fatal(err)
		}
		digest := cluster.NewDigest()
		placed := counter(0)
		if err := cluster.Run(b.Context(), cl, s, cluster.Recorders{digest, &placed}, scheduler.New(pr)); err != nil {
			b.Fatal(err)
		}
		if int(placed) != c.pods {
			b.Fatalf("%d of %d pods were placed", placed, c.pods)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w := pr.Work()
		b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
		b.ReportMetric(float64(w.Refreshed)/float64(w.Decisions), "refreshed/pod")
		b.ReportMetric(float64(w.Scans), "scans")
		decided += w.Decisions
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(decided), "µs/decision")
}

// A counter is a Recorder that counts pods that were bound.
type counter int

// Record implements cluster.Recorder.
func (c *counter) Record(_ *cluster.State, _ []cluster.Event, ds []cluster.Decision) error {
	for i := range ds {
		if ds[i].Kind == cluster.Bind {
			*c++
		}
	}
	return nil
}
