package model

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/berthsim/berth/cluster"
)

// Bounds of what a model may say. They keep sums and times in range.
const (
	HoursOfWeek = 168
	MaxNodes    = 1_000_000
	maxDays     = 36525.0 // a century
	maxAmount   = 1 << 53
	maxCount    = 1_000_000_000_000
	maxPodsOf   = 1_000_000 // of a job
	maxNumber   = 1e12      // of a distribution
)

// A complaint makes an error of what is wrong at a path.
type complaint func(path, problem, remedy string) error

// check returns what is wrong with the model.
func (m *Model) check(wrong complaint) error {
	for _, step := range []func(complaint) error{m.checkNodes, m.checkArrivals, m.checkBursts, m.checkClasses, m.checkJobs, m.checkRuns} {
		if err := step(wrong); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) checkNodes(wrong complaint) error {
	total := 0
	for i := range m.Nodes {
		n, path := &m.Nodes[i], fmt.Sprintf("nodes[%d]", i)
		if n.Count < 1 || n.Count > MaxNodes {
			return wrong(path+".count", "is "+strconv.Itoa(n.Count), "give a whole number from 1 to 1000000")
		}
		if total += n.Count; total > MaxNodes {
			return wrong(path, "is too many", "give at most 1000000 nodes")
		}
		if !areAmounts(n.Extended, n.CPU, n.Memory, n.Storage, n.Pods) {
			return wrong(path, "has an amount out of range", "give whole numbers from 0 to 2⁵³, and names of resources")
		}
		if n.GPUs < 0 || n.GPUs > cluster.MaxGPUs {
			return wrong(path+".gpus", "is "+strconv.Itoa(n.GPUs), "give a whole number from 0 to 64")
		}
		for _, taint := range n.Taints {
			if taint.Effect < cluster.NoSchedule || taint.Effect > cluster.NoExecute {
				return wrong(path+".taints", "has an effect out of range", "give 1 (NoSchedule), 2 (PreferNoSchedule) or 3 (NoExecute)")
			}
		}
	}
	if total == 0 {
		return wrong("nodes", "is empty", "give at least one node")
	}
	return nil
}

// areAmounts reports whether amounts of resources, and those with names, are in range.
func areAmounts(named map[string]int64, others ...int64) bool {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if name == "" || slices.Contains([]string{"cpu", "memory", "ephemeral-storage", "pods", cluster.GPUShares}, name) {
			return false
		}
		others = append(others, named[name])
	}
	return !slices.ContainsFunc(others, func(amount int64) bool { return amount < 0 || amount > maxAmount })
}

func (m *Model) checkArrivals(wrong complaint) error {
	a := &m.Arrivals
	if !(a.Days > 0 && a.Days <= maxDays) {
		return wrong("arrivals.days", "is "+number(a.Days), "give days above 0 and up to 36525")
	}
	if !isTick(a.Tick) {
		return wrong("arrivals.tick", "is "+number(a.Tick), "give one of 0.001, 1 and 60 seconds")
	}
	if len(a.Week) != HoursOfWeek {
		return wrong("arrivals.week", fmt.Sprintf("has %d rates", len(a.Week)), "give 168, one for each hour of the week")
	}
	sum := 0.0
	for i, rate := range a.Week {
		if !(rate >= 0 && rate <= HoursOfWeek) {
			return wrong(fmt.Sprintf("arrivals.week[%d]", i), "is "+number(rate), "give a rate from 0 to 168")
		}
		sum += rate
	}
	if sum == 0 {
		return wrong("arrivals.week", "is 0 at all hours", "give at least one rate above 0")
	}
	sum = 0
	for i, part := range a.Memory {
		path := fmt.Sprintf("arrivals.memory[%d]", i)
		if !(part.Share >= 0 && part.Share <= 1 && part.Hours > 0 && part.Hours <= 1e6) {
			return wrong(path, "is out of range", "give a share from 0 to 1, and hours above 0 and up to 1000000")
		}
		sum += part.Share
	}
	if len(a.Memory) == 0 || len(a.Memory) > maxMemories || math.Abs(sum-1) > 1e-3 {
		return wrong("arrivals.memory", "has shares of "+number(sum)+" together", "give one to four parts, whose shares make 1")
	}
	return a.Level.check(wrong, "arrivals.level")
}

func (m *Model) checkBursts(wrong complaint) error {
	for i := range m.Bursts {
		b, path := &m.Bursts[i], fmt.Sprintf("bursts[%d]", i)
		if !(b.Again >= 0 && b.Again <= 1) || !(b.Alike >= 0 && b.Alike <= 1) {
			return wrong(path, "has a probability or correlation out of range", "give numbers from 0 to 1")
		}
		if err := b.Size.check(wrong, path+".size"); err != nil {
			return err
		}
		if err := b.Gap.check(wrong, path+".gap"); err != nil {
			return err
		}
	}
	for i, s := range m.Sources {
		path := fmt.Sprintf("sources[%d]", i)
		if s.Weight < 1 || s.Weight > maxCount {
			return wrong(path+".weight", "is "+strconv.FormatInt(s.Weight, 10), "give a whole number above 0")
		}
		if s.Burst < 0 || s.Burst >= len(m.Bursts) {
			return wrong(path+".burst", "is "+strconv.Itoa(s.Burst), "give an index in bursts, from 0")
		}
		if !slices.ContainsFunc(m.Jobs, func(j Job) bool { return j.Source == i }) {
			return wrong(path, "has no jobs", "leave it out, or give it one")
		}
	}
	if len(m.Sources) == 0 || len(m.Sources) > MaxNodes {
		return wrong("sources", "is empty or too long", "give from 1 to 1000000 sources")
	}
	return nil
}

func (m *Model) checkClasses(wrong complaint) error {
	for i := range m.Classes {
		c, path := &m.Classes[i], fmt.Sprintf("classes[%d]", i)
		if !areAmounts(c.Extended, c.CPU, c.Memory, c.Storage, int64(c.BestEffortCPU), int64(c.BestEffortMemory)) {
			return wrong(path, "has an amount out of range", "give whole numbers from 0 to 2⁵³, and names of resources")
		}
		if !isName(c.Namespace) {
			return wrong(path+".namespace", "is "+strconv.Quote(c.Namespace), "give a name without spaces and slashes, or none")
		}
		switch {
		case c.GPUs < 0 || c.GPUs > cluster.MaxGPUs:
			return wrong(path+".gpus", "is "+strconv.Itoa(int(c.GPUs)), "give a whole number from 0 to 64")
		case c.GPUShares < 0 || c.GPUShares > cluster.WholeGPU || c.GPUShares > 0 && c.GPUs != 1:
			return wrong(path+".gpuShares", "is "+strconv.Itoa(int(c.GPUShares)), "give shares from 1 to 1000 of a single GPU, or leave it out")
		case len(c.GPUModels) > 0 && (c.GPUs == 0 || !ascend(c.GPUModels) || c.GPUModels[0] == ""):
			return wrong(path+".gpuModels", "is not as it must be", "give models in order, each once, where gpus is above 0")
		case c.Rules != nil && !c.Rules.inOrder():
			return wrong(path+".rules", "has a list that isn't in order, or a port or effect out of range", "give features in order, ports from 1 to 65535, and effects from 0 to 3")
		}
	}
	return nil
}

func (r *Rules) inOrder() bool {
	badPort := func(p cluster.HostPort) bool { return p.Port < 1 || p.Port > 65535 }
	badEffect := func(t cluster.Toleration) bool { return t.Effect > cluster.NoExecute }
	badSkew := func(c cluster.SpreadConstraint) bool { return c.MaxSkew < 1 || c.MinDomains < 0 }
	return ascend(r.Features) && !slices.ContainsFunc(r.Ports, badPort) && !slices.ContainsFunc(r.Tolerations, badEffect) && !slices.ContainsFunc(r.Spread, badSkew)
}

// ascend reports whether names are in order, each once.
func ascend(names []string) bool {
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			return false
		}
	}
	return true
}

// isName reports whether text can be part of a name: State writes namespace/name.
func isName(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r == '/' || unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
}

func (m *Model) checkJobs(wrong complaint) error {
	for i := range m.Jobs {
		j, path := &m.Jobs[i], fmt.Sprintf("jobs[%d]", i)
		if j.Count < 1 || j.Count > maxCount {
			return wrong(path+".count", "is "+strconv.FormatInt(j.Count, 10), "give a whole number above 0")
		}
		if j.Source < 0 || j.Source >= len(m.Sources) {
			return wrong(path+".source", "is "+strconv.Itoa(j.Source), "give an index in sources, from 0")
		}
		if j.Run < -1 || j.Run >= len(m.Runs) {
			return wrong(path+".run", "is "+strconv.Itoa(j.Run), "give an index in runs, from 0, or -1 for jobs that don't end")
		}
		if len(j.Pods) == 0 || !isName(j.Owner) {
			return wrong(path, "has no pods, or an owner that is no name", "give at least one pod")
		}
		total := int64(0)
		for k, p := range j.Pods {
			part := fmt.Sprintf("%s.pods[%d]", path, k)
			if p.Class < 0 || p.Class >= len(m.Classes) {
				return wrong(part+".class", "is "+strconv.Itoa(p.Class), "give an index in classes, from 0")
			}
			if total += int64(p.Count); p.Count < 1 || total > maxPodsOf {
				return wrong(part+".count", "is "+strconv.Itoa(int(p.Count)), "give a whole number above 0, and at most 1000000 for a job")
			}
		}
	}
	if len(m.Jobs) == 0 {
		return wrong("jobs", "is empty", "give at least one job")
	}
	return nil
}

func (m *Model) checkRuns(wrong complaint) error {
	if !isTick(m.RunTick) {
		return wrong("runTick", "is "+number(m.RunTick), "give one of 0.001, 1 and 60 seconds")
	}
	for i := range m.Runs {
		if err := m.Runs[i].check(wrong, fmt.Sprintf("runs[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

// check returns what is wrong with a distribution at a path.
func (d *Distribution) check(wrong complaint, path string) error {
	if !slices.Contains(Families, d.Family) {
		return wrong(path+".family", "is "+strconv.Quote(d.Family), "give one of "+strings.Join(Families, ", "))
	}
	bad := ""
	within := func(name string, x, least, most float64) {
		if bad == "" && !(x >= least && x <= most) {
			bad = fmt.Sprintf("%s is %s; give a number from %s to %s", name, number(x), number(least), number(most))
		}
	}
	within("zero", d.Zero, 0, 0.999999)
	within("most", d.Most, 0, maxNumber)
	switch d.Family {
	case Fixed:
		within("value", d.Value, 0, maxNumber)
	case LogNormal:
		within("mu", d.Mu, -30, 30)
		within("sigma", d.Sigma, 0, 30)
	case Weibull:
		within("shape", d.Shape, 0.01, 1000)
		within("scale", d.Scale, 1e-9, maxNumber)
	case HyperExponential:
		within("short", d.Short, 1e-9, maxNumber)
		within("long", d.Long, 1e-9, maxNumber)
		within("share", d.Share, 0, 1)
	case Quantiles:
		within("tail", d.Tail, 0, 1000)
		if len(d.Points) == 0 {
			bad = "there are no points; give at least one"
		}
		before := Point{}
		for _, p := range d.Points {
			within("a probability", p[0], before[0], 1)
			within("a quantile", p[1], before[1], maxNumber)
			before = p
		}
	}
	if bad == "" && d.Family != Fixed && d.Most == 0 {
		bad = "most is missing; give the number that none exceeds"
	}
	if problem, remedy, found := strings.Cut(bad, "; "); found {
		return wrong(path, "is not as it must be: "+problem, remedy)
	}
	return nil
}

// number writes a number for people.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
