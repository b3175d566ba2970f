package eviction

import "github.com/berthsim/berth/cluster"

// Settings are those of kube-controller-manager's node lifecycle controller.
type Settings struct {
	Period       cluster.Time // between looks at all nodes
	Grace        cluster.Time // after which a node that is not heard of is Unknown
	StartupGrace cluster.Time // the same, of a node that has never posted a status

	// Rate and SecondaryRate are how many nodes are tainted in a zone, each second: the
	// second in zones that are partially disrupted and have more than LargeZone nodes.
	// There, in smaller zones, none are.
	Rate, SecondaryRate float32
	LargeZone           int

	// UnhealthyShare is the share of unready nodes, 0 to 1, from which on a zone is
	// partially disrupted, if more than two are.
	UnhealthyShare float32
}

// Defaults are upstream's (cmd/kube-controller-manager/app/options).
func Defaults() Settings {
	return Settings{
		Period: 5 * cluster.Second, Grace: 50 * cluster.Second, StartupGrace: 60 * cluster.Second,
		Rate: 0.1, SecondaryRate: 0.01, LargeZone: 50, UnhealthyShare: 0.55,
	}
}

// taintPeriod is how often waiting nodes are looked at (scheduler.NodeEvictionPeriod).
const taintPeriod = 100 * cluster.Millisecond

// excludeLabel, on a node, keeps it out of the count of a zone's nodes.
const excludeLabel = "node.kubernetes.io/exclude-disruption"
