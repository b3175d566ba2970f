package eviction

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// What a kubelet does unless it is told otherwise.
const (
	DefaultTransitionPeriod = 5 * cluster.Minute  // evictionPressureTransitionPeriod
	MonitoringPeriod        = 10 * cluster.Second // between two looks at the node; no flag changes it
)

// A PressureConfig says when a kubelet is under pressure and how it evicts.
type PressureConfig struct {
	// Thresholds are in the order in which a Pressure prefers them; upstream's order is random.
	Thresholds []Threshold
	// TransitionPeriod is how long a condition is reported after it was last observed.
	TransitionPeriod cluster.Time
	// MaxPodGrace is the most that pods get to end when a soft threshold has them evicted.
	MaxPodGrace cluster.Time
	// Disks says what filesystems the node has.
	Disks Disks
	// NoStorageLimits leaves pods alone that use more local storage than their limits allow
	// (localStorageCapacityIsolation: false).
	NoStorageLimits bool
	// Rank decides who is evicted first. Nil stands for the kubelet's own ranking, called KubeletRank.
	Rank Ranking
	// Tie, if not nil, chooses among n > 1 thresholds that are as urgent as each other, 0 being the
	// first of Thresholds that is met; the kubelet's choice is the order of a Go map. Nil takes the
	// first.
	Tie func(n int) int
}

// DefaultPressureConfig returns what kubelets on Linux do by default.
func DefaultPressureConfig() PressureConfig {
	thresholds, err := PressureSettings{}.Thresholds()
	if err != nil {
		panic(err) // the defaults are ours
	}
	return PressureConfig{Thresholds: thresholds, TransitionPeriod: DefaultTransitionPeriod}
}

// A Statement is a line of the kubelet's configuration: a signal's name and a value.
type Statement struct{ Signal, Value string }

// ParseStatements reads what the kubelet's flags take: statements with commas between them, in each
// of which separator comes between signal and value: < in --eviction-hard and --eviction-soft, = in
// --eviction-soft-grace-period and --eviction-minimum-reclaim. The result is not nil, so that an
// empty text means no thresholds rather than the defaults. Unlike the kubelet, which takes the last
// of several statements on one signal, it calls them an error.
func ParseStatements(text, separator string) ([]Statement, error) {
	all := []Statement{}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		signal, value, ok := strings.Cut(part, separator)
		if !ok {
			return nil, fmt.Errorf("%q has no %s between signal and value", part, separator)
		}
		all = append(all, Statement{strings.TrimSpace(signal), strings.TrimSpace(value)})
	}
	return all, uniqueSignals(all)
}

// uniqueSignals returns an error if a signal has two statements.
func uniqueSignals(all []Statement) error {
	for i := range all {
		for j := range i {
			if all[i].Signal == all[j].Signal {
				return fmt.Errorf("%s is given twice: %s and %s", all[i].Signal, all[j].Value, all[i].Value)
			}
		}
	}
	return nil
}

// DefaultHard are the thresholds of kubelets on Linux whose configuration has no evictionHard.
var DefaultHard = []Statement{
	{"memory.available", "100Mi"},
	{"nodefs.available", "10%"},
	{"nodefs.inodesFree", "5%"},
	{"imagefs.available", "15%"},
	{"imagefs.inodesFree", "5%"},
}

// PressureSettings are the kubelet's settings on eviction, as its configuration file has them.
type PressureSettings struct {
	Hard          []Statement // evictionHard: quantities or percentages; nil stands for DefaultHard
	Soft          []Statement // evictionSoft
	SoftGrace     []Statement // evictionSoftGracePeriod: durations such as 1m30s, one for each of Soft
	MinReclaim    []Statement // evictionMinimumReclaim: quantities or percentages
	MergeDefaults bool        // mergeDefaultEvictionSettings: Hard only replaces the defaults of the signals it names
	// NoAllocatable leaves out the threshold of what pods may have together. The kubelet has one as
	// long as enforceNodeAllocatable includes pods, as it does by default.
	NoAllocatable bool
}

// Thresholds returns the thresholds that the settings make: the hard ones, the soft ones, and those
// of allocatable memory, which are copies of the hard ones of the node's. An error names the setting
// and says what is wrong with it.
func (s PressureSettings) Thresholds() ([]Threshold, error) {
	for _, statements := range [][]Statement{s.Hard, s.Soft, s.SoftGrace, s.MinReclaim} {
		if err := uniqueSignals(statements); err != nil {
			return nil, err
		}
	}
	hard, err := parseThresholds(s.hard())
	if err != nil {
		return nil, fmt.Errorf("evictionHard: %w", err)
	}
	soft, err := parseThresholds(s.Soft)
	if err != nil {
		return nil, fmt.Errorf("evictionSoft: %w", err)
	}
	if err := setGraces(soft, s.SoftGrace); err != nil {
		return nil, fmt.Errorf("evictionSoftGracePeriod: %w", err)
	}
	all := append(hard, soft...)
	if err := setMinReclaims(all, s.MinReclaim); err != nil {
		return nil, fmt.Errorf("evictionMinimumReclaim: %w", err)
	}
	if s.NoAllocatable {
		return all, nil
	}
	for _, t := range all {
		if t.Signal == MemoryAvailable && t.Hard() {
			t.Signal = AllocatableMemoryAvailable
			all = append(all, t)
		}
	}
	return all, nil
}

// hard returns the statements on hard thresholds, defaults included.
func (s PressureSettings) hard() []Statement {
	if s.Hard == nil {
		return DefaultHard
	}
	all := s.Hard[:len(s.Hard):len(s.Hard)]
	if s.MergeDefaults {
		for _, d := range DefaultHard {
			if !slices.ContainsFunc(s.Hard, func(given Statement) bool { return given.Signal == d.Signal }) {
				all = append(all, d)
			}
		}
	}
	return all
}

func parseThresholds(statements []Statement) (all []Threshold, err error) {
	for _, s := range statements {
		t, ok, err := parseThreshold(s)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, t)
		}
	}
	return all, nil
}

// setGraces gives each soft threshold its grace period.
func setGraces(soft []Threshold, graces []Statement) error {
	given := [signals]bool{}
	periods := [signals]cluster.Time{}
	for _, s := range graces {
		signal, err := ParseSignal(s.Signal)
		if err != nil {
			return err
		}
		period, err := time.ParseDuration(s.Value)
		if err != nil {
			return fmt.Errorf("grace period of %s: %w", s.Signal, err)
		}
		if period < 0 {
			return fmt.Errorf("grace period of %s is %s; it must not be negative", s.Signal, s.Value)
		}
		given[signal], periods[signal] = true, cluster.Time(period)
	}
	for i := range soft {
		if t := &soft[i]; given[t.Signal] {
			t.Grace = periods[t.Signal]
		} else {
			return fmt.Errorf("the soft threshold %s needs a grace period", t)
		}
	}
	return nil
}

// setMinReclaims gives thresholds the minimum reclaim of their signals.
func setMinReclaims(all []Threshold, reclaims []Statement) error {
	for _, s := range reclaims {
		signal, err := ParseSignal(s.Signal)
		if err != nil {
			return err
		}
		level, err := parseMinReclaim(s)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].Signal == signal {
				all[i].MinReclaim = level
			}
		}
	}
	return nil
}
