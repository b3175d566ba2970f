package quota

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// ours is Berth's admission and quotas.
type ours struct {
	quotas     map[string]*cluster.ResourceQuota // by namespace and name
	ranges     map[string]*berth.LimitRange
	priorities map[string]berth.PriorityClass
	runtimes   map[string]*berth.RuntimeClass
	filled     *berth.NewPod // what was made of the pod last asked for
	book       *book
	conv       *converted
	wrong      mistake
}

func newOurs(wrong mistake) *ours {
	return &ours{
		quotas: map[string]*cluster.ResourceQuota{}, ranges: map[string]*berth.LimitRange{},
		priorities: map[string]berth.PriorityClass{}, runtimes: map[string]*berth.RuntimeClass{}, book: newBook(), conv: newConverted(), wrong: wrong,
	}
}

func (b *ours) unset(resource, namespace, name string) {
	if resource == "limitranges" {
		delete(b.ranges, namespace+"/"+name)
	}
}

// plugins returns the admission plugins but for quotas.
func (b *ours) plugins() *berth.Plugins {
	var ranges []*berth.LimitRange
	var priorities []berth.PriorityClass
	var runtimes []*berth.RuntimeClass
	for _, key := range slices.Sorted(maps.Keys(b.ranges)) {
		r := *b.ranges[key]
		b.wrong.limitRange(&r)
		ranges = append(ranges, &r)
	}
	for _, key := range slices.Sorted(maps.Keys(b.priorities)) {
		c := b.priorities[key]
		b.wrong.priority(&c)
		priorities = append(priorities, c)
	}
	for _, key := range slices.Sorted(maps.Keys(b.runtimes)) {
		c := *b.runtimes[key]
		b.wrong.runtime(&c)
		runtimes = append(runtimes, &c)
	}
	return berth.NewPlugins(ranges, priorities, runtimes)
}

// ask asks for something.
func (b *ours) ask(r *request) answer {
	b.filled = nil
	req := &berth.Request{Operation: berth.Update, Subresource: r.subresource, Object: *b.conv.object(r.resource, r.new)}
	if r.old == nil {
		req.Operation = berth.Create
	} else {
		req.Old = b.conv.object(r.resource, r.old)
	}
	if a := b.before(r, req); a.Code != http.StatusOK {
		return a
	}
	return b.charge(req)
}

// before is what comes before quotas: the plugins that change a request, and those that only look at it.
func (b *ours) before(r *request, req *berth.Request) answer {
	plugins := b.plugins()
	switch o := r.new.(type) {
	case *v1.Pod:
		p := newPod(o)
		var err error
		switch {
		case r.old == nil:
			p = newPod(r.raw)
			b.wrong.asked(p)
			b.filled = p
			if err = plugins.Mutate(p); err == nil {
				b.wrong.filled(p)
				err = plugins.Validate(p)
			}
		case r.subresource == "resize" && r.old.GetDeletionTimestamp() == nil:
			err = plugins.Resize(p)
		}
		if r.subresource == "resize" && berth.QOS(&p.Account) != berth.QOS(b.conv.account(r.old.(*v1.Pod))) {
			return answer{Code: http.StatusUnprocessableEntity}
		}
		req.Object.Pod.Account = &p.Account
		return refused(err)
	case *v1.PersistentVolumeClaim:
		if r.subresource == "" {
			return refused(plugins.ValidateClaim(o.Namespace, o.Name, req.Object.Claim))
		}
	case *v1.ResourceQuota:
		if q := quotaOf(o); r.subresource == "" && (q == nil || berth.Validate(q) != nil) {
			return answer{Code: http.StatusUnprocessableEntity}
		}
	}
	return answer{Code: http.StatusOK}
}

func refused(err error) answer {
	if err == nil {
		return answer{Code: http.StatusOK}
	}
	no := err.(*berth.Refusal)
	text := no.Reason
	if _, after, ok := strings.Cut(text, " is forbidden: "); ok {
		text = after
	}
	return answer{Code: int32(no.Code), Message: text}
}

// of returns a namespace's quotas, by name.
func (b *ours) of(namespace string) (list []*cluster.ResourceQuota) {
	for _, key := range slices.Sorted(maps.Keys(b.quotas)) {
		if q := b.quotas[key]; q.Namespace == namespace {
			list = append(list, b.wrong.quota(q))
		}
	}
	return list
}

// charge asks quotas, and charges them.
func (b *ours) charge(req *berth.Request) answer {
	b.wrong.request(req)
	after, code, reason := berth.Check(b.of(req.Object.Namespace), req, nil)
	if reason != "" {
		return answer{Code: int32(code), Message: reason}
	}
	for _, q := range after {
		was := b.quotas[q.Namespace+"/"+q.Name]
		is := *was
		is.Used = q.Used
		b.wrong.charged(was, &is)
		b.quotas[q.Namespace+"/"+q.Name] = &is
	}
	return answer{Code: http.StatusOK}
}
