package pressure

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/go-logr/logr"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/kubelet/nodeshutdown"
	"k8s.io/kubernetes/pkg/kubelet/nodeshutdown/systemd"
	"k8s.io/kubernetes/pkg/kubelet/volumemanager"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// An inhibiter is what upstream's node shutdown manager wants of systemd. It has to have the methods of
// upstream's own interface, which is not exported.
type inhibiter interface {
	CurrentInhibitDelay() (time.Duration, error)
	InhibitShutdown() (systemd.InhibitLock, error)
	ReleaseInhibitLock(systemd.InhibitLock) error
	ReloadLogindConf() error
	MonitorShutdown(klog.Logger) (<-chan bool, error)
	OverrideInhibitDelay(time.Duration) error
}

// systemDbus is where upstream's manager gets systemd from, and where its own tests put a fake.
//
//go:linkname systemDbus k8s.io/kubernetes/pkg/kubelet/nodeshutdown.systemDbus
var systemDbus func() (inhibiter, error)

// A machine is one that is shut down: upstream's manager on a fake of systemd.
type machine struct {
	pods   []*v1.Pod
	shapes []eviction.ShutdownPod
	events chan bool
	asked  bool // the manager asked for systemd
	off    chan struct{}

	mu    sync.Mutex
	stops []string
	ends  map[string]cluster.Time // of pods with their volumes
}

// CurrentInhibitDelay implements inhibiter.
func (m *machine) CurrentInhibitDelay() (time.Duration, error)   { return 24 * time.Hour, nil }
func (m *machine) InhibitShutdown() (systemd.InhibitLock, error) { return 1, nil }
func (m *machine) ReloadLogindConf() error                       { return nil }
func (m *machine) OverrideInhibitDelay(time.Duration) error      { return nil }
func (m *machine) MonitorShutdown(klog.Logger) (<-chan bool, error) {
	return m.events, nil
}

// ReleaseInhibitLock lets the machine go off.
func (m *machine) ReleaseInhibitLock(systemd.InhibitLock) error {
	close(m.off)
	return nil
}

// runShutdown has upstream shut a machine down, in a bubble of synctest, and returns what it did. Nil
// means that it doesn't care for shutdowns.
func (m *machine) run(c eviction.ShutdownConfig) (did []string, err error) {
	m.events, m.off, m.ends = make(chan bool), make(chan struct{}), map[string]cluster.Time{}
	systemDbus = func() (inhibiter, error) {
		if m.asked { // when the events have ended, upstream would begin anew for ever
			runtime.Goexit()
		}
		m.asked = true
		return m, nil
	}
	config := &nodeshutdown.Config{
		Logger: logr.Discard(), Recorder: &record.FakeRecorder{}, VolumeManager: volumes{m: m},
		GetPodsFunc: func() []*v1.Pod { return m.pods }, KillPodFunc: m.kill, SyncNodeStatusFunc: func(context.Context) {},
		ShutdownGracePeriodRequested: time.Duration(c.Total), ShutdownGracePeriodCriticalPods: time.Duration(c.Critical),
		StateDirectory: "no such folder",
	}
	for _, p := range c.ByPriority {
		config.ShutdownGracePeriodByPodPriority = append(config.ShutdownGracePeriodByPodPriority,
			kubeletconfig.ShutdownGracePeriodByPodPriority{Priority: p.Priority, ShutdownGracePeriodSeconds: p.Seconds})
	}
	manager := nodeshutdown.NewManager(config)
	if err := manager.Start(context.Background()); err != nil {
		return nil, err
	}
	if !m.asked {
		return nil, nil
	}
	before := manager.Admit(&lifecycle.PodAdmitAttributes{})
	m.events <- true
	<-m.off
	done := now()
	after := manager.Admit(&lifecycle.PodAdmitAttributes{})
	close(m.events)
	time.Sleep(24 * time.Hour) // until the last pod has ended
	slices.Sort(m.stops)
	return append(m.stops, fmt.Sprintf("off at %d, admits before: %v, then %v %s", done, before.Admit, after.Admit, after.Reason)), nil
}

func (m *machine) kill(pod *v1.Pod, _ bool, grace *int64, _ func(*v1.PodStatus)) error {
	begin, got := now(), cluster.Time(*grace)*cluster.Second
	i := slices.Index(m.pods, pod)
	takes := min(m.shapes[i].Takes, max(got, eviction.MinContainerGrace))
	m.mu.Lock()
	m.stops = append(m.stops, stopped(eviction.Stop{Pod: i, Begin: begin, Grace: got, End: begin + takes}))
	m.ends[pod.Name] = begin + takes + m.shapes[i].Unmount
	m.mu.Unlock()
	time.Sleep(time.Duration(takes))
	return nil
}

func stopped(s eviction.Stop) string {
	return fmt.Sprintf("pod %02d asked to end at %d with %d s, ends at %d", s.Pod, s.Begin, s.Grace/cluster.Second, s.End)
}

// volumes is a volume manager that is asked for one thing only.
type volumes struct {
	volumemanager.VolumeManager
	m *machine
}

// WaitForAllPodsUnmount waits for the volumes of pods, each of which needs its time.
func (v volumes) WaitForAllPodsUnmount(ctx context.Context, pods []*v1.Pod) error {
	until := now()
	v.m.mu.Lock()
	for _, p := range pods {
		until = max(until, v.m.ends[p.Name])
	}
	v.m.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(until - now())):
		return nil
	}
}

// berthShutdown is what Berth does in upstream's place.
func berthShutdown(c eviction.ShutdownConfig, pods []eviction.ShutdownPod) (did []string, err error) {
	periods, err := c.Periods()
	if err != nil || len(periods) == 0 {
		return nil, err
	}
	stops, done := eviction.Shutdown(0, periods, pods)
	for _, s := range stops {
		did = append(did, stopped(s))
	}
	slices.Sort(did)
	return append(did, fmt.Sprintf("off at %d, admits before: %v, then %v %s", done, true, false, eviction.NotAdmittedReason)), nil
}

// machine draws a machine, and how its shutdown is configured.
func (d drawer) machine(seen *features) (*machine, eviction.ShutdownConfig) {
	m := &machine{}
	var c eviction.ShutdownConfig
	switch d.IntN(5) {
	case 0, 1:
		c.Total = pick[cluster.Time](d, 0, 1000, 10_500, 30_000, 60_999) * cluster.Millisecond
		c.Critical = min(c.Total, pick[cluster.Time](d, 0, 1000, 10_000, 15_700)*cluster.Millisecond)
	default:
		for _, i := range d.Perm(6)[:1+d.IntN(6)] {
			priority := []int32{-10, 0, 100, 100_000, 2_000_000_000, 2_000_001_000}[i]
			c.ByPriority = append(c.ByPriority, eviction.ShutdownPeriod{Priority: priority, Seconds: pick[int64](d, 0, 1, 5, 30, 60)})
		}
	}
	for i := range d.IntN(10) {
		p := &v1.Pod{}
		p.Name = fmt.Sprint("pod-", i)
		s := eviction.ShutdownPod{
			Priority: pick[int32](d, -20, -10, -1, 0, 50, 100, 101, 1_999_999_999, 2_000_000_000, 2_000_000_500, 2_000_001_000, 2_100_000_000),
			Grace:    pick[cluster.Time](d, 0, 1, 5, 29, 30, 31) * cluster.Second,
			Takes:    pick[cluster.Time](d, 0, 500, 1900, 2500, 10_000, 100_000) * cluster.Millisecond,
			Unmount:  pick[cluster.Time](d, 0, 0, 700, 3000, 100_000) * cluster.Millisecond,
		}
		p.Spec.Priority, p.Spec.TerminationGracePeriodSeconds = new(s.Priority), new(int64(s.Grace/cluster.Second))
		m.pods, m.shapes = append(m.pods, p), append(m.shapes, s)
	}
	if len(c.ByPriority) > 0 {
		seen.count("shutdown: by priority")
	} else if c.Total > 0 {
		seen.count("shutdown: critical pods last")
	} else {
		seen.count("shutdown: not graceful")
	}
	return m, c
}

var expectedShutdown = []string{
	"shutdown: by priority", "shutdown: critical pods last", "shutdown: not graceful", "shutdown: several periods with pods",
}

// shut counts what happened when a machine was shut down.
func (f *features) shut(did []string) {
	begins := map[string]bool{}
	for _, line := range did {
		if _, at, ok := strings.Cut(line, " asked to end at "); ok {
			begin, _, _ := strings.Cut(at, " ")
			begins[begin] = true
		}
	}
	if len(begins) > 1 {
		f.count("shutdown: several periods with pods")
	}
}
