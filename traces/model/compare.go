package model

import "math"

// A Comparison says how far a workload is from another.
type Comparison struct {
	Rows         []Row
	Correlations []Correlation
}

// A Row compares a metric's distributions.
type Row struct {
	Metric, Unit string

	// Distance is Kolmogorov's: the greatest difference between the shares that are at
	// most x, for any x. Of a metric without quantiles it is the share of all that one
	// has elsewhere than the other.
	Distance float64

	Recorded, Model []float64 // at Probabilities, and the mean; nil if the metric has none
}

// Probabilities are those whose quantiles a Row has.
var Probabilities = []float64{0.1, 0.5, 0.9, 0.99}

// A Correlation is that of arrivals in an hour with those some hours later.
type Correlation struct {
	Hours           int
	Recorded, Model float64
}

// Compare reads two streams: a recording, and what a model generated.
func Compare(recorded, generated Stream) (*Comparison, error) {
	a, err := measure(recorded)
	if err != nil {
		return nil, err
	}
	b, err := measure(generated)
	if err != nil {
		return nil, err
	}
	c := &Comparison{}
	row := func(metric, unit string, a, b sample) {
		if most := max(a.quantile(1), b.quantile(1)); most == 0 {
			return // nobody has any
		}
		r := Row{Metric: metric, Unit: unit, Distance: a.distance(b)}
		for _, p := range Probabilities {
			r.Recorded, r.Model = append(r.Recorded, a.quantile(p)), append(r.Model, b.quantile(p))
		}
		r.Recorded, r.Model = append(r.Recorded, a.mean()), append(r.Model, b.mean())
		c.Rows = append(c.Rows, r)
	}
	row("arrivals", "pods/h", a.hours, b.hours)
	row("hour of the week", "h", a.week, b.week)
	row("time between pods", "s", a.gaps, b.gaps)
	row("pods of a job", "pods", a.jobs, b.jobs)
	row("GPUs of a pod", "GPUs", a.gpus, b.gpus)
	row("CPUs of a pod", "CPUs", a.cpu, b.cpu)
	row("memory of a pod", "GiB", a.memory, b.memory)
	row("run time", "s", a.runs, b.runs)
	what := "CPU"
	if a.ofGPUs {
		what = "GPU"
	}
	row(what+" time by request", what+"s", a.use, b.use)
	c.Rows = append(c.Rows, Row{Metric: what + " time by class", Distance: elsewhere(a, b)})
	row("wanted at a time", what+"s", a.running, b.running)
	for _, lag := range []int{1, 24, 168} {
		if 2*lag <= min(len(a.counts), len(b.counts)) {
			c.Correlations = append(c.Correlations, Correlation{lag, autocorrelation(a.counts, lag), autocorrelation(b.counts, lag)})
		}
	}
	return c, nil
}

// elsewhere returns the share of use that classes have more of in a than in b.
func elsewhere(a, b *measured) float64 {
	of := map[string]float64{}
	total := 0.0
	for i, class := range b.classes {
		of[class] = b.times[i]
		total += b.times[i]
	}
	recorded := 0.0
	for _, t := range a.times {
		recorded += t
	}
	if recorded == 0 || total == 0 {
		return 1
	}
	sum := 0.0
	for i, class := range a.classes {
		sum += max(a.times[i]/recorded-of[class]/total, 0)
	}
	return min(sum, 1)
}

// autocorrelation returns the correlation of an hour's arrivals with those some
// hours later.
func autocorrelation(counts []float64, lag int) float64 {
	var pairs []Point
	for h := lag; h < len(counts); h++ {
		pairs = append(pairs, Point{counts[h-lag], counts[h]})
	}
	return correlation(pairs)
}

// Worst returns the greatest distance of a metric that is like one of names: of all
// if none is given.
func (c *Comparison) Worst(names ...string) float64 {
	worst := 0.0
	for _, r := range c.Rows {
		like := len(names) == 0
		for _, name := range names {
			like = like || r.Metric == name
		}
		if like {
			worst = math.Max(worst, r.Distance)
		}
	}
	return worst
}
