// Command components is Kubernetes in one file: every program that a lab runs on its control
// plane and its nodes, chosen by the name it is called by or by its first argument. One program
// of 150 MB instead of seven of 60 to 105 MB is linked once, and its pages are in memory once
// however many kubelets run.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // rest_client_* in /metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info in /metrics
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	kubemark "k8s.io/kubernetes/cmd/kubemark/app"
)

// A component makes one program's command line. The programs register flags and metrics when
// they are made, so only the one that runs may be.
type component struct {
	name string
	make func() *cobra.Command
}

var components = []component{
	{"kube-apiserver", apiserver.NewAPIServerCommand},
	{"kube-controller-manager", controllermanager.NewControllerManagerCommand},
	{"kube-scheduler", func() *cobra.Command { return scheduler.NewSchedulerCommand() }},
	{"kubectl", kubectl.NewDefaultKubectlCommand},
	{"kubelet", func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }},
	{"kubemark", kubemark.NewHollowNodeCommand},
}

func main() {
	name, args := chosen(os.Args)
	if name == "etcd" {
		etcdmain.Main(args) // reads its flags from what it is given, and exits by itself
		return
	}
	i := slices.IndexFunc(components, func(c component) bool { return c.name == name })
	if i < 0 {
		fmt.Fprintf(os.Stderr, "components: there is no component %q; call this program by one of these names, or give one as its first argument: etcd %s\n", name, names())
		os.Exit(2)
	}
	os.Args = args // kubelet and kubectl look at it themselves
	os.Exit(cli.Run(components[i].make()))
}

// chosen is which component args ask for, and the arguments that it gets, its own name first.
func chosen(args []string) (name string, rest []string) {
	name = filepath.Base(args[0])
	known := name == "etcd" || slices.ContainsFunc(components, func(c component) bool { return c.name == name })
	if !known && len(args) > 1 {
		return args[1], args[1:]
	}
	return name, args
}

func names() string {
	var all []string
	for _, c := range components {
		all = append(all, c.name)
	}
	return strings.Join(all, " ")
}
