package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/quota"
)

// A LimitUse says how much of a limit was used over a run's time. CPU is in thousandths,
// everything else in ones.
type LimitUse struct {
	Namespace string  `json:"namespace,omitempty"` // of a ResourceQuota
	Name      string  `json:"name"`                // of a ResourceQuota, or of a queue
	Scopes    string  `json:"scopes,omitempty"`    // for people
	Resource  string  `json:"resource"`            // as the limit names it
	Hard      int64   `json:"hard"`                // at the end; a queue's guarantee
	Mean      float64 `json:"mean"`                // used, over time
	Peak      int64   `json:"peak"`                // used
	Full      float64 `json:"full"`                // share of the time in which no less than Hard was used
	Refused   int     `json:"refused"`             // pods that were refused at first because of it

	Seconds float64 `json:"seconds"` // for which the limit was known

	Series UseSeries `json:"series"`
}

// isQueue reports whether the limit is what a queue is guaranteed.
func (l *LimitUse) isQueue() bool { return l.Namespace == "" }

func (l *LimitUse) hardName() string {
	if l.isQueue() {
		return "guaranteed"
	}
	return "hard"
}

// A UseSeries is what was used and what the limit was, at times that are a step apart, from
// when the limit was first known on.
type UseSeries struct {
	From float64 `json:"from"` // seconds
	Step float64 `json:"step"` // seconds
	Used []int64 `json:"used"`
	Hard []int64 `json:"hard"`
}

// A limitLine is a limit while a run goes on.
type limitLine struct {
	use      LimitUse
	from, at cluster.Time
	now      [2]int64     // used, hard
	integral float64      // of what was used, in seconds
	full     cluster.Time // for which it was
	series   series[[2]int64]
}

// until notes that the values have held up to a time.
func (l *limitLine) until(now cluster.Time) {
	l.integral += float64(float64(l.now[0]) * (now - l.at).Seconds())
	if l.now[0] >= l.now[1] {
		l.full += now - l.at
	}
	l.series.until(now-l.from, l.now)
	l.at = now
}

// set notes what is used, and the limit, from a time on.
func (l *limitLine) set(now cluster.Time, used, hard int64) {
	if is := [2]int64{used, hard}; is != l.now {
		l.until(now)
		l.now = is
		l.use.Peak = max(l.use.Peak, used)
	}
}

// result returns what became of the limit up to a time.
func (l *limitLine) result(end cluster.Time) LimitUse {
	l.until(end)
	use := l.use
	use.Hard = l.now[1]
	if use.Seconds = (end - l.from).Seconds(); use.Seconds > 0 {
		use.Mean, use.Full = l.integral/use.Seconds, l.full.Seconds()/use.Seconds
	}
	use.Series = UseSeries{From: l.from.Seconds(), Step: l.series.step.Seconds(), Used: []int64{}, Hard: []int64{}}
	for _, v := range l.series.values {
		use.Series.Used, use.Series.Hard = append(use.Series.Used, v[0]), append(use.Series.Hard, v[1])
	}
	return use
}

// A limitMeasure is a Recorder that follows limits.
type limitMeasure interface {
	cluster.Recorder
	results(end cluster.Time) []LimitUse
}

// A quotaMeasure is a Recorder that follows the status of ResourceQuotas.
type quotaMeasure struct {
	lines   []*limitLine // by namespace, quota and resource
	at      map[[3]string]*limitLine
	refused map[string]bool // pods, by namespace and name
}

func newQuotaMeasure() *quotaMeasure {
	return &quotaMeasure{at: map[[3]string]*limitLine{}, refused: map[string]bool{}}
}

// Record implements cluster.Recorder. It returns an error if more of a limit is used than there
// is, and more than was: admission must have let in what it should not have.
func (m *quotaMeasure) Record(s *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case cluster.ObjectSet:
			q, ok := e.Object.(*cluster.ResourceQuota)
			if !ok {
				continue
			}
			if err := m.see(s.Now, q); err != nil {
				return err
			}
		case cluster.PodRefused:
			m.refuse(e)
		}
	}
	return nil
}

// see takes in a quota's status.
func (m *quotaMeasure) see(now cluster.Time, q *cluster.ResourceQuota) error {
	for i := range q.Enforced {
		hard, used := q.Enforced[i], int64(0)
		if j, ok := find(q.Used, hard.Name); ok {
			used = q.Used[j].Amount
		}
		key := [3]string{q.Namespace, q.Name, hard.Name}
		l := m.at[key]
		if l == nil {
			l = &limitLine{from: now, at: now, use: LimitUse{Namespace: q.Namespace, Name: q.Name, Scopes: scopeText(q.Scopes), Resource: hard.Name}}
			m.at[key] = l
			m.lines = append(m.lines, l)
		}
		if used > hard.Amount && used > l.now[0] && l.now[1] == hard.Amount {
			return fmt.Errorf("quota %s/%s: %d of %s are used, and it has %d", q.Namespace, q.Name, used, hard.Name, hard.Amount)
		}
		l.set(now, used, hard.Amount)
	}
	return nil
}

// recounted returns an error if the status of any quota isn't what counting anew gives: a run
// ends when nobody has anything left to do, the quota controller included.
func recounted(s *cluster.State) error {
	counting := quota.NewController(quota.ControllerOptions{})
	for q := range s.Quotas.All() {
		if anew := counting.Recount(s, q); q.Used != nil && !slices.Equal(anew, q.Used) {
			return fmt.Errorf("quota %s/%s: its status says that %v are used, and there are %v", q.Namespace, q.Name, q.Used, anew)
		}
	}
	return nil
}

// find returns where the amount of a name is in a list that is sorted by name.
func find(list []cluster.NamedAmount, name string) (at int, ok bool) {
	return slices.BinarySearchFunc(list, name, func(a cluster.NamedAmount, name string) int { return strings.Compare(a.Name, name) })
}

// refuse counts a pod, once, for the quota that its refusal names.
func (m *quotaMeasure) refuse(e *cluster.Event) {
	key := cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Name)
	_, rest, named := strings.Cut(e.Reason, "exceeded quota: ")
	if m.refused[key] || !named {
		return
	}
	m.refused[key] = true
	quota, rest, _ := strings.Cut(rest, ", requested: ")
	requested, _, _ := strings.Cut(rest, ", used: ")
	for part := range strings.SplitSeq(requested, ",") {
		resource, _, _ := strings.Cut(part, "=")
		if l := m.at[[3]string{e.PodSpec.Class.Namespace, quota, resource}]; l != nil {
			l.use.Refused++
		}
	}
}

// results returns what became of all limits, by namespace, quota and resource.
func (m *quotaMeasure) results(end cluster.Time) (list []LimitUse) {
	slices.SortFunc(m.lines, func(a, b *limitLine) int { return compareLimits(&a.use, &b.use) })
	for _, l := range m.lines {
		list = append(list, l.result(end))
	}
	return list
}

func compareLimits(a, b *LimitUse) int {
	return slices.Compare([]string{a.Namespace, a.Name, a.Resource}, []string{b.Namespace, b.Name, b.Resource})
}

// scopeText writes scopes for people: "PriorityClass In (high, low), Terminating".
func scopeText(scopes []cluster.ScopeRequirement) string {
	var parts []string
	for _, sc := range scopes {
		text := sc.Scope
		if sc.Operator != "Exists" || sc.Scope == "PriorityClass" {
			text += " " + sc.Operator
		}
		if len(sc.Values) > 0 {
			text += " (" + strings.Join(sc.Values, ", ") + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// LimitReport returns what of quotas the run used.
func (r *Run) LimitReport() *LimitReport {
	names := []string{r.Trace, r.Policy, r.Quota, "seed " + strconv.FormatInt(r.Seed, 10)}
	report := &LimitReport{Version: Version, Source: strings.Join(names, ", "), Limits: r.Limits}
	for i := range r.Limits {
		report.Seconds = max(report.Seconds, r.Limits[i].Seconds)
	}
	return report
}

// LimitsOf counts what is used of the quotas of a cluster, under limits that settings change.
func LimitsOf(read *manifest.Cluster, source string, settings []QuotaSetting) (*LimitReport, error) {
	s := cluster.NewState()
	events := read.Events()
	s.Observe(0, events)
	var quotas []*cluster.ResourceQuota
	for q := range s.Quotas.All() {
		changed := *q
		changed.Hard = slices.Clone(q.Hard)
		quotas = append(quotas, &changed)
	}
	if len(quotas) == 0 {
		return nil, fmt.Errorf("%s: there is no ResourceQuota; give a cluster that has some", source)
	}
	for i := range settings {
		if err := settings[i].apply(quotas); err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
	}
	c := quota.NewController(quota.ControllerOptions{Objects: read.Counted})
	r := &LimitReport{Version: Version, Source: source}
	for _, q := range quotas {
		used := c.Recount(s, q)
		for _, hard := range q.Hard {
			l := LimitUse{Namespace: q.Namespace, Name: q.Name, Scopes: scopeText(q.Scopes), Resource: hard.Name, Hard: hard.Amount}
			if at, ok := find(used, hard.Name); ok {
				l.Peak, l.Mean = used[at].Amount, float64(used[at].Amount)
			}
			l.Series = UseSeries{Used: []int64{l.Peak}, Hard: []int64{hard.Amount}}
			r.Limits = append(r.Limits, l)
		}
	}
	slices.SortFunc(r.Limits, func(a, b LimitUse) int { return compareLimits(&a, &b) })
	return r, nil
}
