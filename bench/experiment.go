package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/scheduler"
)

// An Experiment is a product of axes: a run for each combination of their
// values.
type Experiment struct {
	Axes     Axes     `json:"axes"`
	Baseline string   `json:"baseline,omitempty"` // a value of Axes.Policy that the others are compared with
	Report   []string `json:"report,omitempty"`   // metrics, or families of them, that tables show; none means all

	// Service is the time that the scheduler takes for a decision.
	Service time.Duration `json:"service,omitempty"`

	Storm Storm `json:"storm,omitzero"` // how faults come

	// Set changes limits of what the axis quota names, as ParseQuotaSetting reads it.
	Set []string `json:"set,omitempty"`
}

// Axes are what an experiment varies.
type Axes struct {
	Trace    []string `json:"trace"`    // as traces.Open reads them
	Policy   []string `json:"policy"`   // as OpenPolicy reads them
	Eviction []string `json:"eviction"` // as eviction.Open reads them, or "none"
	Faults   []string `json:"faults"`   // as traces.Opener.OpenFaults reads them; "none" for nodes that don't fail
	Quota    []string `json:"quota"`    // manifests with ResourceQuotas, or "elastic:" and a file; "none" for no limits
	Seed     Seeds    `json:"seed"`
}

// Complete fills in what was left out: the seed 42, and "none" for the axes
// that have a value for it.
func (x *Experiment) Complete() {
	for _, axis := range []*[]string{&x.Axes.Eviction, &x.Axes.Faults, &x.Axes.Quota} {
		if len(*axis) == 0 {
			*axis = []string{none}
		}
	}
	if len(x.Axes.Seed) == 0 {
		x.Axes.Seed = Seeds{42}
	}
}

// A ValueError says what is wrong with one value of an experiment.
type ValueError struct {
	Key, Value string // the value stands under the key; "" if there is none
	Problem    string // with what to do
}

// Error implements error.
func (e *ValueError) Error() string { return e.Problem }

func invalid(key, value, format string, args ...any) error {
	return &ValueError{key, value, fmt.Sprintf(format, args...)}
}

// Validate returns what is wrong with the experiment, a *ValueError, if the
// policies are made of those plugins, and there are those eviction policies beside
// Berth's own. It doesn't look at traces.
func (x *Experiment) Validate(plugins []*scheduler.Plugin, others ...*eviction.Policy) error {
	if len(x.Axes.Trace) == 0 {
		return invalid("trace", "", "no trace; name one, for example synthetic:gpu")
	}
	if len(x.Axes.Policy) == 0 {
		return invalid("policy", "", "no policies; name some, for example fgd,bestfit")
	}
	for _, policy := range x.Axes.Policy {
		if _, err := OpenPolicy(plugins, policy); err != nil {
			return invalid("policy", policy, "%v", err)
		}
	}
	for _, axis := range x.axes() {
		if err := axis.validate(); err != nil {
			return err
		}
	}
	for _, spec := range x.Axes.Faults {
		if spec != none && x.Storm.For == 0 {
			return invalid("faults", spec, "faults may go on for ever; say for how long, by for")
		}
	}
	for _, spec := range x.Axes.Eviction {
		if _, _, err := eviction.Open(evictions(others), spec); err != nil && spec != none {
			return invalid("eviction", spec, "%v", err)
		}
	}
	if err := x.Storm.validate(); err != nil {
		return err
	}
	if _, err := x.regimes(plugins); err != nil {
		return err
	}
	if len(x.Set) > 0 && !slices.ContainsFunc(x.Axes.Quota, func(q string) bool { return q != none }) {
		return invalid("set", x.Set[0], "%q changes a limit, and there is none; name a quota", x.Set[0])
	}
	if x.Service < 0 {
		return invalid("service", x.Service.String(), "service is %v; it must be 0 or more", x.Service)
	}
	if x.Baseline != "" && !slices.Contains(x.Axes.Policy, x.Baseline) {
		return invalid("baseline", x.Baseline, "the baseline %q is not among the policies; use one of %s", x.Baseline, strings.Join(x.Axes.Policy, ", "))
	}
	for _, name := range x.Report {
		if !slices.ContainsFunc(Metrics, func(m Metric) bool { return m.answersTo(name) }) {
			return invalid("report", name, "unknown metric %q; known: %s", name, strings.Join(selectable(), ", "))
		}
	}
	return nil
}

// An axis is a named list of values.
type axis struct {
	name   string
	values []string
}

func (x *Experiment) axes() []axis {
	return []axis{
		{"trace", x.Axes.Trace},
		{"policy", x.Axes.Policy},
		{"eviction", x.Axes.Eviction},
		{"faults", x.Axes.Faults},
		{"quota", x.Axes.Quota},
	}
}

func (a axis) validate() error {
	for i, v := range a.values {
		if slices.Contains(a.values[:i], v) {
			return invalid(a.name, v, "%s %q comes twice; name each once", a.name, v)
		}
	}
	return nil
}

// points returns the combinations of all axes but the seed, in the order of
// reports: the policies of one trace stand together.
func (x *Experiment) points() []Point {
	var out []Point
	for _, trace := range x.Axes.Trace {
		for _, quota := range x.Axes.Quota {
			for _, faults := range x.Axes.Faults {
				for _, eviction := range x.Axes.Eviction {
					for _, policy := range x.Axes.Policy {
						out = append(out, Point{trace, policy, eviction, faults, quota})
					}
				}
			}
		}
	}
	return out
}

// Hash returns the SHA-256, in hex, of the experiment: equal experiments have
// equal hashes, whether they came from a file or from flags. What tables show
// doesn't count.
func (x *Experiment) Hash() string {
	y := *x
	y.Report = nil
	b, err := json.Marshal(y)
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func sortedKeys[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
