package eviction

import "github.com/berthsim/berth/cluster"

// Garbage is a Reclaimer in numbers: a node whose dead containers and unused images take so much of
// its filesystems. It deletes all of either at once, as the kubelet does under pressure.
type Garbage struct {
	Disks      Disks
	Containers Use // writable layers and logs of dead containers
	Images     Use // images that no container uses
	Stats      *NodeStats
	// At is when the stats after a deletion are measured.
	At cluster.Time

	// Deleted is how much has been deleted in all.
	Deleted Use

	after NodeStats
}

// Reclaim implements Reclaimer.
func (g *Garbage) Reclaim(containers, images bool) *NodeStats {
	g.after = *g.Stats
	layers := NodeFsAvailable
	store := NodeFsAvailable
	if g.Disks.DedicatedImageFs {
		store = ImageFsAvailable
		if !g.Disks.DedicatedContainerFs {
			layers = ImageFsAvailable
		}
	}
	if containers {
		g.free(layers, &g.Containers)
	}
	if images {
		g.free(store, &g.Images)
	}
	return &g.after
}

// free gives what garbage takes back to a filesystem, and to those that are the same by other names.
func (g *Garbage) free(on Signal, garbage *Use) {
	for s := NodeFsAvailable; s <= ContainerFsInodesFree; s++ {
		if g.filesystem(s) != on || !g.after[s].Known {
			continue
		}
		freed := garbage.Bytes
		if s.inodes() {
			freed = garbage.Inodes
		}
		o := &g.after[s]
		o.Available = min(o.Available+freed, o.Capacity)
		o.At = g.At
	}
	g.Deleted.add(*garbage)
	*garbage = Use{}
}

// filesystem returns the signal of available bytes on the filesystem that a signal is of.
func (g *Garbage) filesystem(s Signal) Signal {
	switch {
	case s == NodeFsAvailable || s == NodeFsInodesFree || !g.Disks.DedicatedImageFs:
		return NodeFsAvailable
	case s == ImageFsAvailable || s == ImageFsInodesFree || !g.Disks.DedicatedContainerFs:
		return ImageFsAvailable
	default:
		return NodeFsAvailable
	}
}
