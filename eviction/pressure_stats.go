package eviction

import "github.com/berthsim/berth/cluster"

// SystemCritical is the priority from which on pods are critical: the kubelet doesn't evict them,
// and lets them in whatever pressure there is.
const SystemCritical = 2_000_000_000

// An Observation is what a kubelet measured for one signal.
type Observation struct {
	Available, Capacity int64        // bytes, inodes or process numbers
	At                  cluster.Time // when it was measured; 0 makes it new at every look
	Known               bool         // otherwise it wasn't measured, and no threshold of the signal is met
}

// NodeStats is what a kubelet measured of its node, by signal.
type NodeStats [signals]Observation

// Set notes what was measured for a signal.
func (ns *NodeStats) Set(s Signal, available, capacity int64, at cluster.Time) {
	ns[s] = Observation{available, capacity, at, true}
}

// A Use is what something takes of a filesystem.
type Use struct{ Bytes, Inodes int64 }

// A ContainerUse is what a container takes of local storage.
type ContainerUse struct {
	Rootfs Use // its writable layer
	Logs   Use
	Limit  int64 // bytes; 0 stands for none
}

// A VolumeUse is what a volume of a pod takes.
type VolumeUse struct {
	Use
	Limit int64 // bytes an emptyDir may take (sizeLimit); 0 stands for none
	Local bool  // emptyDir on disk, configMap or hostPath: counts to the pod under pressure of nodefs
}

// A Candidate is what a kubelet that may have to evict it knows of a pod.
type Candidate struct {
	Priority int32
	Static   bool         // a static or mirror pod: critical whatever its priority
	Grace    cluster.Time // terminationGracePeriodSeconds

	MemoryRequest  int64 // bytes; with the pod's overhead if it asks for any
	StorageRequest int64 // bytes of ephemeral storage; likewise

	NoStats        bool // nothing was measured of the pod, so what follows says nothing
	Memory         int64
	Processes      int64
	Containers     []ContainerUse
	Volumes        []VolumeUse
	Storage        int64 // bytes of local storage that the pod takes in all
	StorageLimit   int64 // bytes; the sum of its containers' limits
	StorageLimited bool  // there is a StorageLimit, which may be 0
}

// Critical reports whether the kubelet must not evict the pod, but must let it in.
func (p *Candidate) Critical() bool { return p.Static || p.Priority >= SystemCritical }

// overStorageLimit returns which of its limits on local storage the pod exceeds, "" if none.
// Logs count to a container's limit, and so does its writable layer unless a filesystem of its own
// holds images and layers.
func (p *Candidate) overStorageLimit(d Disks) Cause {
	if p.NoStats {
		return ""
	}
	for i := range p.Volumes {
		if v := &p.Volumes[i]; v.Limit > 0 && v.Bytes > v.Limit {
			return EmptyDirLimit
		}
	}
	if p.StorageLimited && p.Storage > p.StorageLimit {
		return PodStorageLimit
	}
	for i := range p.Containers {
		c := &p.Containers[i]
		used := c.Logs.Bytes
		if !d.DedicatedImageFs {
			used += c.Rootfs.Bytes
		}
		if c.Limit > 0 && used > c.Limit {
			return ContainerStorageLimit
		}
	}
	return ""
}
