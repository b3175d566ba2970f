package bench

import (
	"errors"
	"io"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/traces"
)

// usageRecorded is the Storm.Usage that plays what the trace says that pods used.
const usageRecorded = "recorded"

// checkUsage says what is wrong with Storm.Usage, before a trace is open.
func checkUsage(text string) error {
	if text == "" || text == usageRecorded {
		return nil
	}
	if _, err := eviction.ParseDrift(text); err != nil {
		return invalid("usage", text, "%v", err)
	}
	return nil
}

// usage returns what pods use in a run of a trace, nil for what they ask for.
func (w *weather) usage(t *traces.Trace, seed int64) (eviction.Usage, error) {
	if w == nil || w.Usage == "" {
		return nil, nil
	}
	if w.Usage == usageRecorded {
		return recordedUsage(t, seed)
	}
	d, err := eviction.ParseDrift(w.Usage)
	d.Seed = seed
	return d, err
}

// recordedUsage returns what a trace says that pods used, at the age at which they did: by
// the recording, as if each had run from when it came. Of pods of which it says nothing,
// eviction.Recorded knows what to do.
func recordedUsage(t *traces.Trace, seed int64) (eviction.Recorded, error) {
	used, err := t.Usage(seed)
	if err != nil {
		return nil, err
	}
	samples := map[cluster.PodID][]traces.Used{}
	for _, u := range used {
		if u.Memory >= 0 { // else nobody measured it
			samples[u.Pod] = append(samples[u.Pod], u)
		}
	}
	if len(samples) == 0 {
		return nil, invalid("usage", usageRecorded, "%s doesn't say what memory pods used; give usage as drift(base=0.8,growth=0.05), or a trace that does", t.Name)
	}
	recorded := eviction.Recorded{}
	for pod, s := cluster.PodID(0), t.Events(seed); ; {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return recorded, nil
		}
		if err != nil {
			return nil, err
		}
		if e.Kind != cluster.PodAdded {
			continue
		}
		if list := samples[pod]; len(list) > 0 {
			name := cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Name)
			for _, u := range list {
				recorded[name] = append(recorded[name], eviction.Sample{Age: u.At - e.Time, Consumption: eviction.Consumption{Memory: u.Memory}})
			}
		}
		pod += 2
	}
}
