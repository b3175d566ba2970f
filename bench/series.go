package bench

import "github.com/berthsim/berth/cluster"

// A series is what there was at times that are a step apart, from 0 on. The step doubles
// when there are too many.
type series[T any] struct {
	step   cluster.Time
	values []T
}

const (
	firstStep = cluster.Second
	mostSteps = 600
)

// until notes that values have held up to a time, that time excluded.
func (sr *series[T]) until(now cluster.Time, values T) {
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
