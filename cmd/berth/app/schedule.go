package app

import (
	"context"
	"fmt"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/scheduler"
	"github.com/spf13/cobra"
)

// ownScheduler is the schedulerName of pods that ask for Berth.
const ownScheduler = "berth-scheduler"

func (a *app) schedule() *cobra.Command {
	var f liveFlags
	var policy, name, expect string
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Place the pods of a live cluster",
		Long: "Schedule gives the pods of a Kubernetes cluster nodes, by the same code that compare compares: those whose\n" +
			"schedulerName is --name or, with a KubeSchedulerConfiguration, that of one of its profiles. In place of\n" +
			"kube-scheduler that is default-scheduler. SIGTERM and Ctrl-C stop it: requests under way finish, the Lease\n" +
			"is given back, and --log has all that is needed to decide the same again. See docs/live.md.",
		Example: "  berth schedule --kubeconfig ~/.kube/config --name default-scheduler --dry-run --for 1m\n" +
			"  berth schedule --kubeconfig ~/.kube/config --policies ksc.yaml --log run.berth\n  berth replay run.berth --verify",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			given := name
			if bench.IsConfigFile(policy) && !cmd.Flags().Changed("name") {
				given = ""
			}
			who, err := bench.NewSchedule(a.plugins, policy, given)
			if err != nil {
				return exit(exitBadInput, err)
			}
			l := &live{app: a, flags: &f, who: who, file: f.log, needs: scheduleNeeds}
			if expect != "" {
				t, err := a.openTrace(expect)
				if err != nil {
					return err
				}
				l.mix = t.Mix
			}
			if err := l.tryPolicy(cmd.Context(), policy); err != nil {
				return err
			}
			l.begin = l.schedule
			return a.begun(l, cmd)
		},
	}
	f.add(cmd, "127.0.0.1:10259")
	f.addDeciding(cmd, ownScheduler)
	fl := cmd.Flags()
	fl.StringVar(&policy, "policies", "kube", "the policy: a plugin, NAME:WEIGHT+NAME:WEIGHT, or a KubeSchedulerConfiguration file")
	fl.StringVar(&name, "name", ownScheduler, "schedulerName of the pods to place; default-scheduler: in place of kube-scheduler")
	fl.StringVar(&expect, "expect", "", "TRACE whose pods are those to expect, for policies that go by that")
	return cmd
}

// scheduleNeeds is what kube's plugins look at.
const scheduleNeeds = kube.Pods | kube.Nodes | kube.Budgets | kube.Workloads | kube.Namespaces | kube.Services

// tryPolicy places a pod on a cluster of one node, since some policies find only then that they
// aren't told enough.
func (l *live) tryPolicy(ctx context.Context, policy string) (err error) {
	how, err := l.who.Scheduler(ctx, l.app.plugins)
	if err != nil {
		return exit(exitBadInput, err)
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = exit(exitBadInput, fmt.Errorf("policy %q: %v; if it must know what pods to expect, give a TRACE with such pods by --expect", policy, cause))
		}
	}()
	s := cluster.NewState()
	s.Mix = l.mix
	room := cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1 << 30, cluster.PodSlots: 10}
	events := []cluster.Event{
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: room}},
		{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "p", Class: &cluster.Class{Namespace: "default"}, Run: cluster.Never}},
	}
	s.Observe(0, events)
	for _, profile := range how.Profiles {
		mark := s.Mark()
		profile.Select(s, events[1].Pod)
		s.Undo(mark)
	}
	return nil
}

// schedule begins to place pods.
func (l *live) schedule(ctx context.Context, on *stage) (*crew, error) {
	how, err := l.who.Scheduler(ctx, l.app.plugins)
	if err != nil {
		return nil, exit(exitBadInput, err)
	}
	m, err := newScheduleMetrics(on.registry)
	if err != nil {
		return nil, exit(exitWorldFailed, err)
	}
	apart, err := l.who.Scheduler(ctx, l.app.plugins) // so that explaining changes nothing that is decided
	if err != nil {
		return nil, exit(exitBadInput, err)
	}
	status := on.cluster.NewStatus(kube.StatusOptions{Component: ownScheduler, Why: whyUnplaced(apart.Profiles)})
	how.Seen = func(at scheduler.Attempt) {
		m.seen(on.state, at)
		if at.Node == cluster.None {
			status.Unplaced(at.Pod)
		}
	}
	m.scheduler = scheduler.NewScheduler(how)
	return &crew{[]cluster.Controller{m}, cluster.Recorders{m, status}}, nil
}

// whyUnplaced returns what says, in kube-scheduler's words, why a pod got no node.
func whyUnplaced(profiles map[string]*scheduler.Profile) func(*cluster.State, cluster.PodID) string {
	return func(s *cluster.State, p cluster.PodID) string {
		profile := profiles[s.Class(p).Scheduler]
		if profile == nil {
			return ""
		}
		return profile.Diagnose(s, p).String()
	}
}
