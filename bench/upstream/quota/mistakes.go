package quota

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// A mistake is something wrong with Berth's side: the zero mistake is none. Each function changes
// something on its way.
type mistake struct {
	name         string
	onAccount    func(*cluster.Account) // of pods that quotas look at
	onPod        func(*berth.Pod)
	onObject     func(*berth.Object)  // whenever it is counted
	onRequest    func(*berth.Request) // as ResourceQuota sees it
	onQuota      func(*cluster.ResourceQuota)
	onCharged    func(before, after *cluster.ResourceQuota)
	onCounted    func(*cluster.ResourceQuota)
	onAsked      func(*berth.NewPod) // before plugins see it
	onFilled     func(*berth.NewPod) // between those that fill in and those that only look
	onLimitRange func(*berth.LimitRange)
	onPriority   func(*berth.PriorityClass)
	onRuntime    func(*berth.RuntimeClass)
	onEvent      func(*cluster.Event) bool // false if the State never hears of it
}

func call[T any](f func(T), x T) {
	if f != nil {
		f(x)
	}
}

func (m *mistake) counted(q *cluster.ResourceQuota)  { call(m.onCounted, q) }
func (m *mistake) asked(p *berth.NewPod)             { call(m.onAsked, p) }
func (m *mistake) filled(p *berth.NewPod)            { call(m.onFilled, p) }
func (m *mistake) limitRange(r *berth.LimitRange)    { call(m.onLimitRange, r) }
func (m *mistake) priority(c *berth.PriorityClass)   { call(m.onPriority, c) }
func (m *mistake) runtime(c *berth.RuntimeClass)     { call(m.onRuntime, c) }
func (m *mistake) heard(e *cluster.Event) (yes bool) { return m.onEvent == nil || m.onEvent(e) }

// quota returns a quota as it is looked at.
func (m *mistake) quota(q *cluster.ResourceQuota) *cluster.ResourceQuota {
	if m.onQuota == nil {
		return q
	}
	is := *q
	is.Enforced, is.Used, is.Scopes = slices.Clone(q.Enforced), slices.Clone(q.Used), slices.Clone(q.Scopes)
	m.onQuota(&is)
	return &is
}

// request changes a request.
func (m *mistake) request(r *berth.Request) {
	m.object(&r.Object)
	if r.Old != nil {
		m.object(r.Old)
	}
	call(m.onRequest, r)
}

// object changes an object. What others have of its account stays.
func (m *mistake) object(o *berth.Object) {
	call(m.onObject, o)
	if o.Pod == nil {
		return
	}
	call(m.onPod, o.Pod)
	if m.onAccount != nil {
		a := *o.Pod.Account
		a.Containers, a.InitContainers = slices.Clone(a.Containers), slices.Clone(a.InitContainers)
		m.onAccount(&a)
		o.Pod.Account = &a
	}
}

func (m *mistake) charged(before, after *cluster.ResourceQuota) {
	if m.onCharged != nil {
		m.onCharged(before, after)
	}
}
