package eviction

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// Open reads "NAME" or "NAME:key=value,…": a policy of the list, and those of the Settings
// that are not as Defaults has them.
func Open(list []*Policy, spec string) (*Policy, Settings, error) {
	st := Defaults()
	name, options, given := strings.Cut(spec, ":")
	p, err := Find(list, name)
	if err != nil || !given {
		return p, st, err
	}
	for _, option := range strings.Split(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		if err := st.set(key, value); err != nil {
			return nil, st, fmt.Errorf("eviction %q: %w", spec, err)
		}
	}
	return p, st, nil
}

// Options are what may stand behind a policy's name, with what they set.
var Options = []struct{ Name, Doc string }{
	{"period", "between looks at nodes"},
	{"grace", "after which a silent node is Unknown"},
	{"startup-grace", "the same, of a node that has never posted a status"},
	{"rate", "nodes tainted a second, in a zone"},
	{"secondary-rate", "the same, in a large zone that is partially disrupted"},
	{"large-zone", "a zone with more nodes is large"},
	{"unhealthy-share", "share of unready nodes from which on a zone is partially disrupted"},
}

// set sets what an option names.
func (st *Settings) set(key, value string) error {
	durations := map[string]*cluster.Time{"period": &st.Period, "grace": &st.Grace, "startup-grace": &st.StartupGrace}
	numbers := map[string]*float32{"rate": &st.Rate, "secondary-rate": &st.SecondaryRate, "unhealthy-share": &st.UnhealthyShare}
	switch {
	case durations[key] != nil:
		d, err := time.ParseDuration(value)
		if err != nil || d < 100*time.Millisecond || d%(100*time.Millisecond) != 0 || d > 24*time.Hour {
			return fmt.Errorf("%s is %q; give a duration from 100ms to 24h in tenths of a second, for example 40s", key, value)
		}
		*durations[key] = cluster.Time(d)
	case numbers[key] != nil:
		f, err := strconv.ParseFloat(value, 32)
		if err != nil || !(f >= 0 && f <= 1000) {
			return fmt.Errorf("%s is %q; give a number from 0 to 1000, for example 0.1", key, value)
		}
		*numbers[key] = float32(f)
	case key == "large-zone":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf("%s is %q; give a number of nodes, for example 50", key, value)
		}
		st.LargeZone = n
	default:
		known := make([]string, len(Options))
		for i, o := range Options {
			known[i] = o.Name
		}
		return fmt.Errorf("unknown option %q; known: %s", key, strings.Join(known, ", "))
	}
	return nil
}
