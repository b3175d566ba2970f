package suite

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/google/pprof/profile"
)

// A Share is a part of the samples that a profiler took of the processors.
type Share struct {
	Phase  string  `json:"phase"`
	Plugin string  `json:"plugin"` // "" for the framework
	Of     float64 `json:"share"`  // 0 to 1, of all samples
}

// What samples are put down to that have no label, or one that says too little.
const (
	collecting = "garbage collection"
	runtimes   = "runtime"
	profiling  = "profiler"
	others     = "other"
)

// attribute says where the time of a CPU profile went, the largest share first. The phase
// is that of the label, or, of samples without one, what their functions are known to do.
// The plugin is that of the label, or else the innermost in whose methods the sample was
// taken: within a trial, and where rules are asked in turn, calls are too short for a
// label each.
func attribute(data []byte, known []*scheduler.Plugin) ([]Share, error) {
	p, err := profile.ParseData(data)
	if err != nil {
		return nil, fmt.Errorf("reading the CPU profile: %w", err)
	}
	methods, err := methodsOf(known)
	if err != nil {
		return nil, err
	}
	value := len(p.SampleType) - 1 // nanoseconds
	sums, total := map[mark]int64{}, int64(0)
	for _, s := range p.Sample {
		m := mark{label(s, phaseLabel), label(s, pluginLabel)}
		if m.phase == "" {
			m.phase = unlabelled(s)
		} else if m.plugin == "" {
			m.plugin = pluginOf(s, methods)
		}
		sums[m] += s.Value[value]
		total += s.Value[value]
	}
	var shares []Share
	for m, sum := range sums {
		shares = append(shares, Share{m.phase, m.plugin, float64(sum) / float64(total)})
	}
	slices.SortFunc(shares, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Of, a.Of), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Plugin, b.Plugin))
	})
	return shares, nil
}

func label(s *profile.Sample, key string) string {
	if values := s.Label[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// functions calls yield with the names of a sample's functions, the innermost first.
func functions(s *profile.Sample, yield func(name string) bool) {
	for _, loc := range s.Location {
		for _, line := range loc.Line {
			if line.Function != nil && !yield(line.Function.Name) {
				return
			}
		}
	}
}

// unlabelled says what a sample without a label is of.
func unlabelled(s *profile.Sample) string {
	what := others
	functions(s, func(name string) bool {
		switch {
		case slices.ContainsFunc(collectors, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
			what = collecting
			return false
		case strings.HasPrefix(name, "runtime/pprof."):
			what = profiling
			return false
		case strings.HasPrefix(name, "runtime."), strings.HasPrefix(name, "internal/runtime/"):
			what = runtimes
		default: // something called the runtime
			what = others
			return false
		}
		return true
	})
	return what
}

// collectors are how the names of functions begin that collect garbage and return memory.
var collectors = []string{"runtime.gc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.markroot", "runtime.scanobject", "runtime.(*gc", "runtime.(*mspan).sweep"}

// methodsOf maps how the names of plugins' methods begin to the plugins.
func methodsOf(known []*scheduler.Plugin) (map[string]string, error) {
	methods := map[string]string{}
	for _, member := range plugins.Kube {
		pl, err := scheduler.Find(known, member.Name)
		if err != nil {
			return nil, err
		}
		inst, err := pl.New(nil)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", pl.Name, err)
		}
		t := reflect.TypeOf(inst)
		format := "%s.%s."
		if t.Kind() == reflect.Pointer {
			t, format = t.Elem(), "%s.(*%s)."
		}
		methods[fmt.Sprintf(format, t.PkgPath(), t.Name())] = pl.Name
	}
	return methods, nil
}

// pluginOf returns the innermost plugin in whose methods, or functions made there, a
// sample was taken; "" if there is none.
func pluginOf(s *profile.Sample, methods map[string]string) (plugin string) {
	functions(s, func(name string) bool {
		// The method's name ends at the second dot behind the last slash: pkg.(*type).Method.
		slash := strings.LastIndexByte(name, '/') + 1
		parts := strings.SplitN(name[slash:], ".", 3)
		if len(parts) == 3 {
			plugin = methods[name[:slash]+parts[0]+"."+parts[1]+"."]
		}
		return plugin == ""
	})
	return plugin
}
