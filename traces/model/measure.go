package model

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A weighted is a number and how much it counts.
type weighted struct{ value, weight float64 }

// A sample is numbers in order, whose weights are of those up to and with each, as
// shares of all.
type sample []weighted

// sampleOf puts numbers in order. All without weight are an empty sample.
func sampleOf(xs []weighted) sample {
	xs = slices.Clone(xs)
	slices.SortStableFunc(xs, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	total := 0.0
	for _, x := range xs {
		total += x.weight
	}
	if total == 0 {
		return nil
	}
	sum := 0.0
	for i := range xs {
		sum += xs[i].weight
		xs[i].weight = sum / total
	}
	xs[len(xs)-1].weight = 1
	return xs
}

// quantile returns the least number up to and with which there is a share p.
func (s sample) quantile(p float64) float64 {
	if len(s) == 0 {
		return 0
	}
	i, _ := slices.BinarySearchFunc(s, p, func(x weighted, p float64) int { return cmp.Compare(x.weight, p) })
	return s[min(i, len(s)-1)].value
}

// mean returns the mean.
func (s sample) mean() float64 {
	sum, before := 0.0, 0.0
	for _, x := range s {
		sum += float64(x.value * (x.weight - before))
		before = x.weight
	}
	return sum
}

// distance returns the Kolmogorov distance of two samples: 1 if one is empty, and 0
// if both are.
func (s sample) distance(t sample) float64 {
	if len(s) == 0 || len(t) == 0 {
		return float64(min(len(s)+len(t), 1))
	}
	i, j, most := 0, 0, 0.0
	a, b := 0.0, 0.0
	for i < len(s) && j < len(t) {
		x := min(s[i].value, t[j].value)
		for i < len(s) && s[i].value == x {
			a = s[i].weight
			i++
		}
		for j < len(t) && t[j].value == x {
			b = t[j].weight
			j++
		}
		most = max(most, a-b, b-a)
	}
	return most
}

// measured is what a workload looks like.
type measured struct {
	hours, week, gaps, gpus, cpu, memory, jobs, runs, use, running sample

	counts  []float64 // pods that came, by hour
	ofGPUs  bool      // what use is of; else of CPUs
	classes []string  // as text, in order of appearance
	times   []float64 // use of each class
}

// measurer makes a measured of events.
type measurer struct {
	is                                          measured
	nodeGPUs                                    int // of all nodes
	hour, week, gap, gpu, cpus, bytes, job, run []weighted
	gpuTime, cpuTime                            []weighted // by request of a pod
	gpuTimes, cpuTimes                          []float64  // by class
	change, changeCPU                           []float64  // of what would run, by hour

	last   cluster.Time
	first  cluster.Time
	pods   int
	owner  cluster.OwnerRef
	ofJob  int
	byText map[string]int
	byPtr  map[*cluster.Class]int
}

// measure reads a stream to its end.
func measure(in Stream) (*measured, error) {
	m := &measurer{byText: map[string]int{}, byPtr: map[*cluster.Class]int{}}
	err := each(in, func(e *cluster.Event) {
		switch e.Kind {
		case cluster.NodeAdded:
			m.nodeGPUs += e.NodeSpec.GPUs
		case cluster.PodAdded:
			m.pod(e.Time, e.PodSpec)
		}
	})
	return m.done(), err
}

// one appends a number that counts once.
func one(xs []weighted, x float64) []weighted { return append(xs, weighted{x, 1}) }

func (m *measurer) pod(at cluster.Time, p *cluster.PodSpec) {
	if m.pods == 0 {
		m.first, m.last = at, at
	}
	owned := p.Class.Owner != (cluster.OwnerRef{}) && p.Class.Owner == m.owner && at == m.last
	if m.pods > 0 {
		m.gap = one(m.gap, (at - m.last).Seconds())
	}
	if !owned && m.ofJob > 0 {
		m.job = one(m.job, float64(m.ofJob))
		m.ofJob = 0
	}
	m.pods++
	m.ofJob++
	m.owner, m.last = p.Class.Owner, at
	at -= m.first
	h := int(at / hour)
	for len(m.is.counts) <= h {
		m.is.counts = append(m.is.counts, 0)
	}
	m.is.counts[h]++
	m.week = one(m.week, float64(h%HoursOfWeek))
	gpus, cpu := float64(p.Class.GPUs.Total())/cluster.WholeGPU, float64(p.Class.Requests.Get(cluster.CPU))/1000
	m.gpu, m.cpus = one(m.gpu, gpus), one(m.cpus, cpu)
	m.bytes = one(m.bytes, float64(p.Class.Requests.Get(cluster.Memory))/(1<<30))
	if p.Run == cluster.Never {
		return
	}
	seconds := p.Run.Seconds()
	m.run = one(m.run, seconds)
	m.gpuTime = append(m.gpuTime, weighted{gpus, float64(gpus * seconds)})
	m.cpuTime = append(m.cpuTime, weighted{cpu, float64(cpu * seconds)})
	i := m.class(p.Class)
	m.gpuTimes[i] += float64(gpus * seconds)
	m.cpuTimes[i] += float64(cpu * seconds)
	from, to := int((at+hour-1)/hour), int(min((at+p.Run+hour-1)/hour, 1<<22))
	for len(m.change) <= to {
		m.change, m.changeCPU = append(m.change, 0), append(m.changeCPU, 0)
	}
	m.change[min(from, to)] += gpus
	m.change[to] -= gpus
	m.changeCPU[min(from, to)] += cpu
	m.changeCPU[to] -= cpu
}

// class numbers a class, whoever owns its pods.
func (m *measurer) class(c *cluster.Class) int {
	if i, ok := m.byPtr[c]; ok {
		return i
	}
	is := classOf(c, nil)
	key := string(text(&is))
	i, ok := m.byText[key]
	if !ok {
		i = len(m.is.classes)
		m.byText[key] = i
		m.is.classes = append(m.is.classes, key)
		m.gpuTimes, m.cpuTimes = append(m.gpuTimes, 0), append(m.cpuTimes, 0)
	}
	m.byPtr[c] = i
	return i
}

// done makes samples of what was collected.
func (m *measurer) done() *measured {
	if m.ofJob > 0 {
		m.job = one(m.job, float64(m.ofJob))
	}
	for _, n := range m.is.counts {
		m.hour = one(m.hour, n)
	}
	m.is.ofGPUs = m.nodeGPUs > 0
	use, change := m.cpuTime, m.changeCPU
	m.is.times = m.cpuTimes
	if m.is.ofGPUs {
		use, change, m.is.times = m.gpuTime, m.change, m.gpuTimes
	}
	var running []weighted
	sum := 0.0
	for h := range min(len(change), len(m.is.counts)) {
		sum += change[h]
		running = one(running, max(sum, 0))
	}
	is := &m.is
	is.hours, is.week, is.gaps, is.gpus = sampleOf(m.hour), sampleOf(m.week), sampleOf(m.gap), sampleOf(m.gpu)
	is.cpu, is.memory, is.jobs, is.runs = sampleOf(m.cpus), sampleOf(m.bytes), sampleOf(m.job), sampleOf(m.run)
	is.use, is.running = sampleOf(use), sampleOf(running)
	return is
}
