package manifest

import (
	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A memory remembers pods that were converted, so that one like them gets its
// class without being converted: most pods of a cluster are copies of few. The
// zero value is ready for use.
type memory struct {
	last  *remembered // the last that was wanted
	pods  map[outline][]*remembered
	count int
}

// How much is remembered. Beyond mostAlike, of pods with one outline the one that
// was remembered first gives way: those of a DaemonSet differ from each other by
// their node. Beyond mostPods, all are forgotten.
const (
	mostPods  = 4096
	mostAlike = 4
)

// remembered is a pod and what became of it.
type remembered struct {
	excerpt
	class   *cluster.Class
	account *cluster.Account
	labels  cluster.Labels // of the last pod that was like it
}

// An outline says of a pod what is quick to tell and tells most pods apart that
// have different classes.
type outline struct {
	namespace, owner, image string
	cpu, memory             int64 // of the first container
	priority                int32
	onNode                  bool
}

func outlineOf(p *v1.Pod) outline {
	o := outline{namespace: p.Namespace, onNode: p.Spec.NodeName != ""}
	if ref := metav1.GetControllerOfNoCopy(p); ref != nil {
		o.owner = ref.Name
	}
	if p.Spec.Priority != nil {
		o.priority = *p.Spec.Priority
	}
	if len(p.Spec.Containers) > 0 {
		c := &p.Spec.Containers[0]
		o.image = c.Image
		if q, ok := c.Resources.Requests[v1.ResourceCPU]; ok {
			o.cpu = q.MilliValue()
		}
		if q, ok := c.Resources.Requests[v1.ResourceMemory]; ok {
			o.memory = q.Value()
		}
	}
	return o
}

// recall returns the remembered pod whose class and account p's are, nil if there is none.
func (m *memory) recall(p *v1.Pod) *remembered {
	if m.last != nil && m.last.like(p) {
		return m.last
	}
	for _, r := range m.pods[outlineOf(p)] {
		if r.like(p) {
			m.last = r
			return r
		}
	}
	return nil
}

// remember adds a pod's excerpt, its class and its account.
func (m *memory) remember(e excerpt, class *cluster.Class, account *cluster.Account) *remembered {
	if m.count == mostPods || m.pods == nil {
		m.pods, m.count = map[outline][]*remembered{}, 0
	}
	m.last = &remembered{excerpt: e, class: class, account: account}
	key := outlineOf(e.pod)
	alike := m.pods[key]
	if len(alike) == mostAlike {
		copy(alike, alike[1:])
		alike[mostAlike-1] = m.last
		return m.last
	}
	m.pods[key] = append(alike, m.last)
	m.count++
	return m.last
}

// labelsOf converts the labels of a pod of r's class. Pods of a class mostly have
// the same keys, so that these need not be sorted, and often the same values.
func (r *remembered) labelsOf(from map[string]string) cluster.Labels {
	if len(from) != len(r.labels) {
		r.labels = cluster.MakeLabels(from)
		return r.labels
	}
	to := r.labels
	for i := range r.labels {
		was := &r.labels[i]
		value, ok := from[was.Key]
		switch {
		case !ok:
			r.labels = cluster.MakeLabels(from)
			return r.labels
		case value == was.Value:
			continue
		case &to[0] == &r.labels[0]:
			to = make(cluster.Labels, len(r.labels))
			copy(to, r.labels)
		}
		to[i].Value = value
	}
	r.labels = to
	return to
}
