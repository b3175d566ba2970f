package replay

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Watched returns a Log.Outside for a cluster that others decide about: what they made of its
// pods and nodes is an outcome, though none of it follows from decisions in the log. That a pod
// comes, and nodes and objects as they are asked to be, comes from outside.
func Watched() func(s *cluster.State, e *cluster.Event) bool {
	objects := map[objectKey]cluster.Object{}
	return func(_ *cluster.State, e *cluster.Event) bool {
		switch e.Kind {
		case cluster.PodTold, cluster.PodChanged, cluster.PodEnded:
			return false
		case cluster.NodeChanged:
			return !sameButFindings(e.OldNode, e.NodeSpec)
		case cluster.ObjectSet:
			key := keyOf(e.Object)
			was := objects[key]
			objects[key] = e.Object
			return !sameButStatus(was, e.Object)
		case cluster.ObjectRemoved:
			delete(objects, keyOf(e.Object))
		}
		return true
	}
}

// findings are the taints by which controllers say what they have found of a node.
var findings = []string{
	cluster.TaintNotReady, cluster.TaintUnreachable, cluster.TaintMemoryPressure,
	cluster.TaintDiskPressure, cluster.TaintPIDPressure, cluster.TaintNetworkUnavailable,
}

// sameButFindings reports whether descriptions of a node differ in nothing but taints of that
// kind, and do differ in those.
func sameButFindings(was, is *cluster.NodeSpec) bool {
	if was == nil {
		return false
	}
	count := func(taints []cluster.Taint) (found []cluster.Taint, others []cluster.Taint) {
		for _, t := range taints {
			if slices.Contains(findings, t.Key) {
				found = append(found, t)
			} else {
				others = append(others, t)
			}
		}
		return found, others
	}
	foundThen, othersThen := count(was.Taints)
	foundNow, othersNow := count(is.Taints)
	return !slices.Equal(foundThen, foundNow) && slices.Equal(othersThen, othersNow)
}
