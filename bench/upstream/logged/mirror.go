// Package logged holds what a run decided against upstream: at each binding, kube-scheduler's own
// code is asked about the same pod in the same cluster, as the run's State had it then.
package logged

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
)

// everyNode is upstream's default configuration, but for its sampling: every node is looked at.
const everyNode = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
percentageOfNodesToScore: 100
`

// A Mirror is a cluster.Recorder that tells upstream's scheduler of what a run observes and
// decides, and asks it before each binding.
type Mirror struct {
	Bindings int        // that upstream was asked about
	Mistakes []Mismatch // those that it would not have made

	oracle *oracle.Oracle
	writer manifest.Writer
	pods   map[cluster.PodID]string // that upstream knows, by row, with their UIDs
	nodes  map[cluster.NodeID]bool
}

// A Mismatch is a binding that isn't among upstream's best.
type Mismatch struct {
	Pod, Node string
	Best      []string // upstream's, none if the pod fits nowhere
	Message   string   // upstream's, about a pod that fits nowhere
}

// String returns a sentence.
func (m Mismatch) String() string {
	if len(m.Best) == 0 {
		return fmt.Sprintf("%s was bound to %s, and upstream finds no node: %s", m.Pod, m.Node, m.Message)
	}
	return fmt.Sprintf("%s was bound to %s, and upstream's best are %s", m.Pod, m.Node, strings.Join(m.Best, ", "))
}

// NewMirror returns a Mirror of a run that has not begun. Close ends it.
func NewMirror() (*Mirror, error) {
	o, err := oracle.New(oracle.Config{Profile: []byte(everyNode), VisitedOnly: true})
	if err != nil {
		return nil, err
	}
	return &Mirror{oracle: o, pods: map[cluster.PodID]string{}, nodes: map[cluster.NodeID]bool{}}, nil
}

// Close ends what upstream's constructor has started.
func (m *Mirror) Close() { m.oracle.Close() }

// Record implements cluster.Recorder. It returns the error that upstream has with what it is told.
func (m *Mirror) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	later := map[cluster.PodID]bool{} // bound in this round, of which upstream must not know yet
	for i := range ds {
		if ds[i].Kind == cluster.Bind {
			later[ds[i].Pod] = true
		}
	}
	for i := range events {
		if err := m.event(s, &events[i], later); err != nil {
			return err
		}
	}
	for i := range ds {
		d := &ds[i]
		if d.Kind == cluster.Bind {
			delete(later, d.Pod)
			if err := m.ask(s, d); err != nil {
				return err
			}
		}
		if d.Pod != cluster.None && d.Kind != cluster.Create {
			if err := m.tellPod(s, d.Pod, later); err != nil {
				return err
			}
		}
		if d.Kind == cluster.AddTaint || d.Kind == cluster.RemoveTaint {
			if err := m.tellNode(s, d.Node); err != nil {
				return err
			}
		}
	}
	return nil
}

// event tells upstream of one.
func (m *Mirror) event(s *cluster.State, e *cluster.Event, later map[cluster.PodID]bool) error {
	switch e.Kind {
	case cluster.NodeAdded, cluster.NodeChanged:
		return m.tellNode(s, e.Node)
	case cluster.NodeRemoved:
		delete(m.nodes, e.Node)
		return m.oracle.Delete(manifest.NodeObject(e.OldNode))
	case cluster.PodEnded:
		if m.pods[e.Pod] == "" {
			return nil
		}
		delete(m.pods, e.Pod)
		return m.oracle.Delete(m.writer.Pod(s, e.Pod))
	case cluster.PodAdded, cluster.PodChanged, cluster.PodTold:
		return m.tellPod(s, e.Pod, later)
	case cluster.Rejected:
		return m.rejected(s, e, later)
	case cluster.ObjectSet:
		if ns, ok := e.Object.(*cluster.Namespace); ok {
			return m.oracle.Update(namespace(ns))
		}
	}
	return nil
}

// rejected takes a binding back.
func (m *Mirror) rejected(s *cluster.State, e *cluster.Event, later map[cluster.PodID]bool) error {
	d := &e.Decision
	if d.Kind == cluster.Bind && m.pods[d.Pod] != "" { // upstream's pods can't leave their node
		delete(m.pods, d.Pod)
		if err := m.oracle.Delete(m.writer.Pod(s, d.Pod)); err != nil {
			return err
		}
	}
	if d.Pod != cluster.None {
		return m.tellPod(s, d.Pod, later)
	}
	if d.Node != cluster.None {
		return m.tellNode(s, d.Node)
	}
	return nil
}

// tellPod tells upstream what State has of a pod now.
func (m *Mirror) tellPod(s *cluster.State, p cluster.PodID, later map[cluster.PodID]bool) error {
	if s.Pods.Phase[p] == cluster.Ended {
		return nil
	}
	pod := m.pod(s, p)
	if later[p] {
		pod = pending(pod)
	}
	known := m.pods[p] != ""
	m.pods[p] = string(pod.UID)
	if known {
		return m.oracle.Update(pod)
	}
	return m.oracle.Add(pod)
}

// pod returns what State has of a pod, as one for upstream's only profile: by which name a pod
// asks for its scheduler is no matter of where it goes.
func (m *Mirror) pod(s *cluster.State, p cluster.PodID) *v1.Pod {
	pod := *m.writer.Pod(s, p)
	pod.Spec.SchedulerName = v1.DefaultSchedulerName
	return &pod
}

// tellNode tells upstream what State has of a node now, taints that we decided on included.
func (m *Mirror) tellNode(s *cluster.State, n cluster.NodeID) error {
	spec := *s.Nodes.Spec[n]
	spec.Taints = s.Nodes.Taints[n]
	node, known := manifest.NodeObject(&spec), m.nodes[n]
	m.nodes[n] = true
	if known {
		return m.oracle.Update(node)
	}
	return m.oracle.Add(node)
}

// ask asks upstream where a pod would go that is being bound.
func (m *Mirror) ask(s *cluster.State, d *cluster.Decision) error {
	pod := pending(m.pod(s, d.Pod))
	r, err := m.oracle.Evaluate(pod)
	if err != nil {
		return fmt.Errorf("asking upstream about %s: %w", s.PodName(d.Pod), err)
	}
	m.Bindings++
	node := s.Nodes.Name[d.Node]
	if !slices.Contains(r.Best, node) {
		m.Mistakes = append(m.Mistakes, Mismatch{s.PodName(d.Pod), node, r.Best, r.Message})
	}
	return nil
}

// pending returns a pod as it was before it was bound.
func pending(p *v1.Pod) *v1.Pod {
	p = p.DeepCopy()
	p.Spec.NodeName, p.Status.Phase, p.Status.Conditions = "", v1.PodPending, nil
	return p
}

// namespace makes the object of a namespace, for selectors of namespaces by label.
func namespace(ns *cluster.Namespace) runtime.Object {
	out := &v1.Namespace{}
	out.Name = ns.Name
	out.Labels = map[string]string{}
	for _, l := range ns.Labels {
		out.Labels[l.Key] = l.Value
	}
	return out
}
