package eviction

// Disks says which filesystems a node has beside the one for volumes and logs (nodefs).
type Disks struct {
	// DedicatedImageFs: images have a filesystem of their own (imagefs).
	DedicatedImageFs bool
	// DedicatedContainerFs: containers' writable layers and images have different filesystems.
	// With DedicatedImageFs, layers are on nodefs then.
	DedicatedContainerFs bool
}

// containerFs returns the signals that the thresholds of containerfs are made from, and whether they
// are: a kubelet doesn't know what to do about layers that alone have a filesystem of their own.
func (d Disks) containerFs() (available, inodes Signal, ok bool) {
	switch {
	case d.DedicatedImageFs == d.DedicatedContainerFs:
		return NodeFsAvailable, NodeFsInodesFree, true
	case d.DedicatedImageFs:
		return ImageFsAvailable, ImageFsInodesFree, true
	default:
		return 0, 0, false
	}
}

// withContainerFs returns thresholds as the kubelet has them once it knows its disks: those of
// containerfs that were configured are replaced by copies of what the filesystem beneath has, hard
// by hard and soft by soft, or by one that is never met if that has none; missing ones are added at
// the end. The kubelet learns that in the middle of its first look at the node, where it doesn't go
// through the added ones yet; whether it does through the replaced ones is an accident upstream (the
// capacity of a slice), so here they are in time.
func (d Disks) withContainerFs(thresholds []Threshold) []Threshold {
	all := append([]Threshold(nil), thresholds...)
	available, inodes, ok := d.containerFs()
	if !ok {
		return all
	}
	for _, pair := range [][2]Signal{{ContainerFsAvailable, available}, {ContainerFsInodesFree, inodes}} {
		for _, hard := range []bool{true, false} {
			t := Threshold{}
			if i := lastThreshold(thresholds, pair[1], hard); i >= 0 {
				t = thresholds[i]
			}
			t.Signal = pair[0]
			if i := lastThreshold(thresholds, pair[0], hard); i >= 0 {
				all[i] = t
			} else {
				all = append(all, t)
			}
		}
	}
	return all
}

// lastThreshold returns the index of the last threshold on a signal that is hard, or is not; -1 if there is none.
func lastThreshold(thresholds []Threshold, s Signal, hard bool) int {
	for i := len(thresholds) - 1; i >= 0; i-- {
		if t := &thresholds[i]; t.Signal == s && t.Hard() == hard {
			return i
		}
	}
	return -1
}

// reclaims returns what the kubelet deletes before it evicts pods on a signal's account: dead
// containers, unused images, or both, in this order.
func (d Disks) reclaims(s Signal) (containers, images bool) {
	if s.Condition() != DiskPressure {
		return false, false
	}
	nodeFs := s == NodeFsAvailable || s == NodeFsInodesFree
	imageFs := s == ImageFsAvailable || s == ImageFsInodesFree
	switch {
	case d.DedicatedImageFs && d.DedicatedContainerFs:
		return !imageFs, imageFs
	case d.DedicatedImageFs:
		return !nodeFs, !nodeFs
	default:
		return true, true
	}
}

// counts tells what of a pod counts under a signal's pressure, which is what lies on the signal's
// filesystem as far as the kubelet knows: writable layers, logs, local volumes. It doesn't know what
// images a pod alone uses.
func (d Disks) counts(s Signal) (layers, logs, volumes bool) {
	nodeFs := s == NodeFsAvailable || s == NodeFsInodesFree
	imageFs := s == ImageFsAvailable || s == ImageFsInodesFree
	switch {
	case d.DedicatedImageFs && d.DedicatedContainerFs:
		return !imageFs, !imageFs, !imageFs
	case d.DedicatedImageFs:
		return !nodeFs, nodeFs, nodeFs
	default:
		return true, true, true
	}
}

// use returns what a pod takes of what a signal of disks counts.
func (d Disks) use(s Signal, p *Candidate) int64 {
	layers, logs, volumes := d.counts(s)
	var u Use
	for i := range p.Containers {
		c := &p.Containers[i]
		if layers {
			u.add(c.Rootfs)
		}
		if logs {
			u.add(c.Logs)
		}
	}
	for i := range p.Volumes {
		if v := &p.Volumes[i]; volumes && v.Local {
			u.add(v.Use)
		}
	}
	if s.inodes() {
		return u.Inodes
	}
	return u.Bytes
}

func (u *Use) add(v Use) {
	u.Bytes += v.Bytes
	u.Inodes += v.Inodes
}
