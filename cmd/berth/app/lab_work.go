//go:build linux

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/berthsim/berth/cluster/lab"
	"github.com/spf13/cobra"
)

func (a *app) labStatus() *cobra.Command {
	var f labPlace
	var format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how a lab is: components, nodes, pods",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "table" && format != "json" {
				return exit(exitBadInput, fmt.Errorf("there is no output %q; choose table or json", format))
			}
			l, err := f.open()
			if err != nil {
				return err
			}
			s, err := l.Status(cmd.Context())
			if err != nil {
				return labFailed(err)
			}
			if format == "json" {
				text, err := json.MarshalIndent(s, "", "  ")
				if err != nil {
					return exit(exitWorldFailed, err)
				}
				_, err = fmt.Fprintln(a.env.Stdout, string(text))
				return exit(exitWorldFailed, err)
			}
			return exit(exitWorldFailed, writeLabStatus(a.env.Stdout, s, time.Now()))
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVarP(&format, "output", "o", "table", "what goes to standard output: table or json")
	return cmd
}

// writeLabStatus writes a lab's status for people.
func writeLabStatus(out io.Writer, s *lab.Status, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "lab %s, up for %v, in %s\n\n", s.Name, now.Sub(s.Created).Round(time.Second), s.Dir)
	fmt.Fprintln(w, "component\tstate\tmemory\tCPU")
	for _, c := range s.Components {
		state := "stopped"
		if c.Running {
			state = "running"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%v\n", c.Name, state, sizeText(c.Memory), c.CPU.Round(10*time.Millisecond))
	}
	if s.Problem != "" {
		fmt.Fprintf(w, "\nthe API server doesn't answer: %s\n", s.Problem)
		return w.Flush()
	}
	fmt.Fprintln(w, "\nnode\truntime\tready\tlease\tpods\tmemory\tCPU\tremarks")
	for _, n := range s.Nodes {
		lease := "none"
		if !n.Renewed.IsZero() {
			lease = now.Sub(n.Renewed).Round(time.Second).String() + " ago"
		}
		remarks := slices.Concat(n.Pressure, n.Taints)
		if !n.Connected {
			remarks = append(remarks, "cut off")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%v\t%s\n", n.Name, n.Runtime, n.Ready, lease, n.Pods, sizeText(n.Memory), n.CPU.Round(10*time.Millisecond), strings.Join(remarks, " "))
	}
	fmt.Fprintln(w, "\npods\tnumber")
	for _, phase := range slices.Sorted(maps.Keys(s.Pods)) {
		fmt.Fprintf(w, "%s\t%d\n", phase, s.Pods[phase])
	}
	return w.Flush()
}

// labLoadFlags are those of lab load.
type labLoadFlags struct {
	labPlace
	file             string
	pods             lab.Pods
	requests, limits map[string]string
}

func (a *app) labLoad() *cobra.Command {
	var f labLoadFlags
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Give a lab work",
		Long: "Load creates the objects in manifests, or pods that all run the program work, which is on every\n" +
			"node: what follows -- are its arguments (--memory 100Mi --memory-rate 20Mi, --disk, --cpu,\n" +
			"--for 30s --exit 1, --on-term, --term-delay, --ignore-term). Who schedules them is up to you:\n" +
			"berth schedule, kube-scheduler (lab up --kube-scheduler), or --node.",
		Example: "  sudo berth lab load --pods 20 --requests cpu=100m,memory=64Mi\n" +
			"  sudo berth lab load --pods 1 --node node1 --pod-name hog -- --memory 1Gi --memory-rate 50Mi\n" +
			"  sudo berth lab load -f manifests/",
		RunE: func(cmd *cobra.Command, args []string) error { return a.runLabLoad(cmd.Context(), &f, args) },
	}
	f.labPlace.flags(cmd)
	fl := cmd.Flags()
	fl.StringVarP(&f.file, "filename", "f", "", "manifest, or folder of manifests")
	fl.IntVar(&f.pods.Count, "pods", 0, "how many pods")
	fl.StringVar(&f.pods.Name, "pod-name", "pod", "what the pods' names begin with")
	fl.StringVar(&f.pods.Namespace, "namespace", "default", "their namespace")
	fl.StringVar(&f.pods.Scheduler, "scheduler", "", "their scheduler's name (default: default-scheduler)")
	fl.StringVar(&f.pods.Node, "node", "", "the node that they are bound to from the beginning")
	fl.StringToStringVar(&f.requests, "requests", nil, "what they request, as cpu=100m,memory=64Mi")
	fl.StringToStringVar(&f.limits, "limits", nil, "what they are limited to")
	fl.Int64Var(&f.pods.Grace, "grace", 30, "seconds that they have to end")
	return cmd
}

func (a *app) runLabLoad(ctx context.Context, f *labLoadFlags, args []string) error {
	if (f.file == "") == (f.pods.Count == 0) || f.pods.Count < 0 || f.file != "" && len(args) > 0 {
		return exit(exitBadInput, fmt.Errorf("nothing says what to create; give either -f FILE, or --pods N with what their program is to do behind --"))
	}
	var err error
	if f.pods.Requests, err = lab.ParseResources(f.requests); err != nil {
		return exit(exitBadInput, fmt.Errorf("--requests: %w", err))
	}
	if f.pods.Limits, err = lab.ParseResources(f.limits); err != nil {
		return exit(exitBadInput, fmt.Errorf("--limits: %w", err))
	}
	f.pods.Args = args
	l, err := f.open()
	if err != nil {
		return err
	}
	var n int
	if f.file != "" {
		n, err = l.Load(ctx, f.file)
	} else {
		var names []string
		names, err = l.LoadPods(ctx, f.pods)
		n = len(names)
	}
	if err != nil {
		return labFailed(fmt.Errorf("%w (%d were created before)", err, n))
	}
	fmt.Fprintf(a.env.Stdout, "created %d\n", n)
	return nil
}

func (a *app) labFault() *cobra.Command {
	var place labPlace
	var lasts time.Duration
	var leave string
	var kinds strings.Builder
	var names []string
	for _, k := range lab.FaultKinds() {
		fmt.Fprintf(&kinds, "  %-18s%s\n", k.Kind, k.Doc)
		names = append(names, string(k.Kind))
	}
	cmd := &cobra.Command{
		Use:       "fault KIND [NODE]",
		Short:     "Break something in a lab, or mend it",
		Long:      "Fault breaks something. With --for it waits, and undoes it; Ctrl-C undoes it at once.\n\n" + kinds.String(),
		Example:   "  sudo berth lab fault partition node2 --for 90s\n  sudo berth lab fault fill-memory node1 --leave 50Mi",
		ValidArgs: names,
		Args:      cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			bytes, err := lab.ParseBytes(leave)
			if err != nil {
				return exit(exitBadInput, fmt.Errorf("--leave: %w", err))
			}
			l, err := place.open()
			if err != nil {
				return err
			}
			fault := lab.Fault{Kind: lab.FaultKind(args[0]), For: lasts, Leave: bytes}
			if len(args) > 1 {
				fault.Node = args[1]
			}
			return labFailed(l.Fault(cmd.Context(), fault))
		},
	}
	place.flags(cmd)
	cmd.Flags().DurationVar(&lasts, "for", 0, "undo it after this time; a rebooted node stays off that long")
	cmd.Flags().StringVar(&leave, "leave", "50Mi", "memory or disk that filling leaves")
	return cmd
}
