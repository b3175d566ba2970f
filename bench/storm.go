package bench

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/traces"
)

// A Storm says how faults come to an experiment's clusters.
type Storm struct {
	Zones int          `json:"zones,omitempty"` // that nodes without one are spread over, by a hash of their names; 0 for none
	For   cluster.Time `json:"for,omitempty"`   // how long runs last, in nanoseconds; with faults or Usage, which never end, above 0
	Work  sim.Work     `json:"work,omitzero"`   // what is left of a pod's work when it is begun again

	// Usage says what memory pods use, as eviction.ParseDrift reads it, or recorded for what the
	// trace says that they used, and kubelets watch it; "" for what they ask for, so that none
	// is short of it.
	Usage string `json:"usage,omitempty"`

	// StartUp says how long pods' containers take to start, as ParseStartUp reads it; "" for
	// no time.
	StartUp string `json:"startup,omitempty"`
}

// Storms reports whether the experiment has faults, eviction or what else makes a storm.
func (x *Experiment) Storms() bool {
	return x.Storm != (Storm{}) || slices.ContainsFunc(x.points(), func(p Point) bool { return p.storms() })
}

// none is the value of an axis that has no part in a run.
const none = "none"

// storms reports whether a point has faults or eviction.
func (p *Point) storms() bool { return p.Faults != none || p.Eviction != none }

// weather is what a point's faults and eviction are, opened once for all its runs.
type weather struct {
	Storm
	faults   *traces.Faults // nil for none
	policy   *eviction.Policy
	settings eviction.Settings
}

// weathers opens the faults and eviction of each point that has any, each once.
func (x *Experiment) weathers(opts *Options) (map[Point]*weather, error) {
	opened := map[string]*traces.Faults{}
	for _, spec := range x.Axes.Faults {
		if spec == none {
			continue
		}
		f, err := (traces.Opener{Root: opts.TraceDir}).OpenFaults(spec)
		if err != nil {
			return nil, err
		}
		opened[spec] = f
	}
	all := map[Point]*weather{}
	for _, p := range x.points() {
		if !p.storms() && x.Storm.Usage == "" {
			continue
		}
		w := &weather{Storm: x.Storm, faults: opened[p.Faults]}
		if err := w.openPolicy(p, opts); err != nil {
			return nil, err
		}
		all[p] = w
	}
	return all, nil
}

// openPolicy opens the eviction policy of a point, if it has one.
func (w *weather) openPolicy(p Point, opts *Options) (err error) {
	if p.Eviction != none {
		w.policy, w.settings, err = eviction.Open(evictions(opts.Evictions), p.Eviction)
	}
	return err
}

// controllers returns who takes pods off nodes, and who has others take their place.
func (w *weather) controllers() []cluster.Controller {
	if w == nil || w.policy == nil {
		return nil
	}
	return append(eviction.Controllers(w.settings, w.policy), workload.NewReplicas())
}

// faultsInfo names what befell nodes.
func faultsInfo(x *Experiment, weathers map[Point]*weather) (list []PolicyInfo) {
	for _, spec := range x.Axes.Faults {
		for _, p := range x.points() {
			if w := weathers[p]; p.Faults == spec && w != nil && w.faults != nil {
				list = append(list, PolicyInfo{spec, w.faults.Hash})
				break
			}
		}
	}
	return list
}

// ParseWork reads what is left of a pod's work when it is begun again: restart, resume or
// checkpoint=D, a duration between checkpoints.
func ParseWork(text string) (sim.Work, error) {
	every, checkpoint := strings.CutPrefix(text, "checkpoint=")
	d, err := time.ParseDuration(every)
	switch {
	case text == "restart":
		return sim.Work{}, nil
	case text == "resume":
		return sim.Work{Kept: true}, nil
	case checkpoint && err == nil && d > 0:
		return sim.Work{Kept: true, Every: cluster.Time(d)}, nil
	}
	return sim.Work{}, fmt.Errorf("work is %q; give restart, resume or checkpoint=D, for example checkpoint=10m", text)
}

// ParseStartUp reads how long containers take to start: quantiles at equal distances, from
// the shortest time to the longest, with commas between them. "" is no time.
func ParseStartUp(text string) (sim.StartUp, error) {
	if text == "" {
		return nil, nil
	}
	var u sim.StartUp
	for word := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(word))
		if err != nil {
			return nil, fmt.Errorf("startup has %q; give durations, for example 800ms,1s,2.5s", word)
		}
		u = append(u, cluster.Time(d))
	}
	if err := u.Check(); err != nil {
		return nil, fmt.Errorf("startup is %q; give durations from the shortest to the longest, none below 0", text)
	}
	return u, nil
}

// maxZones bounds Storm.Zones.
const maxZones = 1000

// validate says what is wrong with a storm's settings.
func (w *Storm) validate() error {
	if w.Usage != "" && w.For == 0 {
		return invalid("usage", w.Usage, "kubelets look at what pods use for ever; say for how long, by for")
	}
	if err := checkUsage(w.Usage); err != nil {
		return err
	}
	if _, err := ParseStartUp(w.StartUp); err != nil {
		return invalid("startup", w.StartUp, "%v", err)
	}
	if w.Zones < 0 || w.Zones > maxZones {
		return invalid("zones", strconv.Itoa(w.Zones), "zones is %d; give 0 to %d", w.Zones, maxZones)
	}
	if w.For < 0 {
		return invalid("for", time.Duration(w.For).String(), "for is %v; give a duration", time.Duration(w.For))
	}
	return nil
}

// evictions are Berth's policies and others.
func evictions(others []*eviction.Policy) []*eviction.Policy {
	return slices.Concat(eviction.Policies, others)
}

// A sky is a weather in one run.
type sky struct {
	source      traces.Stream
	options     sim.Options
	controllers []cluster.Controller // that act before the scheduler
}

// over brings the weather to a run of a trace in which pods use so much, or what they ask for
// if that is nil; a nil weather is a clear sky.
func (w *weather) over(events traces.Stream, seed int64, use eviction.Usage) (*sky, error) {
	if w == nil {
		return &sky{source: events}, nil
	}
	f := &fleet{from: events, weather: w, classes: map[*cluster.Class]*cluster.Class{}}
	if err := f.line(); err != nil {
		return nil, err
	}
	k := &sky{source: f}
	kubelets := sim.DefaultKubelets()
	kubelets.Work = w.Work
	var err error
	if kubelets.StartUp, err = ParseStartUp(w.StartUp); err != nil {
		return nil, err
	}
	if w.faults != nil {
		run := faults.Run{Seed: seed, Horizon: cluster.Never}
		if w.For > 0 {
			run.Horizon = w.For
		}
		for _, e := range f.nodes {
			run.Nodes = append(run.Nodes, faults.NodeOf(e.NodeSpec))
		}
		source, err := w.faults.Source(run)
		if err != nil {
			return nil, err
		}
		kubelets.Faults = source
	}
	if use != nil {
		var err error
		if kubelets.Policy, err = eviction.NewKubelets(eviction.KubeletConfig{Pressure: eviction.DefaultPressureConfig(), Usage: use}); err != nil {
			return nil, err
		}
	}
	k.options = sim.Options{Kubelets: kubelets, Until: w.For}
	k.controllers = w.controllers()
	return k, nil
}

// A fleet is a trace whose nodes are in zones, and whose pods tolerate what admission lets
// them.
type fleet struct {
	from    traces.Stream
	weather *weather
	nodes   []cluster.Event // those at the beginning
	ahead   []cluster.Event // what was read to find them
	classes map[*cluster.Class]*cluster.Class
	ended   bool
}

// line reads the nodes that are there from the start: faults must know them.
func (f *fleet) line() error {
	for {
		e, err := f.read()
		if errors.Is(err, io.EOF) {
			f.ended = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the workload: %w", err)
		}
		f.ahead = append(f.ahead, e)
		if e.Kind != cluster.NodeAdded {
			return nil
		}
		f.nodes = append(f.nodes, e)
	}
}

// Next implements sim.Source.
func (f *fleet) Next() (cluster.Event, error) {
	if len(f.ahead) > 0 {
		e := f.ahead[0]
		f.ahead = f.ahead[1:]
		return e, nil
	}
	if f.ended {
		return cluster.Event{}, io.EOF
	}
	return f.read()
}

func (f *fleet) read() (cluster.Event, error) {
	e, err := f.from.Next()
	if err != nil {
		return e, err
	}
	switch e.Kind {
	case cluster.NodeAdded:
		e.NodeSpec = f.zoned(e.NodeSpec)
	case cluster.PodAdded:
		spec := *e.PodSpec
		spec.Class = f.tolerant(spec.Class)
		e.PodSpec = &spec
	}
	return e, nil
}

// zoned puts a node that is in no zone into one.
func (f *fleet) zoned(spec *cluster.NodeSpec) *cluster.NodeSpec {
	if f.weather.Zones == 0 || cluster.ZoneOf(spec.Labels) != "" {
		return spec
	}
	labels := map[string]string{}
	for _, l := range spec.Labels {
		labels[l.Key] = l.Value
	}
	labels[faults.ZoneLabel] = "zone-" + strconv.Itoa(cluster.NewDraw(0, "zone", spec.Name).Below(f.weather.Zones))
	in := *spec
	in.Labels = cluster.MakeLabels(labels)
	return &in
}

// admissionSeconds is for how long pods tolerate nodes that aren't ready, as the API server
// sets it.
const admissionSeconds = 300

// tolerant returns a class as admission leaves it.
func (f *fleet) tolerant(c *cluster.Class) *cluster.Class {
	if known := f.classes[c]; known != nil {
		return known
	}
	admitted := *c
	admitted.Tolerations = cluster.DefaultTolerations(c.Tolerations, admissionSeconds)
	f.classes[c] = &admitted
	return &admitted
}
