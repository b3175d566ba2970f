package bench

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Compare lists how r differs from old, one line a difference, nothing if
// they are the same: runs that one of them lacks, digests, and metrics, which
// must be equal to the last bit. Timing depends on the machine and is passed
// over. If runs on a trace differ and so does the trace, that comes first.
func (r *Results) Compare(old *Results) []string {
	type key struct {
		Point
		seed int64
	}
	before := map[key]Run{}
	for _, run := range old.Runs {
		before[key{run.Point, run.Seed}] = run
	}
	var lines []string
	differing := map[string]bool{} // traces
	add := func(run Run, texts ...string) {
		for _, text := range texts {
			lines = append(lines, runTitle(run)+": "+text)
			differing[run.Trace] = true
		}
	}
	for _, run := range r.Runs {
		k := key{run.Point, run.Seed}
		was, known := before[k]
		delete(before, k)
		if !known {
			add(run, "was not run, is now")
			continue
		}
		add(run, run.differences(was)...)
	}
	for _, run := range old.Runs {
		if _, left := before[key{run.Point, run.Seed}]; left {
			add(run, "was run, is not now")
		}
	}
	return append(r.changedTraces(old, differing), lines...)
}

// changedTraces lists those of the differing traces that aren't what they were.
func (r *Results) changedTraces(old *Results, differing map[string]bool) []string {
	var lines []string
	for _, t := range r.Traces {
		for _, was := range old.Traces {
			if t.Name == was.Name && t.Hash != was.Hash && differing[t.Name] {
				lines = append(lines, fmt.Sprintf("%s: trace was %s, is %s", t.Name, was.Hash, t.Hash))
			}
		}
	}
	return lines
}

// differences lists what the same run gave otherwise before.
func (r Run) differences(was Run) []string {
	var texts []string
	if r.Digest != was.Digest {
		texts = append(texts, fmt.Sprintf("digest was %s, is %s", was.Digest, r.Digest))
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(r.Metrics)), maps.Keys(was.Metrics))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		now, then := metricText(r.Metrics, name), metricText(was.Metrics, name)
		if now != then {
			texts = append(texts, fmt.Sprintf("%s was %s, is %s", name, then, now))
		}
	}
	return texts
}

// metricText has as many digits as tell a value from every other.
func metricText(metrics map[string]float64, name string) string {
	v, ok := metrics[name]
	if !ok {
		return "absent"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// runTitle names a run: trace, policy, the axes that are set, seed.
func runTitle(r Run) string {
	title := r.Trace
	for _, a := range rowAxes {
		if v := a.of(r.Point); v != "" && v != "none" {
			title += " " + v
		}
	}
	return title + " seed " + strconv.FormatInt(r.Seed, 10)
}
