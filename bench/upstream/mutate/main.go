// Command mutate asks how good the comparison with upstream is at finding mistakes: it changes each
// comparison, constant and rounding of Berth's kube plugins, one at a time, and reports which of these
// mutants no pod gives away.
//
//	go run ./mutate -pods 2000 -seed 1
//
// All mutants are compiled into one binary, in which one at a time is switched on. What upstream
// decides is recorded once, since it doesn't depend on Berth. With -tests, tests of other comparisons
// are that binary.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

const (
	pluginsPath = "github.com/berthsim/berth/plugins"
	activePath  = "github.com/berthsim/berth/bench/upstream/mutate/active"
	workerPath  = "github.com/berthsim/berth/bench/upstream/mutate/worker"
)

// others are files of package plugins with policies that upstream doesn't have; what holds them are
// the published results that make verify compares with, and stories computed by hand.
var others = []string{
	"bestfit.go", "dotprod.go", "elasticquota.go", "elasticquota_ledger.go", "elasticquota_options.go",
	"elasticquota_reclaim.go", "elasticquota_use.go", "fgd.go", "fragmentation.go", "gpuclustering.go", "gpudevices.go", "gpudevices_wake.go",
	"gpupacking.go", "plugins.go", "random.go",
}

// faster are files of what only saves time: of what is kept from one decision to the next, which TestRankedAsPlain
// holds, and of scores for two resources, which TestFastScores holds against those for any number.
var faster = []string{
	"defaultpreemption_memory.go", "interpodaffinity_domains.go", "podtopologyspread_domains.go", "resources_fast.go",
}

// extended is the file about extenders, which bench/upstream/extenders compares.
const extended = "defaultpreemption_extenders.go"

// enough is the share of mutants, in percent, that must be caught; of a sample, somewhat fewer.
const enough, enoughOfSample = 95, 90

type options struct {
	seed, pods, workers int
	every               int
	only                string
	explained           string
	pkg, files, tests   string
	caught              bool
}

func main() {
	var o options
	flag.IntVar(&o.seed, "seed", 1, "of the scenarios")
	flag.IntVar(&o.pods, "pods", 2000, "within which a mutant must be caught")
	flag.IntVar(&o.workers, "workers", runtime.NumCPU(), "processes at a time")
	flag.IntVar(&o.every, "every", 1, "try every so many-th mutant, as a quick check")
	flag.StringVar(&o.only, "only", "", "mutants whose names match this regular expression")
	flag.StringVar(&o.explained, "explained", "", "a document that must name each survivor")
	flag.BoolVar(&o.caught, "caught", false, "name the mutants that are caught as well, and what catches them")
	flag.StringVar(&o.pkg, "package", pluginsPath, "whose files are mutated")
	flag.StringVar(&o.files, "files", "", "with -tests: names of files that match this regular expression")
	flag.StringVar(&o.tests, "tests", "", "packages, with commas, whose tests are run for each mutant with CASES=<pods>, instead of placing pods")
	flag.Parse()
	run := o.run
	if o.tests != "" {
		run = o.runTests
	}
	ok, err := run(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// overlay makes a folder with the mutants of a package's files, and says which of them are to be tried.
func (o options) overlay(pkg string, files func(string) bool) (dir string, mutants []Mutant, config string, err error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return "", nil, "", err
	}
	if dir, err = os.MkdirTemp("", "mutate"); err != nil {
		return "", nil, "", err
	}
	if mutants, config, err = overlay(pkg, dir, files); err != nil {
		os.RemoveAll(dir)
		return "", nil, "", err
	}
	mutants = slices.DeleteFunc(mutants, func(m Mutant) bool { return m.ID%o.every != 0 || !only.MatchString(m.Name()) })
	return dir, mutants, config, nil
}

// run tries all mutants, reports, and returns whether enough are caught and the rest explained.
func (o options) run(out io.Writer) (bool, error) {
	dir, mutants, config, err := o.overlay(pluginsPath, func(file string) bool {
		return !slices.Contains(others, file) && !slices.Contains(faster, file) && file != extended
	})
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "worker")
	build := exec.Command("go", "build", "-overlay", config, "-o", binary, workerPath)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return false, fmt.Errorf("building the mutants: %w", err)
	}
	p := &pool{binary: binary, args: []string{"-seed", fmt.Sprint(o.seed), "-pods", fmt.Sprint(o.pods)}}
	done := 0
	p.show = func(Outcome) {
		if done++; done%100 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d mutants\n", done, len(mutants))
		}
	}
	outcomes, err := p.run(mutants, o.workers)
	if err != nil {
		return false, err
	}
	return report(out, mutants, outcomes, o)
}

// report writes the survivors and the figures.
func report(out io.Writer, mutants []Mutant, outcomes map[int]Outcome, o options) (bool, error) {
	document := ""
	if o.explained != "" {
		text, err := os.ReadFile(o.explained)
		if err != nil {
			return false, err
		}
		document = string(text)
	}
	caught, unexplained := map[string]int{}, 0
	total := map[string]int{}
	for _, m := range mutants {
		total[m.Kind]++
		if by := outcomes[m.ID].Caught; by != "" {
			if o.caught {
				fmt.Fprintf(out, "caught by %s: %s\n", by, m.Name())
			}
			caught[m.Kind]++
			continue
		}
		mark := ""
		if o.explained != "" && !strings.Contains(document, "`"+m.Name()+"`") {
			unexplained++
			mark = ", not explained"
		}
		fmt.Fprintf(out, "survived%s: %s (line %d)\n", mark, m.Name(), m.Line)
	}
	all, dead := 0, 0
	for _, kind := range []string{"comparison", "constant", "rounding"} {
		fmt.Fprintf(out, "%-11s %4d mutants, %4d caught\n", kind, total[kind], caught[kind])
		all, dead = all+total[kind], dead+caught[kind]
	}
	fmt.Fprintf(out, "%d mutants, %d caught within %d pods, %d survive, %d of them unexplained: %.1f %%\n",
		all, dead, o.pods, all-dead, unexplained, 100*float64(dead)/float64(max(all, 1)))
	least := enough
	if o.every > 1 || o.only != "" {
		least = enoughOfSample
	}
	return dead*100 >= least*all && unexplained == 0, nil
}
