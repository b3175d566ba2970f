package pressure

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// A Case is a kubelet's configuration, its pods, and how its node fares.
type Case struct {
	Settings   eviction.PressureSettings
	Transition cluster.Time
	MaxGrace   cluster.Time // whole seconds
	Disks      eviction.Disks
	NoLimits   bool // on local storage
	Untimed    bool // the node's stats don't say when they were measured
	Passes     int
	Pods       []*v1.Pod
	Shape      []shape // of each pod

	Thresholds []eviction.Threshold // what Berth makes of Settings
	seed       [2]uint64
}

// A shape is what there is to measure of a pod, beside what its spec says.
type shape struct {
	containers []string // names
	volumes    []volume
}

// A volume is one of a pod's.
type volume struct {
	name  string
	local bool
	limit int64
}

// config is the case's configuration as Berth takes it.
func (c *Case) config() eviction.PressureConfig {
	return eviction.PressureConfig{
		Thresholds: c.Thresholds, TransitionPeriod: c.Transition, MaxPodGrace: c.MaxGrace,
		Disks: c.Disks, NoStorageLimits: c.NoLimits,
	}
}

// configuresContainerFs reports whether there are thresholds that the kubelet replaces. Whether it does so
// in time for its first pass depends on the capacity of a Go slice, so they are left alone there.
func (c *Case) configuresContainerFs() bool {
	return slices.ContainsFunc(c.Thresholds, func(t eviction.Threshold) bool {
		return t.Signal == eviction.ContainerFsAvailable || t.Signal == eviction.ContainerFsInodesFree
	})
}

// String tells the case's configuration.
func (c *Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "settings %+v\ntransition %v s, pods' grace up to %v s, disks %+v, no storage limits: %v, untimed: %v",
		c.Settings, c.Transition.Seconds(), c.MaxGrace.Seconds(), c.Disks, c.NoLimits, c.Untimed)
	return b.String()
}

// A drawer draws cases.
type drawer struct{ *rand.Rand }

func (d drawer) chance(p float64) bool { return d.Float64() < p }

func pick[T any](d drawer, values ...T) T { return values[d.IntN(len(values))] }

// Draw returns the i-th case of a seed.
func Draw(seed, i uint64) (*Case, error) {
	d := drawer{rand.New(rand.NewPCG(seed, i))}
	c := &Case{
		Transition: pick[cluster.Time](d, 0, 10*cluster.Second, 25*cluster.Second, eviction.DefaultTransitionPeriod),
		MaxGrace:   pick[cluster.Time](d, 0, 5, 30, 100) * cluster.Second,
		Disks:      eviction.Disks{DedicatedImageFs: d.chance(0.6), DedicatedContainerFs: d.chance(0.3)},
		NoLimits:   d.chance(0.2),
		Untimed:    d.chance(0.2),
		Passes:     4 + d.IntN(10),
		seed:       [2]uint64{d.Uint64(), d.Uint64()},
	}
	c.Settings = d.settings()
	pods := 1 + d.IntN(12)
	if d.chance(0.1) {
		pods = 13 + d.IntN(20)
	}
	limits := !c.NoLimits && d.chance(0.3)
	for n := range pods {
		p, s := d.pod(n, limits || c.NoLimits)
		if pods > 12 { // upstream's sort may swap equals then, so there are none
			p.Spec.Priority = new(pick[int32](d, 0, 0, 0, eviction.SystemCritical) + int32(n)*2 + int32(d.IntN(2)))
		}
		c.Pods, c.Shape = append(c.Pods, p), append(c.Shape, s)
	}
	var err error
	c.Thresholds, err = c.Settings.Thresholds()
	return c, err
}

var signalsDrawn = []string{
	"memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available",
	"imagefs.inodesFree", "containerfs.available", "containerfs.inodesFree", "pid.available",
}

// settings draws thresholds: often few, so that it is clear which of them upstream acts on.
func (d drawer) settings() (s eviction.PressureSettings) {
	if d.chance(0.1) {
		return s
	}
	s.Hard = []eviction.Statement{}
	p := pick(d, 0.1, 0.25, 0.6)
	for len(s.Hard)+len(s.Soft) == 0 {
		s.MinReclaim = nil
		for _, signal := range signalsDrawn {
			if d.chance(p) {
				s.Hard = append(s.Hard, eviction.Statement{Signal: signal, Value: d.level(signal)})
			}
			if d.chance(p) {
				s.Soft = append(s.Soft, eviction.Statement{Signal: signal, Value: d.level(signal)})
				grace := pick(d, "0s", "5s", "10s", "15s", "30s", "1m")
				s.SoftGrace = append(s.SoftGrace, eviction.Statement{Signal: signal, Value: grace})
			}
			if d.chance(0.4) {
				s.MinReclaim = append(s.MinReclaim, eviction.Statement{Signal: signal, Value: d.reclaim(signal)})
			}
		}
	}
	s.NoAllocatable = d.chance(0.5)
	return s
}

// level draws what a threshold is set to.
func (d drawer) level(signal string) string {
	if d.chance(0.4) {
		return pick(d, "5%", "10%", "15%", "12.5%", "33.3%", "7%")
	}
	if strings.Contains(signal, "inodes") || strings.HasPrefix(signal, "pid") {
		return pick(d, "100", "1k", "5000")
	}
	return pick(d, "100Mi", "500Mi", "1Gi", "1.5Gi", "1G", "123456789")
}

func (d drawer) reclaim(signal string) string {
	if d.chance(0.3) {
		return pick(d, "1%", "5%")
	}
	if strings.Contains(signal, "inodes") || strings.HasPrefix(signal, "pid") {
		return pick(d, "0", "10", "500")
	}
	return pick(d, "0", "100Mi", "500M", "1Gi")
}
