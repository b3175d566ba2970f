package app

import (
	"context"
	"fmt"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/eviction"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
)

func (a *app) lifecycle() *cobra.Command {
	var f liveFlags
	var policy string
	cmd := &cobra.Command{
		Use:   "lifecycle",
		Short: "Watch the nodes of a live cluster, and evict",
		Long: "Lifecycle finds the nodes of a Kubernetes cluster that are no longer heard of, taints them at a zone's rate,\n" +
			"and deletes the pods that don't tolerate it: what kube-controller-manager's node lifecycle and taint\n" +
			"eviction controllers do, which must not run beside it, by the same code that storm compares. See docs/live.md.\n\n" + a.evictionHelp(),
		Example: "  berth lifecycle --kubeconfig ~/.kube/config --dry-run\n  berth lifecycle --kubeconfig ~/.kube/config --eviction kube:grace=40s,rate=1 --log run.berth",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			l := &live{
				app: a, flags: &f, who: &bench.Live{Verb: bench.LiveLifecycle, Eviction: policy}, file: f.log,
				needs: kube.Pods | kube.Nodes | kube.Leases | kube.Budgets | kube.Workloads,
			}
			if _, err := l.who.Controllers(cmd.Context(), &bench.Options{Evictions: a.evictions}); err != nil {
				return exit(exitBadInput, err)
			}
			l.begin = l.evict
			return a.begun(l, cmd)
		},
	}
	f.add(cmd, "127.0.0.1:10257")
	f.addDeciding(cmd, "berth-lifecycle")
	cmd.Flags().StringVar(&policy, "eviction", "kube", "the policy, with settings: NAME or NAME:key=value,…")
	return cmd
}

// evict begins to watch nodes.
func (l *live) evict(ctx context.Context, on *stage) (*crew, error) {
	controllers, err := l.who.Controllers(ctx, &bench.Options{Evictions: l.app.evictions})
	if err != nil {
		return nil, exit(exitBadInput, err)
	}
	m, err := newLifecycleMetrics(on.registry)
	if err != nil {
		return nil, exit(exitWorldFailed, err)
	}
	for _, c := range controllers {
		if h, ok := c.(*eviction.Health); ok {
			m.health = h
		}
	}
	if m.health == nil {
		return nil, exit(exitWorldFailed, fmt.Errorf("the eviction policy %q has nobody watch nodes", l.who.Eviction))
	}
	return &crew{controllers, cluster.Recorders{m, on.cluster.NewStatus(kube.StatusOptions{Component: "berth-lifecycle"})}}, nil
}

// lifecycleMetrics are those of kube-controller-manager's two controllers. It is a Recorder;
// nothing that is decided depends on it.
type lifecycleMetrics struct {
	health *eviction.Health

	size, unhealthy, share *prometheus.GaugeVec   // by zone
	evictions              *prometheus.CounterVec // by zone
	deletions              prometheus.Counter
	latency                prometheus.Histogram

	deciding map[cluster.PodID]cluster.Time // pods whose deletion is under way, since when
}

// newLifecycleMetrics registers the metrics.
func newLifecycleMetrics(to prometheus.Registerer) (*lifecycleMetrics, error) {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Subsystem: "node_collector", Name: name, Help: help}, []string{"zone"})
	}
	m := &lifecycleMetrics{
		size:      gauge("zone_size", "Nodes of a zone."),
		unhealthy: gauge("unhealthy_nodes_in_zone", "Nodes of a zone that aren't ready."),
		share:     gauge("zone_health", "Percentage of a zone's nodes that are ready."),
		evictions: prometheus.NewCounterVec(prometheus.CounterOpts{Subsystem: "node_collector", Name: "evictions_total", Help: "Nodes that were tainted for their pods to go."}, []string{"zone"}),
		deletions: prometheus.NewCounter(prometheus.CounterOpts{Subsystem: "taint_eviction_controller", Name: "pod_deletions_total", Help: "Pods deleted for their nodes' taints."}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Subsystem: "taint_eviction_controller", Name: "pod_deletion_duration_seconds", Help: "From when a pod's time was up until it was told to end.",
			Buckets: []float64{0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240},
		}),
		deciding: map[cluster.PodID]cluster.Time{},
	}
	for _, c := range []prometheus.Collector{m.size, m.unhealthy, m.share, m.evictions, m.deletions, m.latency} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Record implements cluster.Recorder. It returns no error.
func (m *lifecycleMetrics) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	for i := range events {
		e := &events[i]
		since, ok := m.deciding[e.Pod]
		if !ok || e.Kind != cluster.PodTold && e.Kind != cluster.PodEnded && e.Kind != cluster.Rejected {
			continue
		}
		delete(m.deciding, e.Pod)
		if e.Kind != cluster.Rejected {
			m.deletions.Inc()
			m.latency.Observe((e.Time - since).Seconds())
		}
	}
	for i := range ds {
		d := &ds[i]
		if taint, ok := d.Detail.(cluster.Taint); ok && d.Kind == cluster.AddTaint && taint.Effect == cluster.NoExecute {
			m.evictions.WithLabelValues(cluster.ZoneOf(s.Nodes.Labels[d.Node])).Inc()
		}
		if d.Kind == cluster.Evict && d.Detail == cluster.DeletionByTaint {
			m.deciding[d.Pod] = s.Now
		}
	}
	for _, z := range m.health.Picture().Zones {
		m.evictions.WithLabelValues(z.Name) // 0 counts, too
		m.size.WithLabelValues(z.Name).Set(float64(z.Size))
		m.unhealthy.WithLabelValues(z.Name).Set(float64(z.Unready))
		if z.Size > 0 {
			m.share.WithLabelValues(z.Name).Set(100 * float64(z.Size-z.Unready) / float64(z.Size))
		}
	}
	return nil
}
