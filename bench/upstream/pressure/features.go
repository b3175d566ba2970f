package pressure

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/eviction"
)

// features count what happened in cases, by upstream's account.
type features struct{ counts map[string]int }

func newFeatures() *features { return &features{map[string]int{}} }

func (f *features) count(name string) { f.counts[name]++ }

// expected are the features that must have been seen in the cases of every day.
var expected = []string{
	"disks: one filesystem", "disks: images apart", "disks: images and layers apart", "disks: layers apart",
	"settings: default", "settings: containerfs", "settings: soft of 0 s", "settings: minimum reclaim", "settings: no allocatable",
	"settings: more than 12 pods", "settings: untimed",
	"pass: first", "pass: nothing", "pass: acts and evicts nobody", "pass: deletes enough", "pass: deletes and evicts",
	"pass: all pods are critical", "pass: no pods", "pass: waits out 30 s", "pass: several evicted",
	"evicts for memory.available", "evicts for allocatableMemory.available", "evicts for nodefs.available",
	"evicts for nodefs.inodesFree", "evicts for imagefs.available", "evicts for imagefs.inodesFree",
	"evicts for containerfs.available", "evicts for containerfs.inodesFree", "evicts for pid.available",
	"evicts for emptydirfs.limit", "evicts for ephemeralpodfs.limit", "evicts for ephemeralcontainerfs.limit",
	"grace: hard", "grace: soft, the pod's", "grace: soft, the kubelet's most",
	"deletes: containers", "deletes: images", "deletes: both",
	"conditions: []", "conditions: [MemoryPressure]", "conditions: [DiskPressure]", "conditions: [PIDPressure]",
	"conditions: more than one", "conditions: last longer than what is measured",
	"admission: rejects", "admission: lets some in",
	"choice: one threshold", "choice: several thresholds",
}

// begun counts what a case is like.
func (f *features) begun(c *Case) {
	f.count(map[eviction.Disks]string{
		{}:                           "disks: one filesystem",
		{DedicatedImageFs: true}:     "disks: images apart",
		{DedicatedContainerFs: true}: "disks: layers apart",
		{DedicatedImageFs: true, DedicatedContainerFs: true}: "disks: images and layers apart",
	}[c.Disks])
	counted := map[string]bool{
		"settings: default":           c.Settings.Hard == nil,
		"settings: minimum reclaim":   len(c.Settings.MinReclaim) > 0,
		"settings: no allocatable":    c.Settings.NoAllocatable,
		"settings: more than 12 pods": len(c.Pods) > 12,
		"settings: untimed":           c.Untimed,
		"settings: containerfs":       c.configuresContainerFs(),
	}
	for _, s := range c.Settings.SoftGrace {
		if s.Value == "0s" {
			counted["settings: soft of 0 s"] = true
		}
	}
	for name, is := range counted {
		if is {
			f.count(name)
		}
	}
}

// passed counts what happened in a pass.
func (f *features) passed(c *Case, p *pass) {
	if p.at == 0 {
		f.count("pass: first")
	}
	f.acted(p)
	f.deleted(p)
	for _, cause := range p.did.causes {
		f.count("evicts for " + cause)
	}
	if len(p.did.evicted) > 1 {
		f.count("pass: several evicted")
	}
	if p.gone > p.killed+30e9 {
		f.count("pass: waits out 30 s")
	}
	if len(p.did.evicted) == 1 && p.did.resource != "" {
		f.graced(c, p.did.evicted[0])
	}
	f.reported(p)
}

func (f *features) acted(p *pass) {
	active := p.world.active()
	critical := 0
	for _, i := range active {
		if p.world.pods[i].Critical() {
			critical++
		}
	}
	switch {
	case p.did.resource == "" && len(p.did.evicted) == 0:
		f.count("pass: nothing")
	case p.did.resource != "" && len(p.did.evicted) == 0:
		f.count("pass: acts and evicts nobody")
		if len(active) == 0 {
			f.count("pass: no pods")
		} else if critical == len(active) {
			f.count("pass: all pods are critical")
		}
	}
}

func (f *features) deleted(p *pass) {
	switch {
	case p.did.containers && p.did.images:
		f.count("deletes: both")
	case p.did.containers:
		f.count("deletes: containers")
	case p.did.images:
		f.count("deletes: images")
	default:
		return
	}
	critical := 0
	for _, i := range p.world.active() {
		if p.world.pods[i].Critical() {
			critical++
		}
	}
	if len(p.did.evicted) > 0 {
		f.count("pass: deletes and evicts")
	} else if critical < len(p.world.active()) {
		f.count("pass: deletes enough")
	}
}

// graced counts why a pod got the time it got.
func (f *features) graced(c *Case, evicted string) {
	var name string
	var seconds int64
	if _, err := fmt.Sscanf(evicted, "%s in %d s", &name, &seconds); err != nil {
		panic(err)
	}
	var own int64
	for _, p := range c.Pods {
		if p.Name == name {
			own = *p.Spec.TerminationGracePeriodSeconds
		}
	}
	switch most := int64(c.MaxGrace.Seconds()); {
	case seconds == 1 && own != 1 && most != 1:
		f.count("grace: hard")
	case seconds == own && own < most:
		f.count("grace: soft, the pod's")
	case seconds == most && most < own:
		f.count("grace: soft, the kubelet's most")
	}
}

// reported counts what the kubelet said of its node after a pass.
func (f *features) reported(p *pass) {
	if n := p.conditions; n&(n-1) != 0 {
		f.count("conditions: more than one")
	} else {
		f.count("conditions: " + n.String())
	}
	if p.conditions != 0 && p.did.resource == "" && len(p.did.evicted) == 0 {
		f.count("conditions: last longer than what is measured")
	}
	rejected := 0
	for _, told := range p.admitted {
		if told != "" {
			rejected++
		}
	}
	if rejected > 0 {
		f.count("admission: rejects")
	}
	if rejected == 1 {
		f.count("admission: lets some in")
	}
}

// table shows how often each feature was seen.
func (f *features) table(names []string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%-50s %8d\n", name, f.counts[name])
	}
	return b.String()
}
