package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/spf13/cobra"
)

// recordKinds are what record may watch beside pods and nodes, by the names that --kinds has.
var recordKinds = []struct {
	name  string
	needs kube.Needs
}{
	{"leases", kube.Leases}, {"budgets", kube.Budgets}, {"quotas", kube.Quotas},
	{"workloads", kube.Workloads}, {"namespaces", kube.Namespaces}, {"services", kube.Services},
}

// kindNames returns the names.
func kindNames() (names []string) {
	for _, k := range recordKinds {
		names = append(names, k.name)
	}
	return names
}

func (a *app) record() *cobra.Command {
	var f liveFlags
	var file string
	kinds := kindNames()
	cmd := &cobra.Command{
		Use:   "record -f FILE",
		Short: "Record a live cluster, reading only",
		Long: "Record watches a Kubernetes API and writes what happens into a TRACE, for as long as it runs: across\n" +
			"reconnects, and with gaps where something may have been missed. It asks for nothing but list and watch of\n" +
			"what --kinds names, and stores what scheduling and eviction depend on: never Secrets, ConfigMaps,\n" +
			"environment values, commands or annotations. See docs/live.md.",
		Example: "  berth record --kubeconfig ~/.kube/config -f week.berth --for 168h\n  berth trace info week.berth\n  berth compare --trace week.berth --policies kube,bestfit",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return exit(exitBadInput, errors.New("record needs a file to write to; give one by -f"))
			}
			needs, err := needsOf(kinds)
			if err == nil {
				err = f.check()
			}
			file := inFolder(file, time.Now())
			if err == nil {
				err = checkNew("-f", file)
			}
			if err != nil {
				return err
			}
			return a.begun(&live{
				app: a, flags: &f, who: &bench.Live{Verb: bench.LiveRecord}, needs: needs, file: file,
				begin: func(context.Context, *stage) (*crew, error) { return &crew{}, nil },
			}, cmd)
		},
	}
	f.add(cmd, "127.0.0.1:10261")
	cmd.Flags().StringVarP(&file, "file", "f", "", "file to write, which must not exist; or a folder, for one that is named by the time")
	cmd.Flags().StringSliceVar(&kinds, "kinds", kinds, "what is recorded beside pods and nodes")
	return cmd
}

// inFolder returns a new file in a folder, and the path itself of what is none.
func inFolder(path string, now time.Time) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, "recording-"+now.UTC().Format("20060102T150405Z")+".berth")
	}
	return path
}

// needsOf returns what is watched for kinds.
func needsOf(kinds []string) (kube.Needs, error) {
	needs := kube.Pods | kube.Nodes
	for _, name := range kinds {
		i := slices.Index(kindNames(), name)
		if i < 0 && name != "pods" && name != "nodes" {
			return 0, exit(exitBadInput, fmt.Errorf("--kinds: there is no %q; known: pods, nodes, %s", name, strings.Join(kindNames(), ", ")))
		}
		if i >= 0 {
			needs |= recordKinds[i].needs
		}
	}
	return needs, nil
}

// begun runs a verb on a live cluster.
func (a *app) begun(l *live, cmd *cobra.Command) error { return l.run(cmd.Context()) }
