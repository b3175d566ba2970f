package sim

import "github.com/berthsim/berth/cluster"

// An end is a pod's, at a time to come.
type end struct {
	at   cluster.Time
	seq  uint64 // order of scheduling; never reused
	pod  cluster.PodID
	node cluster.NodeID
}

// Before orders ends by time, then by when they were set.
func (a end) Before(b end) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	return a.seq < b.seq
}
