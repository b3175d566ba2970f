package app

import (
	"strconv"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
	"github.com/prometheus/client_golang/prometheus"
)

// scheduleMetrics are kube-scheduler's metrics of a Scheduler, which they stand before as a
// Controller; and a Recorder. Nothing that is decided depends on them.
type scheduleMetrics struct {
	scheduler *scheduler.Scheduler

	attempts   *prometheus.CounterVec   // by result, profile
	duration   *prometheus.HistogramVec // the same
	algorithm  prometheus.Histogram
	sli        *prometheus.HistogramVec // by attempts
	tries      prometheus.Histogram
	flushed    prometheus.Counter
	pending    *prometheus.GaugeVec   // by queue
	rejected   *prometheus.GaugeVec   // by plugin, profile
	incoming   *prometheus.CounterVec // by queue, event
	preempting prometheus.Counter
	victims    prometheus.Histogram
	cached     *prometheus.GaugeVec // by type

	began   time.Time // of what is decided now
	pods    int
	trying  map[uint64]trial         // pods whose binding is under way, by order of arrival
	failing map[uint64]rejection     // pods that plugins rejected
	counted map[[2]string]uint64     // of incoming
	late    uint64                   // of flushed
	orders  map[cluster.PodID]uint64 // of pods in trying and failing
}

// A trial is a try that chose a node.
type trial struct {
	began    time.Time
	attempts int32
}

// A rejection is what a gauge counts a pod for.
type rejection struct {
	profile string
	plugins []string
}

// newScheduleMetrics registers the metrics, with kube-scheduler's buckets.
func newScheduleMetrics(to prometheus.Registerer) (*scheduleMetrics, error) {
	named := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Subsystem: "scheduler", Name: name, Help: help}
	}
	histogram := func(name, help string, first float64, count int) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Subsystem: "scheduler", Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(first, 2, count)}
	}
	m := &scheduleMetrics{
		attempts:  prometheus.NewCounterVec(prometheus.CounterOpts(named("schedule_attempts_total", "Tries to place a pod, by what came of them.")), []string{"result", "profile"}),
		duration:  prometheus.NewHistogramVec(histogram("scheduling_attempt_duration_seconds", "A try, its binding included.", 0.001, 15), []string{"result", "profile"}),
		algorithm: prometheus.NewHistogram(histogram("scheduling_algorithm_duration_seconds", "A decision alone.", 0.001, 15)),
		sli:       prometheus.NewHistogramVec(histogram("pod_scheduling_sli_duration_seconds", "From when a pod came to when it was bound.", 0.01, 20), []string{"attempts"}),
		tries:     prometheus.NewHistogram(histogram("pod_scheduling_attempts", "Tries that it took to place a pod.", 1, 5)),
		flushed:   prometheus.NewCounter(prometheus.CounterOpts(named("pod_scheduled_after_flush_total", "Pods placed when they were tried only because of their age."))),
		pending:   prometheus.NewGaugeVec(prometheus.GaugeOpts(named("pending_pods", "Pods that wait, by where.")), []string{"queue"}),
		rejected:  prometheus.NewGaugeVec(prometheus.GaugeOpts(named("unschedulable_pods", "Pods that a plugin rejected.")), []string{"plugin", "profile"}),
		incoming: prometheus.NewCounterVec(prometheus.CounterOpts(named("queue_incoming_pods_total", "Pods that came to a part of the queue, by what brought them.")),
			[]string{"queue", "event"}),
		preempting: prometheus.NewCounter(prometheus.CounterOpts(named("preemption_attempts_total", "Tries that looked for room to make."))),
		victims:    prometheus.NewHistogram(histogram("preemption_victims", "Pods that one try had end.", 1, 7)),
		cached:     prometheus.NewGaugeVec(prometheus.GaugeOpts(named("cache_size", "Nodes, pods, and pods whose binding is not confirmed.")), []string{"type"}),

		trying: map[uint64]trial{}, failing: map[uint64]rejection{}, counted: map[[2]string]uint64{}, orders: map[cluster.PodID]uint64{},
	}
	for _, c := range []prometheus.Collector{m.attempts, m.duration, m.algorithm, m.sli, m.tries, m.flushed, m.pending, m.rejected, m.incoming, m.preempting, m.victims, m.cached} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Step implements cluster.Controller: the Scheduler's.
func (m *scheduleMetrics) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	m.began = time.Now()
	return m.scheduler.Step(s, events)
}

// profileOf returns the schedulerName of a pod.
func profileOf(s *cluster.State, p cluster.PodID) string {
	if name := s.Class(p).Scheduler; name != "" {
		return name
	}
	return "default-scheduler"
}

// seen is told of each try when it ends, before the node it chose is written down.
func (m *scheduleMetrics) seen(s *cluster.State, at scheduler.Attempt) {
	now := time.Now()
	took, began := now.Sub(m.began), m.began
	m.began = now
	m.algorithm.Observe(took.Seconds())
	m.forget(at.Pod)
	order := s.Pods.Order[at.Pod]
	m.orders[at.Pod] = order
	profile := profileOf(s, at.Pod)
	switch {
	case at.Node != cluster.None:
		m.trying[order] = trial{began, at.Number}
		return
	case len(at.Rejected) == 0:
		m.result("error", profile, took)
		return
	}
	m.result("unschedulable", profile, took)
	m.preempting.Inc()
	m.failing[order] = rejection{profile, at.Rejected}
	for _, plugin := range at.Rejected {
		m.rejected.WithLabelValues(plugin, profile).Inc()
	}
}

func (m *scheduleMetrics) result(result, profile string, took time.Duration) {
	m.attempts.WithLabelValues(result, profile).Inc()
	m.duration.WithLabelValues(result, profile).Observe(took.Seconds())
}

// forget drops what is known of the pod that is in a row, or was the last that anything was
// known of.
func (m *scheduleMetrics) forget(p cluster.PodID) {
	order, ok := m.orders[p]
	if !ok {
		return
	}
	if r, ok := m.failing[order]; ok {
		for _, plugin := range r.plugins {
			m.rejected.WithLabelValues(plugin, r.profile).Dec()
		}
	}
	delete(m.failing, order)
	delete(m.trying, order)
	delete(m.orders, p)
}

// Record implements cluster.Recorder. It returns no error.
func (m *scheduleMetrics) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	for i := range events {
		m.event(s, &events[i])
	}
	victims := 0
	for i := range ds {
		switch ds[i].Kind {
		case cluster.Preempt:
			victims++
		case cluster.Nominate: // ends what one try does
			if victims > 0 {
				m.victims.Observe(float64(victims))
			}
			victims = 0
		}
	}
	if victims > 0 {
		m.victims.Observe(float64(victims))
	}
	m.gauges(s)
	return nil
}

func (m *scheduleMetrics) event(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.PodAdded:
		m.pods++
	case cluster.PodEnded:
		m.pods--
		m.forget(e.Pod)
	case cluster.PodBound:
		if t, ok := m.trying[m.orders[e.Pod]]; ok {
			m.result("scheduled", profileOf(s, e.Pod), time.Since(t.began))
			m.tries.Observe(float64(t.attempts))
			m.sli.WithLabelValues(attemptsLabel(t.attempts)).Observe((e.Time - s.Pods.Arrived[e.Pod]).Seconds())
			m.forget(e.Pod)
		}
	case cluster.Rejected:
		if t, ok := m.trying[m.orders[e.Pod]]; ok && e.Decision.Kind == cluster.Bind {
			m.result("error", profileOf(s, e.Pod), time.Since(t.began))
			m.forget(e.Pod)
		}
	}
}

// attemptsLabel says how many tries it took, as kube-scheduler does.
func attemptsLabel(attempts int32) string {
	if attempts >= 15 {
		return "15+"
	}
	return strconv.Itoa(int(attempts))
}

// gauges says how things are now.
func (m *scheduleMetrics) gauges(s *cluster.State) {
	l := m.scheduler.Lengths()
	for queue, length := range map[string]int{"active": l.Active, "backoff": l.Backoff, "unschedulable": l.Unschedulable, "gated": l.Gated} {
		m.pending.WithLabelValues(queue).Set(float64(length))
	}
	for _, in := range m.scheduler.Incoming() {
		key := [2]string{in.Queue, in.Event}
		m.incoming.WithLabelValues(in.Queue, in.Event).Add(float64(in.Pods - m.counted[key]))
		m.counted[key] = in.Pods
	}
	flushed := m.scheduler.Stats().Flushed
	m.flushed.Add(float64(flushed - m.late))
	m.late = flushed
	for what, count := range map[string]int{"nodes": len(s.Nodes.Live()), "pods": m.pods, "assumed_pods": len(m.trying)} {
		m.cached.WithLabelValues(what).Set(float64(count))
	}
}
