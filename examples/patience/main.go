// Patience is an eviction policy of one's own: of a zone it gives up one node an hour at
// most. To see how many pods that saves: go run ./examples/patience
package main

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/eviction/evictiontest"
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

func main() {
	course := evictiontest.RandomCourse(3) // some hours of faults
	for _, p := range append(eviction.Policies, policy) {
		decided, err := course.Play(evictiontest.Staging{}, eviction.Controllers(course.Settings, p)...)
		deleted := strings.Count(strings.Join(decided, "\n"), " Evict ")
		fmt.Printf("%-15s %3d pods deleted, error: %v\n", p.Name, deleted, err)
	}
}
