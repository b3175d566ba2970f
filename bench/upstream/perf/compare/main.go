// Command compare plays kube-scheduler's own performance tests on upstream's scheduling algorithm and on
// Berth, in turn, and prints how long each took for a pod.
//
//	go run ./perf/compare -nodes 500,5000 -runs 10 -cases '^SchedulingBasic$'
//
// It must be run in the module that requires upstream's.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/berthsim/berth/bench/upstream/perf"
)

func main() {
	var c perf.Comparison
	nodes := flag.String("nodes", "500", "numbers of nodes, with commas between them")
	only := flag.String("cases", "", "test cases whose names match this regular expression")
	flag.IntVar(&c.Runs, "runs", 3, "of each side, of which the median counts")
	flag.IntVar(&c.Pods, "pods", 0, "measured in a run, at most; 0 for as many as the workload has")
	flag.IntVar(&c.Upstream, "upstream", 200, "measured in a run of upstream, at most: the first of the same pods; 0 for as many")
	flag.IntVar(&c.Parallelism, "parallelism", 2, "goroutines of upstream")
	flag.Parse()
	if err := run(&c, *nodes, *only); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(c *perf.Comparison, nodes, only string) error {
	if c.Runs < 1 || c.Pods < 0 || c.Upstream < 0 || c.Parallelism < 1 {
		return fmt.Errorf("-runs and -parallelism must be 1 or more, -pods and -upstream 0 or more")
	}
	for _, text := range strings.Split(nodes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-nodes: %q is no number of nodes", text)
		}
		c.Nodes = append(c.Nodes, n)
	}
	var err error
	if c.Cases, err = regexp.Compile(only); err != nil {
		return fmt.Errorf("-cases: %w", err)
	}
	dir, err := perf.Dir()
	if err != nil {
		return err
	}
	cases, err := perf.Read(dir)
	if err != nil {
		return err
	}
	return c.Run(os.Stdout, cases)
}
