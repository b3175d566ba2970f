package bench

import "github.com/berthsim/berth/cluster"

// What is drawn over a run's time.
const (
	lineReady = iota
	lineRunning
	linePending
	lineTerminating
	lineEvictions

	lines
)

var lineNames = [lines]string{"nodes ready", "pods running", "pods pending", "pods terminating", "pods evicted"}

// A series is what there was at times that are a step apart, from 0 on. The step doubles
// when there are too many.
type series struct {
	step   cluster.Time
	values [][lines]int
}

const (
	firstStep = cluster.Second
	mostSteps = 600
)

// until notes that values have held up to a time, that time excluded.
func (sr *series) until(now cluster.Time, values [lines]int) {
	if sr.step == 0 {
		sr.step = firstStep
	}
	for cluster.Time(len(sr.values))*sr.step < now {
		sr.values = append(sr.values, values)
		if len(sr.values) == mostSteps {
			for i := range mostSteps / 2 {
				sr.values[i] = sr.values[2*i]
			}
			sr.values = sr.values[:mostSteps/2]
			sr.step *= 2
		}
	}
}
