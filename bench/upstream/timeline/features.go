package timeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// features count what happened in stories, by upstream's account.
type features struct {
	tries  int
	counts map[string]int
}

func newFeatures() *features { return &features{counts: map[string]int{}} }

func (f *features) count(name string) { f.counts[name]++ }

// tried counts a try.
func (f *features) tried(info *framework.QueuedPodInfo, node string, rejected []string) {
	f.tries++
	switch {
	case node != "":
		f.count("try: node")
	case len(rejected) == 0:
		f.count("try: error")
	default:
		for _, name := range rejected {
			f.count("rejected by " + name)
		}
	}
}

// patched counts what a patch of a pod's status does to its nomination.
func (f *features) patched(was, is *v1.Pod) {
	switch old, new := was.Status.NominatedNodeName, is.Status.NominatedNodeName; {
	case old == "" && new != "":
		f.count("nominated")
	case old != "" && new == "":
		f.count("nomination cleared")
	case old != new:
		f.count("nominated for another node")
	}
}

func (f *features) step(u *upstream, s Step, before map[string]string) {}

func (f *features) moved(u *upstream, s Step, before map[string]string) {}

// table shows how often everything was seen.
func (f *features) table() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		fmt.Fprintf(&b, "%7d %s\n", f.counts[name], name)
	}
	return b.String()
}

// expected lists what must be seen.
var expected = []string{}
