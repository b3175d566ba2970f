package eviction

import (
	"fmt"
	"strings"
)

// A Signal is what a kubelet measures of its node to tell whether it is under pressure. All count
// what is left: bytes, inodes or process numbers.
type Signal uint8

// The kubelet's signals.
const (
	MemoryAvailable            Signal = iota // bytes: capacity minus working set
	AllocatableMemoryAvailable               // bytes: what pods may have minus their working sets
	NodeFsAvailable                          // bytes of the filesystem for volumes and logs
	NodeFsInodesFree
	ImageFsAvailable // bytes of the filesystem for images, and for containers' writable layers unless those have their own
	ImageFsInodesFree
	ContainerFsAvailable // bytes of the filesystem for containers' writable layers
	ContainerFsInodesFree
	PIDAvailable // process numbers
	signals
)

var signalNames = [signals]string{
	"memory.available", "allocatableMemory.available", "nodefs.available", "nodefs.inodesFree",
	"imagefs.available", "imagefs.inodesFree", "containerfs.available", "containerfs.inodesFree", "pid.available",
}

// String returns the signal's name, as the kubelet's configuration has it.
func (s Signal) String() string {
	if s < signals {
		return signalNames[s]
	}
	return fmt.Sprintf("Signal(%d)", uint8(s))
}

// ParseSignal returns the signal of a name. The error lists the names that there are.
func ParseSignal(name string) (Signal, error) {
	for s, n := range signalNames {
		if n == name {
			return Signal(s), nil
		}
	}
	return 0, fmt.Errorf("%q is no eviction signal; there are %s", name, strings.Join(signalNames[:], ", "))
}

// Condition returns the condition of the node that the signal stands for.
func (s Signal) Condition() Conditions {
	switch s {
	case MemoryAvailable, AllocatableMemoryAvailable:
		return MemoryPressure
	case PIDAvailable:
		return PIDPressure
	default:
		return DiskPressure
	}
}

// Resource returns the name of what there is too little of, as the kubelet's messages have it.
func (s Signal) Resource() string {
	switch s {
	case MemoryAvailable, AllocatableMemoryAvailable:
		return "memory"
	case PIDAvailable:
		return "pids"
	case NodeFsInodesFree, ImageFsInodesFree, ContainerFsInodesFree:
		return "inodes"
	default:
		return "ephemeral-storage"
	}
}

// inodes reports whether the signal counts inodes.
func (s Signal) inodes() bool {
	return s == NodeFsInodesFree || s == ImageFsInodesFree || s == ContainerFsInodesFree
}

// Conditions is a set of conditions that a kubelet reports of its node.
type Conditions uint8

// The conditions of pressure.
const (
	MemoryPressure Conditions = 1 << iota
	DiskPressure
	PIDPressure
)

var conditionNames = []string{"MemoryPressure", "DiskPressure", "PIDPressure"}

// Has reports whether all of those conditions are in c.
func (c Conditions) Has(those Conditions) bool { return c&those == those }

// String returns the conditions' names in brackets, as the kubelet's messages have them.
func (c Conditions) String() string {
	var names []string
	for i, name := range conditionNames {
		if c.Has(1 << i) {
			names = append(names, name)
		}
	}
	return "[" + strings.Join(names, " ") + "]"
}
