// Patience is an eviction policy of one's own: of a zone it gives up one node an hour
// at most. The program has every verb, and the policy among the others:
//
//	go run ./examples/patience storm --eviction kube --eviction patience
package main

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cmd/berth/app"
	"github.com/berthsim/berth/eviction"
)

type patience struct {
	*eviction.KubePolicy                         // what isn't said below is as kube does it
	next                 map[string]cluster.Time // by zone: not before
}

func (p patience) NextNode(s *cluster.State, z *eviction.Zone) (i int, at cluster.Time) {
	if at = p.next[z.Name]; at > s.Now {
		return 0, at
	}
	if i, at = p.KubePolicy.NextNode(s, z); at <= s.Now { // it is this node's turn
		p.next[z.Name] = s.Now + cluster.Hour
	}
	return i, at
}

var policy = &eviction.Policy{Name: "patience", Doc: "patience taints one node an hour in a zone.",
	New: func(st eviction.Settings) any { return patience{eviction.NewKubePolicy(st), map[string]cluster.Time{}} }}

func main() { app.MainWith(app.Own{Evictions: []*eviction.Policy{policy}}) }
