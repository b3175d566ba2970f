package bench

import (
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"gonum.org/v1/gonum/stat"
)

// A measure is a Recorder that takes a run's metrics.
type measure struct {
	frag  *plugins.Fragmentation
	nodes []nodeShare // by row

	// Sums over nodes, in shares. They are kept by adding what changed, in the
	// order of events, so that they don't depend on rows.
	capacity, used int64
	fragmented     float64

	arrived int64    // shares asked for so far
	curves  [2]curve // allocated, fragmented
	means   [2]mean  // the same
	placed  int      // pods

	preempted int       // pods
	waits     []float64 // of pods placed, in seconds
	refused   refusals
	shares    tenants
}

// A nodeShare is what a node adds to the sums.
type nodeShare struct {
	used int64
	frag float64
}

// A curve is the mean of a value over the submissions at each whole % of
// capacity asked for.
type curve struct {
	sum   []float64
	count []int64
}

// A mean is taken over time, from the first arrival to the last.
type mean struct {
	began              bool
	from, at           cluster.Time
	integral           float64 // up to the present
	untilLast, lastLen float64 // integral and length up to the last arrival
}

var curveFamilies = [2]string{"gpu_allocated_pct", "gpu_fragmented_pct"}

func newMeasure(mix cluster.Mix) *measure {
	return &measure{frag: plugins.NewFragmentation(mix)}
}

// Record implements cluster.Recorder. It returns no error.
func (m *measure) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	for i, v := range m.values() {
		m.means[i].advance(s.Now, v)
	}
	arrivals := 0
	for i := range events {
		switch e := &events[i]; e.Kind {
		case cluster.NodeAdded:
			m.capacity += s.Nodes.Cap[cluster.GPU][e.Node]
			m.refresh(s, e.Node)
		case cluster.PodRefused:
			m.refused.refuse(e)
		case cluster.PodAdded:
			m.refused.admit(s, e)
			m.arrived += s.Class(e.Pod).Requests[cluster.GPU]
			arrivals++
		case cluster.PodEnded:
			if e.Node != cluster.None {
				m.refresh(s, e.Node)
				m.shares.end(s, e.Pod, e.Time)
			}
		case cluster.Rejected:
			m.refresh(s, e.Node)
		case cluster.PodBound:
			m.placed++
			came := m.refused.came(s, e.Pod)
			m.waits = append(m.waits, (e.Time - came).Seconds())
			m.shares.begin(s, e.Pod, e.Time, e.Time-came)
		}
	}
	for i := range ds {
		if ds[i].Kind == cluster.Preempt {
			m.preempted++
		}
		if ds[i].Pod != cluster.None {
			m.refresh(s, ds[i].Node)
		}
	}
	if arrivals > 0 {
		m.submitted(arrivals)
	}
	return nil
}

// refresh brings the sums up to what n's row says now.
func (m *measure) refresh(s *cluster.State, n cluster.NodeID) {
	for len(m.nodes) <= int(n) {
		m.nodes = append(m.nodes, nodeShare{})
	}
	now := nodeShare{s.Nodes.Used[cluster.GPU][n], m.frag.Of(s, n)}
	m.used += now.used - m.nodes[n].used
	m.fragmented += now.frag - m.nodes[n].frag
	m.nodes[n] = now
}

// values returns allocated and fragmented GPU in % of capacity.
func (m *measure) values() [2]float64 {
	if m.capacity == 0 {
		return [2]float64{}
	}
	return [2]float64{
		100 * float64(m.used) / float64(m.capacity),
		100 * m.fragmented / float64(m.capacity),
	}
}

// submitted adds to the curves after pods arrived and were dealt with.
func (m *measure) submitted(pods int) {
	for i, v := range m.values() {
		m.means[i].arrival()
		if m.capacity > 0 {
			at := int(math.RoundToEven(100 * float64(m.arrived) / float64(m.capacity)))
			m.curves[i].add(at, v, int64(pods))
		}
	}
}

// maxCurve bounds the points of a curve: what is asked for may add up to any
// multiple of what there is.
const maxCurve = 1000

func (c *curve) add(at int, v float64, weight int64) {
	if at > maxCurve {
		return
	}
	for len(c.sum) <= at {
		c.sum = append(c.sum, 0)
		c.count = append(c.count, 0)
	}
	c.sum[at] += float64(v * float64(weight))
	c.count[at] += weight
}

// points returns the curve, NaN where nothing was submitted.
func (c *curve) points() []float64 {
	out := make([]float64, len(c.sum))
	for i := range out {
		out[i] = c.sum[i] / float64(c.count[i])
	}
	return out
}

// carried returns points with the gaps between them filled: where nothing was
// submitted just then, the cluster is as the last submission before left it.
func carried(points []float64) []float64 {
	for i := 1; i < len(points); i++ {
		if math.IsNaN(points[i]) {
			points[i] = points[i-1]
		}
	}
	return points
}

// advance adds the time up to now, in which the value was v.
func (m *mean) advance(now cluster.Time, v float64) {
	if m.began {
		m.integral += float64(v * (now - m.at).Seconds())
	}
	m.at = now
}

// arrival notes that pods arrived at the time of the last advance.
func (m *mean) arrival() {
	if !m.began {
		m.began, m.from = true, m.at
	}
	m.untilLast, m.lastLen = m.integral, (m.at - m.from).Seconds()
}

// metrics returns the run's metrics by name: curves if the workload only fills
// the cluster, means and waits if it has times.
func (m *measure) metrics(s *cluster.State, timed bool) map[string]float64 {
	out := map[string]float64{"pods_placed": float64(m.placed), "pods_unplaced": float64(s.Pending() + m.refused.waiting())}
	m.refused.metrics(out)
	if m.preempted > 0 {
		out["preemptions"] = float64(m.preempted)
	}
	for i, family := range curveFamilies {
		if timed && m.means[i].lastLen > 0 && m.capacity > 0 {
			out[family+"_mean"] = m.means[i].untilLast / m.means[i].lastLen
		}
	}
	if timed && len(m.waits) > 0 {
		slices.Sort(m.waits)
		sum := 0.0 // not stat.Mean, whose last digit differs between processors
		for _, wait := range m.waits {
			sum += wait
		}
		out["wait_mean"] = sum / float64(len(m.waits))
		out["wait_p50"] = stat.Quantile(0.50, stat.Empirical, m.waits, nil)
		out["wait_p99"] = stat.Quantile(0.99, stat.Empirical, m.waits, nil)
		m.shares.addUnfinished(s, &m.refused)
		if index, ok := m.shares.jain(); ok {
			out["fairness_jain_pct"] = 100 * index
		}
	}
	if timed {
		return out
	}
	for i, family := range curveFamilies {
		points := carried(m.curves[i].points())
		for _, metric := range Metrics {
			if metric.Family == family && metric.At < len(points) && !math.IsNaN(points[metric.At]) {
				out[metric.Name] = points[metric.At]
			}
		}
	}
	return out
}

// recordedWaits sums up how long jobs waited when a trace was recorded, nil if it doesn't say.
func recordedWaits(waits []cluster.Time) *RecordedWaits {
	if len(waits) == 0 {
		return nil
	}
	seconds := make([]float64, len(waits))
	for i, w := range waits {
		seconds[i] = w.Seconds()
	}
	slices.Sort(seconds)
	r := &RecordedWaits{
		Jobs: len(waits), P50: stat.Quantile(0.50, stat.Empirical, seconds, nil), P99: stat.Quantile(0.99, stat.Empirical, seconds, nil),
	}
	for _, x := range seconds {
		r.Mean += x
	}
	r.Mean /= float64(len(seconds))
	return r
}

// wholeCurves returns the curves by family, nil if the workload has times.
func (m *measure) wholeCurves(timed bool) map[string][]float64 {
	if timed || m.capacity == 0 {
		return nil
	}
	return map[string][]float64{
		curveFamilies[0]: m.curves[0].points(),
		curveFamilies[1]: m.curves[1].points(),
	}
}
