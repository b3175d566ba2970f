package bench

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// seriesBins is how many parts a time of unknown length is divided into at most.
const seriesBins = 4096

// A levelSeries is something over time, of which it isn't known how long it lasts: means
// over steps, which become twice as long whenever there would be too many.
type levelSeries struct {
	step  cluster.Time
	bins  []float64    // in each step, the level times the seconds; or how often something happened
	level float64      // now
	now   cluster.Time // up to which it is in bins
	peak  float64
	from  cluster.Time // of the time looked at
	to    cluster.Time
}

// bin returns the step with a time, and makes room for it.
func (s *levelSeries) bin(at cluster.Time) int {
	if s.step == 0 {
		s.step = cluster.Second
	}
	at = max(at, 0)
	for int64(at/s.step) >= seriesBins {
		for i := range (len(s.bins) + 1) / 2 {
			sum := s.bins[2*i]
			if 2*i+1 < len(s.bins) {
				sum += s.bins[2*i+1]
			}
			s.bins[i] = sum
		}
		s.bins = s.bins[:(len(s.bins)+1)/2]
		s.step *= 2
	}
	i := int(at / s.step)
	for len(s.bins) <= i {
		s.bins = append(s.bins, 0)
	}
	return i
}

// add counts something that happens.
func (s *levelSeries) add(at cluster.Time, amount float64) { s.bins[s.bin(at)] += amount }

// change changes the level from a time on, which isn't before the last change.
func (s *levelSeries) change(at cluster.Time, by float64) {
	s.advance(at)
	s.level += by
	s.peak = math.Max(s.peak, s.level)
}

// advance fills bins up to a time.
func (s *levelSeries) advance(to cluster.Time) {
	if s.level != 0 && to > s.now {
		s.bin(to) // which may change the step
		for at := max(s.now, 0); at < to; {
			i := s.bin(at)
			end := min(to, cluster.Time(i+1)*s.step)
			s.bins[i] += float64(s.level * (end - at).Seconds())
			at = end
		}
	}
	s.now = max(s.now, to)
}

// until says from when to when the series is looked at.
func (s *levelSeries) until(from, to cluster.Time) {
	s.advance(to)
	s.bin(to)
	s.from, s.to = from, to
}

// means returns the mean level in each step; the first and the last may be looked at for
// less than a step.
func (s *levelSeries) means() []float64 {
	var out []float64
	for i, sum := range s.bins {
		begin, end := max(cluster.Time(i)*s.step, s.from), min(cluster.Time(i+1)*s.step, s.to)
		if end > begin {
			out = append(out, sum/(end-begin).Seconds())
		}
	}
	return out
}

// summary returns mean, 95th percentile of means, and peak.
func (s *levelSeries) summary() CensusLevel {
	l := CensusLevel{Peak: s.peak, Step: s.step.Seconds()}
	means := s.means()
	if len(means) == 0 {
		return l
	}
	sum := 0.0
	for _, x := range s.bins {
		sum += x
	}
	l.Mean = sum / (s.to - s.from).Seconds()
	slices.Sort(means)
	l.P95 = means[int(math.Ceil(0.95*float64(len(means))))-1]
	return l
}

// durationGrowth is by how much each bin of durations is longer than the one before.
const durationGrowth = 1.01

// leastDuration is what the first bin begins with, in seconds. It also has what is shorter.
const leastDuration = 0.001

// durationCounts is how many pods run how long.
type durationCounts struct {
	pods    []int64   // by bin
	seconds []float64 // that they run together
	count   int64
	sum     float64
	max     float64
}

func (d *durationCounts) add(seconds float64) {
	i := 0
	if seconds > leastDuration {
		i = int(math.Log(seconds/leastDuration) / math.Log(durationGrowth))
	}
	for len(d.pods) <= i {
		d.pods, d.seconds = append(d.pods, 0), append(d.seconds, 0)
	}
	d.pods[i]++
	d.seconds[i] += seconds
	d.count++
	d.sum += seconds
	d.max = math.Max(d.max, seconds)
}

// quantile returns the mean of the bin that has the duration which a share of pods don't exceed.
func (d *durationCounts) quantile(share float64) float64 {
	before := int64(0)
	for i, n := range d.pods {
		if before += n; n > 0 && float64(before) >= share*float64(d.count) {
			return d.seconds[i] / float64(n)
		}
	}
	return 0
}

// longest returns the share of all time that the longest of the pods run.
func (d *durationCounts) longest(share float64) float64 {
	if d.sum == 0 {
		return 0
	}
	pods, seconds := share*float64(d.count), 0.0
	for i := len(d.pods) - 1; i >= 0 && pods > 0; i-- {
		if n := float64(d.pods[i]); n > 0 {
			seconds += float64(d.seconds[i] * math.Min(1, pods/n))
			pods -= n
		}
	}
	return seconds / d.sum
}

func (d *durationCounts) summary() CensusDurations {
	if d.count == 0 {
		return CensusDurations{}
	}
	return CensusDurations{
		Mean: d.sum / float64(d.count), P10: d.quantile(0.1), P50: d.quantile(0.5), P90: d.quantile(0.9), P99: d.quantile(0.99), P999: d.quantile(0.999), Max: d.max,
		Longest1: d.longest(0.01), Longest10: d.longest(0.1),
	}
}
