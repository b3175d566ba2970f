package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
)

func (a *app) explain() *cobra.Command {
	var policy, format string
	cmd := &cobra.Command{
		Use:   "explain SOURCE pod/NAMESPACE/NAME",
		Short: "Say why a pod gets the node it gets, or none",
		Long: "Explain reads a cluster from a file or folder of Kubernetes manifests, asks a policy about\n" +
			"one of its pods, and tells what every plugin says of every node. A pod that is on a node\n" +
			"already is asked about as if it were not.\n\n" +
			"SOURCE is what kubectl get nodes,pods,services,pdb,... -A -o yaml (or json) prints.",
		Example: "  kubectl get nodes,namespaces,pods,services,rs,sts,pdb,priorityclasses -A -o json > state.json\n" +
			"  berth explain state.json pod/default/web-0",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return exit(exitBadInput, fmt.Errorf("unknown output format %q; use one of table, json", format))
			}
			x, err := a.explanation(cmd.Context(), args[0], args[1], policy)
			if err != nil {
				return exit(exitBadInput, err)
			}
			write := x.WriteText
			if format == "json" {
				write = x.WriteJSON
			}
			return exit(exitWorldFailed, write(a.env.Stdout))
		},
	}
	cmd.Flags().StringVar(&policy, "policies", "kube", "the policy to ask: a plugin, NAME:WEIGHT+NAME:WEIGHT, or a KubeSchedulerConfiguration file")
	cmd.Flags().StringVarP(&format, "output", "o", "table", "what goes to standard output: table, json")
	return cmd
}

// explanation reads the cluster and asks about the pod.
func (a *app) explanation(ctx context.Context, source, name, policy string) (*bench.Explanation, error) {
	opened, err := bench.OpenPolicy(a.plugins, policy)
	if err != nil {
		return nil, err
	}
	how, err := opened.Options(ctx)
	if err != nil {
		return nil, err
	}
	read, err := manifest.ReadPath(source)
	if err != nil {
		return nil, err
	}
	for _, w := range read.Warnings {
		a.log.Warn(w.Error())
	}
	a.log.Debug("read the cluster", zap.Int("nodes", len(read.Nodes)), zap.Int("pods", len(read.Pods)), zap.Int("ended", read.Ended))
	s := cluster.NewState()
	s.Mix = mixOf(read.Pods)
	events := read.Events()
	s.Observe(0, events)
	for i := range events {
		if e := &events[i]; e.Kind == cluster.PodAdded && "pod/"+s.PodName(e.Pod) == name {
			profile := how.Profiles[s.Class(e.Pod).Scheduler]
			if profile == nil {
				return nil, fmt.Errorf("%s: the policy %s has no profile for %s, whose schedulerName is %q; add one to the configuration",
					source, policy, name, s.Class(e.Pod).Scheduler)
			}
			x := bench.Explain(s, e.Pod, policy, profile)
			if s.Pods.Phase[e.Pod] == cluster.Pending {
				x.Refused = bench.Refused(s, e.Pod, read.Counted)
			}
			return x, nil
		}
	}
	return nil, noSuchPod(source, name, read.Pods)
}

// mixOf takes the pods of a cluster for those to expect.
func mixOf(pods []*cluster.PodSpec) cluster.Mix {
	specs := make([]cluster.PodSpec, len(pods))
	for i, p := range pods {
		specs[i] = *p
	}
	return cluster.MixOf(specs)
}

// noSuchPod says that there is none, and how pods are named.
func noSuchPod(source, name string, pods []*cluster.PodSpec) error {
	if strings.Count(name, "/") != 2 || !strings.HasPrefix(name, "pod/") {
		return fmt.Errorf("%s: %q does not name a pod; write pod/NAMESPACE/NAME", source, name)
	}
	if len(pods) == 0 {
		return fmt.Errorf("%s: there is no %s, nor any other pod that has not ended; give a SOURCE with pods", source, name)
	}
	return fmt.Errorf("%s: there is no %s that has not ended; there is, for example, pod/%s/%s", source, name, pods[0].Class.Namespace, pods[0].Name)
}
