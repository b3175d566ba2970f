package pressure

import (
	"math/rand/v2"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	statsapi "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// A world is a node and its pods as they are at one pass.
type world struct {
	drawer
	c     *Case
	node  eviction.NodeStats
	pods  []eviction.Candidate // by their index in the case
	alive []bool               // likewise

	mode [9]int // how each signal is doing
	// What would be freed by the deletion of dead containers and of unused images, by signal.
	containers, images [9]int64
}

func newWorld(c *Case) *world {
	w := &world{drawer: drawer{rand.New(rand.NewPCG(c.seed[0], c.seed[1]))}, c: c}
	for _, p := range c.Pods {
		w.pods = append(w.pods, known(p))
		w.alive = append(w.alive, true)
	}
	return w
}

// capacities of the signals, in their order. Some are odd so that shares of them aren't whole.
var capacities = [9]int64{8<<30 + 7, 7<<30 + 3, 100<<30 + 1, 6_553_601, 50<<30 + 5, 3_276_803, 40<<30 + 9, 1_000_003, 32768}

// step brings the world to the next pass at a time.
func (w *world) step(now cluster.Time) {
	at := now + 1
	if w.c.Untimed {
		at = 0
	}
	for i := range w.node {
		s := eviction.Signal(i)
		w.containers[i], w.images[i] = 0, 0
		if d := (s - eviction.NodeFsAvailable); d < 6 && w.chance(0.7) {
			w.containers[i] = pick[int64](w.drawer, 0, 200, 2<<30)
			w.images[i] = pick[int64](w.drawer, 0, 100, 2<<30)
		}
		if w.chance(0.4) {
			w.mode[i] = w.IntN(8)
		}
		w.node[i] = eviction.Observation{Available: w.available(s), Capacity: capacities[i], At: w.node[i].At, Known: !w.chance(0.03)}
	}
	// What is measured together has one time, and now and then nothing was measured since.
	for _, together := range [][]eviction.Signal{{0}, {1}, {2, 3}, {4, 5}, {6, 7}, {8}} {
		if w.node[together[0]].At == 0 || w.chance(0.85) {
			for _, s := range together {
				w.node[s].At = at
			}
		}
	}
	for i := range w.pods {
		w.use(i)
	}
	if now == 0 && w.c.configuresContainerFs() {
		w.node[eviction.ContainerFsAvailable].Known, w.node[eviction.ContainerFsInodesFree].Known = false, false
	}
}

// available draws what is left of a signal's resource: often what a threshold is about, to the byte.
func (w *world) available(s eviction.Signal) int64 {
	var on []eviction.Threshold
	for _, t := range w.c.Thresholds {
		if t.Signal == s || s >= eviction.ContainerFsAvailable && s <= eviction.ContainerFsInodesFree &&
			(t.Signal == s-2 || t.Signal == s-4) { // those that containerfs may have its thresholds from
			on = append(on, t)
		}
	}
	most := capacities[s]
	if len(on) == 0 {
		return most / 2
	}
	t := pick(w.drawer, on...)
	level, reclaim := t.Of(most), t.MinReclaim.Of(most)
	switch w.mode[s] {
	case 0, 1:
		return most / 2
	case 2:
		return min(level+reclaim+pick[int64](w.drawer, -1, 0, 1), most)
	case 3:
		return min(level+reclaim/2, most)
	case 4:
		return level
	case 5:
		return level - 1
	case 6:
		return max(level-pick[int64](w.drawer, 150, 1<<30), 0)
	default:
		return level / 2
	}
}

// use draws what a pod uses, from few values so that pods are equal now and then.
func (w *world) use(i int) {
	p, s := &w.pods[i], &w.c.Shape[i]
	p.NoStats = w.chance(0.05)
	p.Memory = max(0, p.MemoryRequest+pick[int64](w.drawer, -100*mi, -1, 0, 0, 1, 20*mi, 20*mi+512, 100*mi))
	p.Processes = pick[int64](w.drawer, 0, 1, 5, 5, 100)
	p.Containers, p.Volumes, p.Storage = nil, nil, 0
	small := w.chance(0.1)
	amount := func() eviction.Use {
		if small {
			return eviction.Use{Bytes: int64(w.IntN(3)), Inodes: int64(w.IntN(3)) / 2}
		}
		return eviction.Use{Bytes: pick[int64](w.drawer, 0, 0, 10, 50, 50, 60, 100) * mi, Inodes: pick[int64](w.drawer, 0, 100, 20*mi)}
	}
	for j := range s.containers {
		c := eviction.ContainerUse{Rootfs: amount(), Logs: amount()}
		if limit, ok := w.c.Pods[i].Spec.Containers[j].Resources.Limits[v1.ResourceEphemeralStorage]; ok {
			c.Limit = limit.Value()
		}
		p.Containers = append(p.Containers, c)
		p.Storage += c.Rootfs.Bytes + c.Logs.Bytes
	}
	for _, v := range s.volumes {
		p.Volumes = append(p.Volumes, eviction.VolumeUse{Use: amount(), Limit: v.limit, Local: v.local})
	}
	p.Storage = p.Storage*int64(w.IntN(3))/2 + pick[int64](w.drawer, 0, 1)
	if p.StorageLimited && w.chance(0.3) {
		p.Storage = max(0, p.StorageLimit+pick[int64](w.drawer, -1, 0, 1))
	}
}

// Reclaim frees what dead containers and unused images take, once.
func (w *world) Reclaim(containers, images bool) *eviction.NodeStats {
	for i := range w.node {
		o := &w.node[i]
		if containers {
			o.Available += w.containers[i]
			w.containers[i] = 0
		}
		if images {
			o.Available += w.images[i]
			w.images[i] = 0
		}
	}
	return &w.node
}

// clone returns a copy that Reclaim can be tried on.
func (w *world) clone() *world {
	n := *w
	n.pods, n.alive = slices.Clone(w.pods), slices.Clone(w.alive)
	return &n
}

// active lists the indexes of the pods that have not ended.
func (w *world) active() (all []int) {
	for i, alive := range w.alive {
		if alive {
			all = append(all, i)
		}
	}
	return all
}

// summary is what upstream's stats provider would say of the world.
func (w *world) summary() *statsapi.Summary {
	s := &statsapi.Summary{}
	s.Node.Memory = w.memory(eviction.MemoryAvailable)
	if m := w.memory(eviction.AllocatableMemoryAvailable); m != nil {
		s.Node.SystemContainers = []statsapi.ContainerStats{
			{Name: statsapi.SystemContainerKubelet}, {Name: statsapi.SystemContainerPods, Memory: m},
		}
	}
	s.Node.Fs = w.fs(eviction.NodeFsAvailable)
	s.Node.Runtime = &statsapi.RuntimeStats{ImageFs: w.fs(eviction.ImageFsAvailable), ContainerFs: w.fs(eviction.ContainerFsAvailable)}
	if o := w.node[eviction.PIDAvailable]; o.Known {
		s.Node.Rlimit = &statsapi.RlimitStats{Time: when(o), MaxPID: &o.Capacity, NumOfRunningProcesses: new(o.Capacity - o.Available)}
	}
	for i := range w.pods {
		if w.alive[i] && !w.pods[i].NoStats {
			s.Pods = append(s.Pods, w.podStats(i))
		}
	}
	return s
}

// epoch is where virtual time begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func when(o eviction.Observation) metav1.Time {
	if o.At == 0 {
		return metav1.Time{}
	}
	return metav1.NewTime(epoch.Add(time.Duration(o.At)))
}

func count(n int64) *uint64 { return new(uint64(n)) }

func (w *world) memory(s eviction.Signal) *statsapi.MemoryStats {
	o := w.node[s]
	if !o.Known {
		return nil
	}
	return &statsapi.MemoryStats{Time: when(o), AvailableBytes: count(o.Available), WorkingSetBytes: count(o.Capacity - o.Available)}
}

func (w *world) fs(s eviction.Signal) *statsapi.FsStats {
	bytes, inodes := w.node[s], w.node[s+1]
	f := &statsapi.FsStats{Time: when(bytes)}
	if bytes.Known {
		f.AvailableBytes, f.CapacityBytes = count(bytes.Available), count(bytes.Capacity)
	}
	if inodes.Known {
		f.InodesFree, f.Inodes = count(inodes.Available), count(inodes.Capacity)
	}
	return f
}

func (w *world) podStats(i int) statsapi.PodStats {
	p, s := &w.pods[i], &w.c.Shape[i]
	st := statsapi.PodStats{
		PodRef:           statsapi.PodReference{Name: w.c.Pods[i].Name, Namespace: "default", UID: string(w.c.Pods[i].UID)},
		Memory:           &statsapi.MemoryStats{WorkingSetBytes: count(p.Memory)},
		ProcessStats:     &statsapi.ProcessStats{ProcessCount: count(p.Processes)},
		EphemeralStorage: &statsapi.FsStats{UsedBytes: count(p.Storage)},
	}
	if p.Memory == 0 {
		st.Memory = nil
	}
	taken := func(u eviction.Use) statsapi.FsStats {
		return statsapi.FsStats{UsedBytes: count(u.Bytes), InodesUsed: count(u.Inodes)}
	}
	for j, name := range s.containers {
		st.Containers = append(st.Containers, statsapi.ContainerStats{
			Name: name, Rootfs: new(taken(p.Containers[j].Rootfs)), Logs: new(taken(p.Containers[j].Logs)),
		})
	}
	for j, v := range s.volumes {
		st.VolumeStats = append(st.VolumeStats, statsapi.VolumeStats{Name: v.name, FsStats: taken(p.Volumes[j].Use)})
	}
	return st
}
