package eviction

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
)

// CircuitBreaker is the policy with the usual settings.
var CircuitBreaker = NewCircuitBreaker(BreakerDefaults())

// BreakerSettings say when a circuit breaker trips: when more than Nodes nodes, and more
// than Percent of all, have fallen silent Within some time. Then no node is tainted until
// none has fallen silent for as long as Quiet.
type BreakerSettings struct {
	Nodes         int
	Percent       int          // 0 to 100
	Within, Quiet cluster.Time // Within up to an hour, which is how far back a Picture goes
}

// BreakerDefaults are the usual settings: more than 3 nodes and 10 % within 5 minutes, and
// 10 minutes of quiet.
func BreakerDefaults() BreakerSettings {
	return BreakerSettings{Nodes: 3, Percent: 10, Within: 5 * cluster.Minute, Quiet: 10 * cluster.Minute}
}

// NewCircuitBreaker returns a policy that taints no node for some time after many have
// fallen silent. Kube's states of zones ask how many nodes are unready; this asks how many
// have become so, in all zones together. What falls silent together is rarely broken: it
// is a switch, an API server, a certificate. Nodes that are tainted already stay so, and
// their pods go when their time is up.
func NewCircuitBreaker(st BreakerSettings) *Policy {
	return &Policy{
		Name: "circuitbreaker",
		Doc: fmt.Sprintf("circuitbreaker taints nodes as kube does, but none while many fall silent. "+
			"When more than %d nodes and %d %% of all fall silent within %d s, it waits until none has for %d s.",
			st.Nodes, st.Percent, st.Within/cluster.Second, st.Quiet/cluster.Second),
		New: func(kube Settings) any { return &breaker{KubePolicy: NewKubePolicy(kube), settings: st, seen: -1} },
	}
}

type breaker struct {
	*KubePolicy
	settings BreakerSettings
	seen     cluster.Time // the last silence that was taken in
	until    cluster.Time // when it closes again, as things are
}

// NextNode implements NodePolicy: kube's, unless the breaker is open.
func (b *breaker) NextNode(s *cluster.State, z *Zone) (int, cluster.Time) {
	b.take(z.Cluster)
	if b.until > s.Now {
		return 0, b.until
	}
	return b.KubePolicy.NextNode(s, z)
}

// take counts the nodes that have fallen silent since it last did. One that has fallen
// silent twice within the time counts once.
func (b *breaker) take(p *Picture) {
	if len(p.Silent) == 0 || p.Silent[len(p.Silent)-1].At <= b.seen {
		return
	}
	recent, oldest := map[string]int{}, 0
	for _, x := range p.Silent {
		recent[x.Node]++
		for ; p.Silent[oldest].At <= x.At-b.settings.Within; oldest++ {
			if name := p.Silent[oldest].Node; recent[name] > 1 {
				recent[name]--
			} else {
				delete(recent, name)
			}
		}
		if x.At > b.seen && (b.trips(len(recent), p.Nodes) || x.At < b.until) {
			b.until = x.At + b.settings.Quiet
		}
	}
	b.seen = p.Silent[len(p.Silent)-1].At
}

// trips reports whether so many silent nodes are too many of all.
func (b *breaker) trips(silent, all int) bool {
	return silent > b.settings.Nodes && silent*100 > all*b.settings.Percent
}
