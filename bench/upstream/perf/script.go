package perf

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/berthsim/berth/cluster/manifest"
)

// Pace is the time from one pod to the next, for what happens so many times a second.
const Pace = 2 * time.Millisecond

// A Script is a workload, step by step. Its objects belong to it; players must not change them.
type Script struct {
	Title    string // of the workload
	Nodes    int    // that there are when measuring begins
	Measured int    // pods that are counted

	steps []step
	pods  []*v1.Pod // by number
}

// A step is something that happens to a cluster.
type step struct {
	kind    kind
	object  runtime.Object
	pod     int // number of a pod that comes or goes
	at      time.Duration
	timed   bool
	counted bool // the pod is one of those that are counted
}

type kind uint8

const (
	added kind = iota
	removed
)

// Script makes the workload's script, with at most so many measured pods if that isn't 0.
func (w *Workload) Script(limit int) (*Script, error) {
	if err := firstOf(w.Case.err, w.err, w.gated()); err != nil {
		return nil, err
	}
	b := &builder{
		w: w, limit: limit, params: &params{w: w, used: map[string]bool{}}, script: &Script{Title: w.Title()},
		serial: map[string]int{}, taken: map[string]bool{}, namespaces: map[string][]int{}, moulds: map[string]*mould{},
	}
	for i, n := range w.Case.ops {
		if err := b.operation(i, n); err != nil {
			return nil, err
		}
	}
	return b.script, b.params.unused()
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A builder makes a script.
type builder struct {
	w      *Workload
	limit  int
	params *params
	script *Script

	now        time.Duration
	timed      bool
	serial     map[string]int    // next number of a name that is generated, by what it begins with
	taken      map[string]bool   // names, by kind
	namespaces map[string][]int  // numbers of the pods in each that there is
	moulds     map[string]*mould // by path
	background []*background
}

// operation adds the steps of the i-th operation.
func (b *builder) operation(i int, n *yaml.Node) error {
	f := newFields(b.w.Case.file, n)
	namespace := fmt.Sprintf("namespace-%d", i)
	switch opcode := f.text("opcode"); opcode {
	case "createNodes":
		b.createNodes(f)
	case "createNamespaces":
		b.createNamespaces(f)
	case "createPods":
		b.createPods(f, namespace)
	case "createPodSets":
		b.createPodSets(f)
	case "createAny":
		b.createAny(f)
	case "deletePods":
		b.deletePods(f)
	case "churn":
		b.churn(f, namespace)
	case "barrier":
		b.barrier(f)
	case "sleep":
		b.sleep(f)
	case "startCollectingMetrics", "stopCollectingMetrics":
		f.fail(f.line, "%s measures pods that wait until something helps them, and upstream's queue isn't played", opcode)
	default:
		f.fail(f.line, "operation %s isn't supported", opcode)
	}
	return f.done()
}

// mould returns that of the template that a field names, or the one for plain objects.
func (b *builder) mould(f *fields, field, path, plain string) *mould {
	m := b.moulds[path+plain]
	if m == nil {
		var err error
		if m, err = newMould(b.w.Case.dir, path, plain); err != nil {
			f.fail(f.at(field), "%v", err)
			return nil
		}
		b.moulds[path+plain] = m
	}
	return m
}

// create makes an object and adds it, with what the API server would give it.
func (b *builder) create(f *fields, field string, m *mould, namespace string, index, count int, change func(metav1.Object)) *step {
	if f.err != nil {
		return nil
	}
	obj, err := m.make(index, count)
	if err != nil {
		f.fail(f.at(field), "%v", err)
		return nil
	}
	meta := obj.(metav1.Object)
	if _, ok := obj.(*v1.Node); !ok {
		meta.SetNamespace(namespace)
	}
	b.name(f, field, obj, meta)
	if change != nil {
		change(meta)
	}
	return b.add(obj)
}

// name gives an object a name and an identity.
func (b *builder) name(f *fields, field string, obj runtime.Object, meta metav1.Object) {
	if prefix := meta.GetGenerateName(); meta.GetName() == "" {
		meta.SetName(fmt.Sprintf("%s%05d", prefix, b.serial[prefix]))
		b.serial[prefix]++
	}
	id := fmt.Sprintf("%T %s/%s", obj, meta.GetNamespace(), meta.GetName())
	if b.taken[id] {
		f.fail(f.at(field), "the name %s is taken", meta.GetName())
	}
	b.taken[id] = true
	meta.SetUID(types.UID(id))
}

// add adds a step for an object that comes.
func (b *builder) add(obj runtime.Object) *step {
	s := step{kind: added, object: obj, at: b.now, timed: b.timed}
	switch obj := obj.(type) {
	case *v1.Node:
		if obj.Labels == nil {
			obj.Labels = map[string]string{}
		}
		obj.Labels[v1.LabelHostname] = obj.Name
		if !b.timed {
			b.script.Nodes++
		}
	case *v1.Pod:
		obj.Spec.SchedulerName = v1.DefaultSchedulerName
		s.pod = len(b.script.pods)
		b.script.pods = append(b.script.pods, obj)
		b.namespaces[obj.Namespace] = append(b.namespaces[obj.Namespace], s.pod)
	}
	manifest.Default(obj)
	b.script.steps = append(b.script.steps, s)
	return &b.script.steps[len(b.script.steps)-1]
}

// remove adds a step for an object that goes.
func (b *builder) remove(s step) {
	s.kind, s.at, s.timed, s.counted = removed, b.now, b.timed, false
	b.script.steps = append(b.script.steps, s)
}

// namespace adds a namespace if there is none of the name.
func (b *builder) namespace(name string, labels map[string]string) {
	if _, ok := b.namespaces[name]; ok {
		return
	}
	b.namespaces[name] = nil
	b.add(&v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}})
}
