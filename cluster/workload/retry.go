package workload

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Retry is a controller that has pods created again that were refused, as the controllers of
// Kubernetes do that make pods: after First, and twice as long each time, up to Most.
//
// Admission goes by what a pod asks for and by what quotas of its namespace say, so tries
// that can only be refused again aren't made: those before a quota has let go of anything,
// and those of pods like one that was refused since. Every is the slow way, in which all are
// made; pods come at the same times either way.
type Retry struct {
	First, Most cluster.Time
	Every       bool

	namespaces []*refusals
	byName     map[string]*refusals
	waiting    map[string]*refused               // by namespace and name
	quotas     map[string]*cluster.ResourceQuota // as they were last seen
	refused    int                               // the last number given to a pod
}

// NewRetry returns a controller that tries as Kubernetes' Job controller does: after a
// second at first, and every minute in the end (DefaultJobApiBackOff, MaxJobApiBackOff).
func NewRetry() *Retry {
	return &Retry{First: cluster.Second, Most: cluster.Minute, byName: map[string]*refusals{}, waiting: map[string]*refused{}, quotas: map[string]*cluster.ResourceQuota{}}
}

// refusals are the pods of a namespace that wait for being created.
type refusals struct {
	kinds  []*alike
	byKind map[kind]*alike
	epoch  int // how often a quota of the namespace has let go of anything
}

// A kind of pods is what admission can't tell apart.
type kind struct {
	account *cluster.Account
	class   *cluster.Class
}

// alike are pods of a kind.
type alike struct {
	pods    []*refused   // in any order
	refused int          // the epoch in which one of them was, -1 for none
	looked  int          // the epoch in which wake was reckoned
	wake    cluster.Time // the next try of any, or earlier
}

// A refused pod waits for the next try.
type refused struct {
	spec   *cluster.PodSpec
	of     *alike
	at     int          // its place there
	number int          // in order of first refusal
	pause  cluster.Time // before the next try
	next   cluster.Time // when that is
	asked  bool         // it is on its way
}

// Step implements cluster.Controller.
func (r *Retry) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case cluster.PodRefused:
			r.wait(s.Now, e.PodSpec)
		case cluster.PodAdded:
			r.came(e.PodSpec)
		case cluster.Rejected:
			if spec, ok := e.Decision.Detail.(*cluster.PodSpec); ok && e.Decision.Kind == cluster.Create {
				r.wait(s.Now, spec)
			}
		case cluster.ObjectSet, cluster.ObjectRemoved:
			r.see(e)
		}
	}
	due, wake := r.due(s.Now)
	slices.SortFunc(due, func(a, b *refused) int {
		return cmp.Or(cmp.Compare(a.next, b.next), cmp.Compare(a.number, b.number))
	})
	for _, w := range due {
		w.asked = true
		s.Create(w.spec)
	}
	return wake
}

// of returns a namespace's refusals.
func (r *Retry) of(namespace string) *refusals {
	ns, ok := r.byName[namespace]
	if !ok {
		ns = &refusals{byKind: map[kind]*alike{}}
		r.byName[namespace] = ns
		r.namespaces = append(r.namespaces, ns)
	}
	return ns
}

func (ns *refusals) alike(spec *cluster.PodSpec) *alike {
	k := kind{spec.Account, spec.Class}
	a, ok := ns.byKind[k]
	if !ok {
		a = &alike{refused: -1}
		ns.byKind[k] = a
		ns.kinds = append(ns.kinds, a)
	}
	return a
}

// wait has a pod wait that was refused now.
func (r *Retry) wait(now cluster.Time, spec *cluster.PodSpec) {
	ns := r.of(spec.Class.Namespace)
	a := ns.alike(spec)
	a.refused, a.wake = ns.epoch, now
	key := cluster.Key(spec.Class.Namespace, spec.Name)
	w := r.waiting[key]
	if w == nil {
		r.refused++
		w = &refused{of: a, at: len(a.pods), number: r.refused}
		r.waiting[key] = w
		a.pods = append(a.pods, w)
	}
	w.spec, w.asked = spec, false
	w.pause = r.after(w.pause)
	w.next = now + w.pause
}

// after returns the pause that follows another; the first follows 0.
func (r *Retry) after(pause cluster.Time) cluster.Time {
	if pause == 0 {
		return r.First
	}
	return min(2*pause, r.Most)
}

// came forgets a pod that waits no longer.
func (r *Retry) came(spec *cluster.PodSpec) {
	if len(r.waiting) == 0 {
		return
	}
	key := cluster.Key(spec.Class.Namespace, spec.Name)
	w := r.waiting[key]
	if w == nil {
		return
	}
	delete(r.waiting, key)
	last := len(w.of.pods) - 1
	w.of.pods[w.at] = w.of.pods[last]
	w.of.pods[w.at].at = w.at
	w.of.pods = w.of.pods[:last]
}

// see notes whether a quota lets go of anything.
func (r *Retry) see(e *cluster.Event) {
	q, ok := e.Object.(*cluster.ResourceQuota)
	if !ok {
		return
	}
	key := cluster.Key(q.Namespace, q.Name)
	was := r.quotas[key]
	if e.Kind == cluster.ObjectRemoved {
		delete(r.quotas, key)
		r.of(q.Namespace).epoch++
		return
	}
	r.quotas[key] = q
	if was != nil && loosens(was, q) {
		r.of(q.Namespace).epoch++
	}
}

// loosens reports whether pods may be admitted by is that weren't by was: anything but more
// of the same being used.
func loosens(was, is *cluster.ResourceQuota) bool {
	if !slices.Equal(was.Enforced, is.Enforced) || len(was.Used) != len(is.Used) ||
		!slices.EqualFunc(was.Scopes, is.Scopes, func(a, b cluster.ScopeRequirement) bool {
			return a.Scope == b.Scope && a.Operator == b.Operator && slices.Equal(a.Values, b.Values)
		}) {
		return true
	}
	for i, u := range is.Used {
		if was.Used[i].Name != u.Name || u.Amount < was.Used[i].Amount {
			return true
		}
	}
	return false
}

// due returns the pods that are to be tried now, and when others are.
func (r *Retry) due(now cluster.Time) (due []*refused, wake cluster.Time) {
	wake = cluster.Never
	for _, ns := range r.namespaces {
		for _, a := range ns.kinds {
			if len(a.pods) == 0 || a.refused == ns.epoch && !r.Every {
				continue
			}
			if now >= a.wake || a.looked != ns.epoch {
				due = r.look(a, now, due)
				a.looked = ns.epoch
			}
			wake = min(wake, a.wake)
		}
	}
	return due, wake
}

// look adds the pods of a kind that are to be tried now.
func (r *Retry) look(a *alike, now cluster.Time, due []*refused) []*refused {
	a.wake = cluster.Never
	for _, w := range a.pods {
		switch r.skip(w, now); {
		case w.asked: // its answer has the kind be looked at again, unless it's the end of it
		case w.next <= now:
			due = append(due, w)
		default:
			a.wake = min(a.wake, w.next)
		}
	}
	return due
}

// skip passes over the tries before now that weren't made.
func (r *Retry) skip(w *refused, now cluster.Time) {
	for w.next < now && !w.asked {
		if w.pause == r.Most {
			w.next += (now - w.next + r.Most - 1) / r.Most * r.Most
			return
		}
		w.pause = r.after(w.pause)
		w.next += w.pause
	}
}
