package tidy

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// anything, in a row's imports, stands for every package of the module.
const anything = "*"

// A row says what one package may import beside the standard library. An
// entry is a package of this module, from its root, or a third party's module.
type row struct {
	pkg     string   // examples/* stands for each folder in examples
	imports []string // what its code and its tests may import
	tests   []string // what its tests may import besides, with anyTest
	decides bool     // whether its output must depend on its input alone
	why     string
}

// anyTest is what the tests of every package may import, beside the packages
// of the module whose names end in "test".
var anyTest = []string{"github.com/google/go-cmp"}

// mayImport is the import table: low packages first.
var mayImport = []row{
	{
		pkg: "cluster", decides: true,
		why: "the vocabulary that all others share, so it may know none of them",
	}, {
		pkg: "cluster/clustertest", imports: []string{"cluster"},
		why: "the contract of a Cluster, for whoever writes one",
	}, {
		pkg: "internal/heap", decides: true,
		why: "a container; queues of events and of pods decide by its order",
	}, {
		pkg: "internal/chance", imports: []string{"cluster"}, decides: true,
		why: "distributions whose draws are the same on every machine, for whoever draws times",
	}, {
		pkg: "cluster/faults", imports: []string{"cluster", "internal/chance", "internal/heap", "internal/input"}, decides: true,
		why: "what breaks and when, known before anything decides; who makes it happen is not its business",
	}, {
		pkg: "cluster/sim", imports: []string{"cluster", "cluster/faults", "internal/heap"}, decides: true,
		why: "a simulated cluster knows nothing of who decides on it",
	}, {
		pkg: "cluster/workload", imports: []string{"cluster"}, decides: true,
		tests: []string{"cluster/sim", "cluster/faults"},
		why:   "controllers that make pods speak to any cluster through State",
	}, {
		pkg: "eviction", imports: []string{"cluster", "internal/heap"}, decides: true,
		tests: []string{"cluster/faults", "cluster/sim", "github.com/cockroachdb/datadriven"},
		why:   "speaks to any cluster through State, as the scheduler does; its tests run whole clusters, and are told as stories",
	}, {
		pkg: "eviction/evictiontest", imports: []string{"cluster", "cluster/faults", "cluster/sim", "eviction", "scheduler/schedulertest"},
		why: "the contract of an eviction policy, for whoever writes one; what the State shows is fingerprinted in one place",
	}, {
		pkg: "quota", imports: []string{"cluster", "internal/heap"}, decides: true,
		tests: []string{"cluster/sim", "cluster/workload", "github.com/cockroachdb/datadriven"},
		why:   "answers for any API server, and counts through State; its tests run whole clusters, and are told as stories",
	}, {
		pkg: "scheduler", imports: []string{"cluster", "internal/heap"}, decides: true,
		why: "speaks to any cluster through State, and takes plugins as values",
	}, {
		pkg: "scheduler/schedulertest", imports: []string{"cluster", "scheduler"},
		why: "the contract of a plugin, for whoever writes one, in this module or not",
	}, {
		pkg: "plugins", imports: []string{"cluster", "scheduler", "quota"}, decides: true,
		tests: []string{"cluster/sim", "github.com/cockroachdb/datadriven"},
		why:   "policies use what anyone's policy could use; their tests run whole clusters",
	}, {
		pkg: "internal/input",
		why: "one form for what is wrong with an input, whoever reads it",
	}, {
		pkg: "cluster/manifest",
		imports: []string{
			"cluster", "quota", "scheduler", "internal/input",
			"k8s.io/api", "k8s.io/apimachinery", "k8s.io/component-helpers", "k8s.io/kube-scheduler", "go.yaml.in/yaml/v3",
		}, decides: true,
		tests: []string{"plugins"},
		why:   "the only place that knows both Kubernetes' types and ours; sums of requests and inferred features are upstream's own code; what a scheduler's configuration says is a policy of plugins, whose names tests need",
	}, {
		pkg: "extender", imports: []string{"cluster", "cluster/manifest", "scheduler", "k8s.io/api", "k8s.io/kube-scheduler"},
		why: "talks to extenders over HTTP, in Kubernetes' types, so that scheduler needn't",
	}, {
		pkg: "traces/model", imports: []string{"cluster", "internal/chance", "internal/heap", "internal/input"}, decides: true,
		why: "what a workload looks like, fitted to any stream of events and generated again; where streams come from is not its business",
	}, {
		pkg:     "traces",
		imports: []string{"cluster", "cluster/faults", "cluster/manifest", "internal/chance", "internal/heap", "internal/input", "traces/model", "traces/wire", "github.com/klauspost/compress", "github.com/parquet-go/parquet-go", "github.com/vmihailenco/msgpack/v5", "modernc.org/sqlite"}, decides: true,
		why: "a trace is a stream of events, a recording of failures a source of faults; who uses them is not its business; recordings of Kubernetes are objects that cluster/manifest reads; OpenDC records in Parquet, SimKube in MessagePack, Azure in SQLite",
	}, {
		pkg: "traces/wire", imports: []string{"cluster", "internal/input", "github.com/klauspost/compress"}, decides: true,
		why: "Berth's own format of traces: what a cluster, a run or a data set says, and nothing of who says it; blocks are zstd frames",
	}, {
		pkg: "cluster/replay", imports: []string{"cluster", "traces/wire"}, decides: true,
		tests: []string{"cluster/faults", "cluster/sim", "cluster/workload", "eviction", "plugins", "scheduler"},
		why:   "writes and plays logs of whoever decides on whatever cluster; its tests run whole clusters",
	}, {
		pkg: "cluster/kube",
		imports: []string{
			"cluster", "cluster/manifest", "traces/wire", "internal/input",
			"k8s.io/client-go", "k8s.io/api", "k8s.io/apimachinery", "go.uber.org/zap", "github.com/prometheus/client_golang",
		},
		tests: []string{"cluster/replay", "eviction", "plugins", "scheduler"},
		why:   "a live cluster: the only package that speaks to an API server, with clocks and goroutines; its tests run whole clusters",
	}, {
		pkg: "cluster/kube/kubetest", imports: []string{"k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go", "gopkg.in/evanphx/json-patch.v4"},
		tests: []string{"k8s.io/klog/v2"},
		why:   "a Kubernetes API in memory knows Kubernetes' types and nothing of ours, so it can't agree with our mistakes",
	}, {
		pkg: "cluster/lab/cgroup", imports: []string{"golang.org/x/sys"},
		why: "the kernel's files of control groups, and signals to who is in them",
	}, {
		pkg: "cluster/lab/pki", imports: []string{"k8s.io/client-go"},
		why: "certificates, by the standard library; kubeconfigs are client-go's",
	}, {
		pkg: "cluster/lab/network", imports: []string{"github.com/vishvananda/netlink", "github.com/vishvananda/netns", "golang.org/x/sys"},
		why: "network namespaces and links, which have no simpler way in than netlink",
	}, {
		pkg: "cluster/lab/image",
		why: "an archive format, by the standard library",
	}, {
		pkg: "cluster/lab/image/*",
		why: "what pods run, small and static: every node has a copy",
	}, {
		pkg: "cluster/lab/build", imports: []string{"cluster/lab/image"},
		why: "runs the go command",
	}, {
		pkg: "cluster/lab/agent", imports: []string{"cluster/lab/cgroup", "golang.org/x/sys"},
		why: "the first process of every node, so it is small: system calls and the standard library",
	}, {
		pkg: "cluster/lab/agent/program", imports: []string{"cluster/lab/agent"},
		why: "the main of package agent",
	}, {
		pkg: "cluster/lab",
		imports: []string{
			"cluster/lab/agent", "cluster/lab/build", "cluster/lab/cgroup", "cluster/lab/network", "cluster/lab/pki",
			"golang.org/x/sys", "k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go",
		},
		why: "a real cluster on this machine, and nothing of who decides on it",
	}, {
		pkg: "traces/fetch",
		why: "downloads public traces by net/http: the only package that asks the network for data, and nobody but a main uses it",
	}, {
		pkg: "cluster/lab/vm/guest",
		why: "what a lab machine's host and its PID 1 say to each other, so that neither can say something else",
	}, {
		pkg: "cluster/lab/vm/init", imports: []string{"cluster/lab/vm/guest", "github.com/vishvananda/netlink", "golang.org/x/sys"},
		why: "PID 1 of a lab machine: calls the kernel, and should stay small",
	}, {
		pkg: "cluster/lab/vm", imports: []string{"cluster/lab/vm/guest", "github.com/cavaliergopher/cpio", "github.com/vishvananda/netlink", "github.com/vishvananda/netns", "golang.org/x/sys"},
		why: "machines for real kubelets; what runs in them, and on which cluster, is not its business",
	}, {
		pkg: "cluster/lab/virtual", imports: []string{"cluster/lab", "cluster/lab/agent", "cluster/lab/build", "cluster/lab/network", "cluster/lab/vm", "cluster/lab/vm/guest"},
		why: "machines as nodes of a lab, so that neither package needs to know the other",
	}, {
		pkg: "bench",
		imports: []string{
			"cluster", "cluster/faults", "cluster/manifest", "cluster/sim", "cluster/workload", "cluster/replay", "eviction", "extender", "internal/heap", "quota", "scheduler", "plugins", "traces", "traces/wire",
			"gonum.org/v1/gonum", "gonum.org/v1/plot", "go.yaml.in/yaml/v3",
		},
		why: "runs everything on everything, but never a live cluster; quantiles of t, experiment files",
	}, {
		pkg: "bench/certify", imports: []string{"cluster", "cluster/faults", "cluster/sim", "cluster/workload", "internal/input", "gonum.org/v1/plot", "go.yaml.in/yaml/v3"},
		tests: []string{"eviction", "plugins", "scheduler"},
		why:   "holds a run on real kubelets against a simulated one, and knows neither who decides nor whose kubelets they are",
	}, {
		pkg: "bench/suite",
		imports: []string{
			"bench", "cluster", "scheduler", "plugins",
			"github.com/google/pprof", "github.com/grafana/pyroscope-go", "golang.org/x/perf",
		},
		why: "measures how fast the scheduler decides, which takes a clock and a profiler, apart from what it decides; statistics of benchmarks are benchstat's",
	}, {
		pkg: "cmd/berth", imports: []string{anything, "github.com/spf13/cobra", "go.uber.org/zap", "golang.org/x/term"},
		tests: []string{"github.com/rogpeppe/go-internal"},
		why:   "a main wires all",
	}, {
		pkg: "cmd/berth/e2e", tests: []string{anything, "k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go", "sigs.k8s.io/yaml"},
		why: "the program as people use it, on real kubelets",
	}, {
		pkg: "cmd/berth/e2e/crowd", imports: []string{
			"bench", "cluster", "cluster/lab", "cluster/lab/build", "cluster/sim", "plugins",
			"golang.org/x/sys", "k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go", "github.com/prometheus/common",
		},
		why: "measures the program beside kube-scheduler from outside, on a lab, and has the simulator judge; a server's counts are in Prometheus' text form",
	}, {
		pkg: "cmd/berth/app",
		imports: []string{
			anything, "github.com/spf13/cobra", "go.uber.org/zap", "golang.org/x/term",
			"k8s.io/api", "k8s.io/client-go", "k8s.io/apimachinery", "k8s.io/klog/v2", "github.com/go-logr/zapr", "github.com/prometheus/client_golang", "sigs.k8s.io/yaml",
		},
		tests: []string{"github.com/rogpeppe/go-internal", "github.com/go-logr/logr", "github.com/prometheus/common", "k8s.io/api"},
		why:   "the body of every main, ours or a policy author's: flags, logs and output live here alone, and on a live cluster who is elected to act and what is said of that over HTTP",
	}, {
		pkg: "examples/*", imports: []string{anything, "github.com/spf13/cobra", "go.uber.org/zap", "golang.org/x/term"},
		tests: []string{"github.com/rogpeppe/go-internal"},
		why:   "mains that show how to write one",
	}, {
		pkg: "internal/tidy",
		why: "reads the others as text",
	},
}

func TestImports(t *testing.T) {
	report(t, checkImports(mayImport, importsOf(moduleSources(t))))
}

// An imported is what one package imports, each path mapped to a file that does.
type imported struct{ code, tests map[string]string }

// importsOf collects the imports of each package, by its path in the module.
func importsOf(files []source) map[string]imported {
	pkgs := map[string]imported{}
	for _, f := range files {
		p, ok := pkgs[f.pkg()]
		if !ok {
			p = imported{map[string]string{}, map[string]string{}}
			pkgs[f.pkg()] = p
		}
		into := p.code
		if f.isTest() {
			into = p.tests
		}
		for _, spec := range f.syntax.Imports {
			if imp, err := strconv.Unquote(spec.Path.Value); err == nil {
				into[imp] = f.name
			}
		}
	}
	return pkgs
}

// checkImports compares what packages import with what the rows allow, and
// the list of packages with the list of rows.
func checkImports(rows []row, pkgs map[string]imported) (findings []string) {
	found := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(pkgs)) {
		r, ok := rowOf(rows, name)
		if !ok {
			found("%s has no row in mayImport: add one that says what it may import, and why", name)
			continue
		}
		used[r.pkg] = true
		for _, imp := range slices.Sorted(maps.Keys(pkgs[name].code)) {
			if !allowed(imp, r.imports) {
				found("%s: %s may not import %s", pkgs[name].code[imp], name, imp)
			}
		}
		for _, imp := range slices.Sorted(maps.Keys(pkgs[name].tests)) {
			itself := imp == module+"/"+name
			contract := strings.HasPrefix(imp, module+"/") && strings.HasSuffix(imp, "test")
			if !itself && !contract && !allowed(imp, slices.Concat(r.imports, r.tests, anyTest)) {
				found("%s: tests of %s may not import %s", pkgs[name].tests[imp], name, imp)
			}
		}
	}
	for _, r := range rows {
		if !used[r.pkg] {
			found("mayImport has a row for %s, and there is no such package", r.pkg)
		}
		if r.why == "" {
			found("mayImport's row for %s gives no reason", r.pkg)
		}
		for _, entry := range slices.Concat(r.imports, r.tests) {
			if _, ok := rowOf(rows, entry); !ok && entry != anything && standard(entry) {
				found("mayImport's row for %s allows %s, and there is no such package", r.pkg, entry)
			}
		}
	}
	return findings
}

// rowOf finds the row of a package.
func rowOf(rows []row, pkg string) (row, bool) {
	for _, r := range rows {
		if ok, err := path.Match(r.pkg, pkg); ok && err == nil {
			return r, true
		}
	}
	return row{}, false
}

// allowed reports whether an import is the standard library's or among entries.
func allowed(imp string, entries []string) bool {
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		return slices.Contains(entries, own) || slices.Contains(entries, anything)
	}
	return standard(imp) || slices.ContainsFunc(entries, func(e string) bool {
		return imp == e || strings.HasPrefix(imp, e+"/")
	})
}

// standard reports whether an import path is one of the standard library's,
// which has no domain in front.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

func TestImportsFindings(t *testing.T) {
	rows := []row{
		{pkg: "low", why: "x"},
		{pkg: "high", imports: []string{"low", "example.org/m"}, tests: []string{"sim"}, why: "x"},
		{pkg: "sim", why: "x"},
		{pkg: "main/*", imports: []string{anything}, why: "x"},
	}
	const own = module + "/"
	tests := []struct {
		why, file, imp string
		want           string // "" for nothing
	}{
		{"the standard library", "low/a.go", "go/ast", ""},
		{"upwards", "low/a.go", own + "high", "low/a.go: low may not import " + own + "high"},
		{"downwards", "high/a.go", own + "low", ""},
		{"a third party's package", "high/a.go", "example.org/m/p", ""},
		{"a neighbour with a longer name", "high/a.go", "example.org/mm", "high/a.go: high may not import example.org/mm"},
		{"what only tests may", "high/a.go", own + "sim", "high/a.go: high may not import " + own + "sim"},
		{"tests", "high/a_test.go", own + "sim", ""},
		{"tests of another package", "low/a_test.go", own + "sim", "low/a_test.go: tests of low may not import " + own + "sim"},
		{"a test of the package from outside", "low/a_test.go", own + "low", ""},
		{"a contract", "low/a_test.go", own + "low/lowtest", ""},
		{"a contract in what isn't a test", "low/a.go", own + "low/lowtest", "low/a.go: low may not import " + own + "low/lowtest"},
		{"comparing", "low/a_test.go", "github.com/google/go-cmp/cmp", ""},
		{"a main", "main/x/a.go", own + "high", ""},
		{"a main's third party", "main/x/a.go", "example.org/m", "main/x/a.go: main/x may not import example.org/m"},
	}
	for _, tt := range tests {
		files := []source{}
		for _, name := range []string{"low/z.go", "high/z.go", "sim/z.go", "main/z/z.go"} {
			files = append(files, mustParse(t, name, "package z"))
		}
		files = append(files, mustParse(t, tt.file, "package z; import "+strconv.Quote(tt.imp)))
		if got := strings.Join(checkImports(rows, importsOf(files)), "\n"); got != tt.want {
			t.Errorf("%s: found %q, want %q", tt.why, got, tt.want)
		}
	}
}

func TestImportsRowsFindings(t *testing.T) {
	files := []source{mustParse(t, "new/z.go", "package z")}
	rows := []row{{pkg: "old", imports: []string{"odl"}}}
	want := []string{
		"new has no row in mayImport: add one that says what it may import, and why",
		"mayImport has a row for old, and there is no such package",
		"mayImport's row for old gives no reason",
		"mayImport's row for old allows odl, and there is no such package",
	}
	if got := checkImports(rows, importsOf(files)); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}
