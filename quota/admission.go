package quota

import (
	"net/http"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Admission answers for an API server's admission of pods to a simulated cluster
// (cluster/sim.Admission): it holds to the ResourceQuotas that the State has. The zero
// Admission is ready for use.
//
// What a pod takes of its namespace's quotas is worked out once for each Account, or each
// Class of pods without one, and kept while the quotas limit the same.
type Admission struct {
	// Validate, if set, is asked before any quota, and says why a pod may not be created; "" if
	// it may.
	Validate func(namespace string, spec *cluster.PodSpec) (reason string)
	// Limited is what nobody may have unless a quota covers it.
	Limited []LimitedResource

	known  bool
	epoch  uint64  // of the State's table, when it was read
	sent   uint64  // how many quotas Charged has returned since
	books  []*book // of quotas, in the order of the State's table
	spaces map[string]*space
	dirty  []*book // charged since the last Charged, in order
}

// A book is what is used of a quota by now.
type book struct {
	quota *cluster.ResourceQuota // as State has it, or is about to
	space *space
	used  []int64 // as quota.Enforced
	dirty bool
}

// A space is a namespace with quotas, or one of which pods have come.
type space struct {
	books    []*book
	quotas   []*cluster.ResourceQuota // of books, in the same order
	accounts map[*cluster.Account]*price
	classes  map[*cluster.Class]*price
}

// A price is what pods of a kind take of a namespace's quotas, or why there may be none.
type price struct {
	charges []charge // of space.books
	code    int16
	reason  string
}

// mostPrices is how many are kept for a namespace; more begin anew. It keeps a workload in
// which no two pods are alike from filling the memory.
const mostPrices = 1 << 14

// Admit implements cluster/sim.Admission.
func (a *Admission) Admit(s *cluster.State, spec *cluster.PodSpec) (code int16, reason string) {
	namespace := spec.Class.Namespace
	if a.Validate != nil {
		if reason := a.Validate(namespace, spec); reason != "" {
			return http.StatusForbidden, reason
		}
	}
	a.follow(s)
	in := a.spaces[namespace]
	if in == nil {
		if len(a.Limited) == 0 {
			return 0, ""
		}
		in = a.space(namespace)
	}
	p := a.price(in, namespace, spec)
	if p.reason != "" {
		return p.code, p.reason
	}
	for i := range p.charges {
		c := &p.charges[i]
		if b := in.books[c.quota]; plus(b.used[c.limit], c.amount) > b.quota.Enforced[c.limit].Amount {
			return http.StatusForbidden, b.refuse(p.charges[i:])
		}
	}
	for i := range p.charges {
		c := &p.charges[i]
		b := in.books[c.quota]
		b.used[c.limit] = plus(b.used[c.limit], c.amount)
		if !b.dirty {
			b.dirty = true
			a.dirty = append(a.dirty, b)
		}
	}
	return 0, ""
}

// refuse says why charges can't be made, the first of which is too much for b.
func (b *book) refuse(charges []charge) string {
	var limits []excess
	for _, c := range charges {
		if c.quota != charges[0].quota {
			break
		}
		limit := b.quota.Enforced[c.limit]
		if plus(b.used[c.limit], c.amount) > limit.Amount {
			limits = append(limits, excess{limit.Name, c.amount, b.used[c.limit], limit.Amount})
		}
	}
	return exceeds(b.quota.Name, limits)
}

// Charged implements cluster/sim.Admission.
func (a *Admission) Charged(_ *cluster.State, to []cluster.Object) []cluster.Object {
	for _, b := range a.dirty {
		b.dirty = false
		next := *b.quota
		used := amounts(slices.Clone(b.quota.Used))
		for i, l := range b.quota.Enforced {
			if i < len(used) && used[i].Name == l.Name { // as it usually is
				used[i].Amount = b.used[i]
			} else if _, ok := find(used, l.Name); ok || b.used[i] != 0 {
				used.set(l.Name, b.used[i])
			}
		}
		next.Used = used
		b.quota = &next
		to = append(to, &next)
		a.sent++
	}
	a.dirty = a.dirty[:0]
	return to
}

// price returns what a pod takes of the quotas of its namespace.
func (a *Admission) price(in *space, namespace string, spec *cluster.PodSpec) *price {
	account := spec.Account
	if account != nil {
		if p := in.accounts[account]; p != nil {
			return p
		}
	} else {
		if p := in.classes[spec.Class]; p != nil {
			return p
		}
		account = AccountOf(spec.Class)
	}
	if len(in.accounts)+len(in.classes) >= mostPrices {
		in.forget()
	}
	for i, b := range in.books {
		in.quotas[i] = b.quota
	}
	r := Request{Object: Object{Resource: Pods, Namespace: namespace, Name: spec.Name, Pod: &Pod{Account: account}}}
	p := &price{}
	p.charges, p.code, p.reason = r.price(in.quotas, a.Limited)
	if spec.Account != nil {
		in.accounts[account] = p
	} else {
		in.classes[spec.Class] = p
	}
	return p
}

func (in *space) forget() {
	clear(in.accounts)
	clear(in.classes)
}

// space returns that of a namespace.
func (a *Admission) space(namespace string) *space {
	in := a.spaces[namespace]
	if in == nil {
		in = &space{accounts: map[*cluster.Account]*price{}, classes: map[*cluster.Class]*price{}}
		a.spaces[namespace] = in
	}
	return in
}

// follow takes in what State's quotas have become. If only those were set that Charged has
// returned, nothing is news.
func (a *Admission) follow(s *cluster.State) {
	if a.known && a.epoch == s.Quotas.Epoch {
		return
	}
	if a.known && a.epoch+a.sent == s.Quotas.Epoch {
		a.epoch, a.sent = s.Quotas.Epoch, 0
		return
	}
	at, same := 0, a.known
	for q := range s.Quotas.All() {
		if at == len(a.books) || !a.books[at].follow(q) {
			same = false
			break
		}
		at++
	}
	if !same || at != len(a.books) {
		a.rebuild(s)
	}
	a.known, a.epoch, a.sent = true, s.Quotas.Epoch, 0
}

// follow has b be about what its quota has become. It reports false if q is another.
func (b *book) follow(q *cluster.ResourceQuota) bool {
	was := b.quota
	if was == q {
		return true
	}
	if was.Name != q.Name || was.Namespace != q.Namespace {
		return false
	}
	b.quota = q
	if !sameNames(was.Enforced, q.Enforced) || !sameNames(was.Used, q.Used) || !sameScopes(was.Scopes, q.Scopes) {
		b.space.forget()
	}
	b.load()
	return true
}

// load takes what is used from the quota's status.
func (b *book) load() {
	b.used = slices.Grow(b.used[:0], len(b.quota.Enforced))
	for _, l := range b.quota.Enforced {
		used, _ := find(b.quota.Used, l.Name)
		b.used = append(b.used, used)
	}
}

// rebuild starts anew, as quotas have come or gone.
func (a *Admission) rebuild(s *cluster.State) {
	a.books, a.spaces, a.dirty = a.books[:0], map[string]*space{}, a.dirty[:0]
	for q := range s.Quotas.All() {
		b := &book{quota: q, space: a.space(q.Namespace)}
		b.load()
		a.books = append(a.books, b)
		b.space.books = append(b.space.books, b)
		b.space.quotas = append(b.space.quotas, q)
	}
}

func sameScopes(a, b []cluster.ScopeRequirement) bool {
	return slices.EqualFunc(a, b, func(x, y cluster.ScopeRequirement) bool {
		return x.Scope == y.Scope && x.Operator == y.Operator && slices.Equal(x.Values, y.Values)
	})
}
