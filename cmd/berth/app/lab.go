//go:build linux

package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster/lab"
	"github.com/berthsim/berth/cluster/lab/virtual"
	"github.com/spf13/cobra"
)

// labRuntimes are the runtimes that nodes may have beside the lab's own.
var labRuntimes = map[string]lab.Runtime{virtual.Name: &virtual.Runtime{}}

func (a *app) lab() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run real kubelets on this machine",
		Long: "Lab brings up a real Kubernetes cluster on this machine, for experiments and tests: etcd,\n" +
			"kube-apiserver and real kubelets, each with a containerd of its own in a node container. It\n" +
			"needs Linux, root and containerd, but no container engine, registry or network. Several labs\n" +
			"with different names don't disturb each other.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.labUp(), a.labStatus(), a.labLoad(), a.labFault(), a.labDown())
	return cmd
}

// labPlace is which lab a verb is about.
type labPlace struct{ name, dir string }

func (p *labPlace) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.name, "name", lab.DefaultName, "the lab's name")
	cmd.Flags().StringVar(&p.dir, "dir", "", "the lab's folder (default: one in the folder for temporary files)")
}

// folder is the lab's folder.
func (p *labPlace) folder() string {
	if p.dir != "" {
		return p.dir
	}
	return lab.DefaultDir(p.name)
}

func (p *labPlace) open() (*lab.Lab, error) {
	l, err := lab.Open(p.folder(), labRuntimes)
	return l, labFailed(err)
}

// labFailed gives an error of a lab its exit status.
func labFailed(err error) error {
	var bad *lab.InputError
	var has *exitError
	switch {
	case err == nil || errors.As(err, &has):
		return err
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted, fmt.Errorf("stopped: %w", err))
	case errors.As(err, &bad) || errors.Is(err, lab.ErrNoLab):
		return exit(exitBadInput, err)
	}
	return exit(exitWorldFailed, err)
}

// labUpFlags are those of lab up.
type labUpFlags struct {
	labPlace
	config       lab.Config
	nodes, vms   int
	zones        int
	runtime      string
	memory, disk string
	labels, args []string
	taints       []string
	kubelet      string
	timeout      time.Duration
}

func (a *app) labUp() *cobra.Command {
	var f labUpFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring a lab up",
		Long: "Up starts a control plane and nodes, and returns when all nodes are Ready; they go on until\n" +
			"berth lab down. The programs that aren't in --bin-dir are built from Berth's source tree, which\n" +
			"takes minutes once. No name server, no service addresses and no controllers: pods run and can\n" +
			"speak to each other by their addresses, and who else is needed can be added.",
		Example: "  sudo berth lab up --nodes 3 --zones 3\n" +
			"  sudo berth lab up --nodes 1 --kwok 300 --kube-scheduler --name big\n" +
			"  sudo berth lab up --nodes 2 --vms 1 --memory 1Gi",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLabUp(cmd.Context(), &f) },
	}
	f.labPlace.flags(cmd)
	fl := cmd.Flags()
	fl.IntVar(&f.nodes, "nodes", 3, "how many nodes with a real kubelet")
	fl.StringVar(&f.runtime, "runtime", lab.ContainerRuntime, "what such a node is made of: "+strings.Join(lab.Runtimes(labRuntimes), ", "))
	fl.IntVar(&f.vms, "vms", 0, "how many nodes in virtual machines besides: vm1 and so on")
	fl.StringVar(&f.memory, "memory", "2Gi", "memory of a node, which its pods can't exceed together")
	fl.StringVar(&f.disk, "disk", "4Gi", "disk of a node, of which only what is written takes room")
	fl.IntVar(&f.zones, "zones", 0, "label nodes with so many zones in turn; 0 gives them none")
	fl.StringArrayVar(&f.labels, "label", nil, "a label of all nodes, as key=value, or of one, as NODE:key=value; may be repeated")
	fl.StringArrayVar(&f.taints, "taint", nil, "a taint of all nodes, as key=value:NoSchedule, or of one, as NODE:key=value:NoSchedule; may be repeated")
	fl.StringVar(&f.kubelet, "kubelet-config", "", "file with fields of KubeletConfiguration that differ from the lab's")
	fl.IntVar(&f.config.KWOK, "kwok", 0, "how many simulated nodes of KWOK's controller besides")
	fl.IntVar(&f.config.Hollow, "hollow", 0, "how many of kubemark's hollow nodes besides")
	fl.BoolVar(&f.config.Controllers, "kube-controller-manager", false, "run kube-controller-manager, too")
	fl.BoolVar(&f.config.Scheduler, "kube-scheduler", false, "run kube-scheduler, too")
	fl.StringArrayVar(&f.args, "arg", nil, "a further argument of a component, as kube-apiserver=--v=4; may be repeated")
	fl.StringArrayVar(&f.config.Images, "image", nil, "archive with further images for the nodes; may be repeated")
	fl.StringVar(&f.config.BinDir, "bin-dir", "", "folder of components' programs that are taken rather than built")
	fl.StringVar(&f.config.Source, "source", "", "root of Berth's source tree (default: looked for from here upwards)")
	fl.DurationVar(&f.timeout, "timeout", 5*time.Minute, "give up when nodes aren't Ready after this time, building aside")
	return cmd
}

// complete takes the flags into the configuration.
func (f *labUpFlags) complete() error {
	c := &f.config
	c.Name, c.Dir, c.Extra, c.Timeout = f.name, f.dir, labRuntimes, f.timeout
	spec := lab.NodeSpec{Runtime: f.runtime, Labels: map[string]string{}}
	var err error
	if spec.Memory, err = lab.ParseBytes(f.memory); err != nil {
		return fmt.Errorf("--memory: %w", err)
	}
	if spec.Disk, err = lab.ParseBytes(f.disk); err != nil {
		return fmt.Errorf("--disk: %w", err)
	}
	if f.kubelet != "" {
		if spec.Kubelet, err = lab.ReadKubeletConfig(f.kubelet); err != nil {
			return err
		}
	}
	if f.nodes < 0 || f.vms < 0 || f.zones < 0 {
		return errors.New("--nodes, --vms and --zones can't be negative; give 0 or more")
	}
	c.Nodes = lab.Nodes(f.nodes, spec)
	spec.Name, spec.Runtime = virtual.Name, virtual.Name
	c.Nodes = append(c.Nodes, lab.Nodes(f.vms, spec)...)
	if err := f.describeNodes(); err != nil {
		return err
	}
	for i := range c.Nodes {
		if f.zones > 0 {
			c.Nodes[i].Labels["topology.kubernetes.io/zone"] = fmt.Sprintf("zone%d", 1+i%f.zones)
		}
	}
	c.Args = map[string][]string{}
	for _, text := range f.args {
		name, arg, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--arg: %q names no component; write kube-apiserver=--v=4", text)
		}
		c.Args[name] = append(c.Args[name], arg)
	}
	return nil
}

func (a *app) runLabUp(ctx context.Context, f *labUpFlags) error {
	if err := f.complete(); err != nil {
		return exit(exitBadInput, err)
	}
	began := time.Now()
	f.config.Say = func(text string) {
		if !a.quiet {
			fmt.Fprintf(a.env.Stderr, "%6.1f s  %s\n", time.Since(began).Seconds(), text)
		}
	}
	l, err := lab.Up(ctx, f.config)
	if err != nil {
		return labFailed(err)
	}
	fmt.Fprintf(a.env.Stdout, "export KUBECONFIG=%s\n", l.Kubeconfig())
	return nil
}

func (a *app) labDown() *cobra.Command {
	var f labPlace
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Take a lab down",
		Long: "Down ends all processes of a lab, and removes its cgroups, network namespaces and folder; also\n" +
			"if up failed or was killed halfway.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return labFailed(lab.Down(cmd.Context(), f.folder()))
		},
	}
	f.flags(cmd)
	return cmd
}
