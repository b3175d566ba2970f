package quota

import (
	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// A mistake is something wrong with Berth's side: the zero mistake is none. Each function changes
// something on its way.
type mistake struct {
	name         string
	onRequest    func(*berth.Request)
	onObject     func(*berth.Object) // when it is counted
	onQuota      func(*cluster.ResourceQuota)
	onCharged    func(before, after *cluster.ResourceQuota)
	onCounted    func(*cluster.ResourceQuota)
	onFilled     func(*berth.NewPod)
	onLimitRange func(*berth.LimitRange)
	onPriority   func(*berth.PriorityClass)
	onRuntime    func(*berth.RuntimeClass)
}

func call[T any](f func(T), x T) {
	if f != nil {
		f(x)
	}
}

func (m *mistake) request(r *berth.Request)         { call(m.onRequest, r) }
func (m *mistake) object(o *berth.Object)           { call(m.onObject, o) }
func (m *mistake) quota(q *cluster.ResourceQuota)   { call(m.onQuota, q) }
func (m *mistake) counted(q *cluster.ResourceQuota) { call(m.onCounted, q) }
func (m *mistake) filled(p *berth.NewPod)           { call(m.onFilled, p) }
func (m *mistake) limitRange(r *berth.LimitRange)   { call(m.onLimitRange, r) }
func (m *mistake) priority(c *berth.PriorityClass)  { call(m.onPriority, c) }
func (m *mistake) runtime(c *berth.RuntimeClass)    { call(m.onRuntime, c) }

func (m *mistake) charged(before, after *cluster.ResourceQuota) {
	if m.onCharged != nil {
		m.onCharged(before, after)
	}
}
