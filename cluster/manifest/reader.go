package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
	"github.com/berthsim/berth/quota"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A place is a line of a file.
type place struct {
	file string
	line int
}

// A reader takes in objects, and knows the cluster once it has them all.
type reader struct {
	out        Cluster
	decoder    decoder
	seen       map[string]place // objects, by kind, namespace and name
	skipped    map[string]int
	counted    map[string]bool // those of skipped
	nodes      map[string]bool
	namespaces map[string]bool // with an object
	budgets    []budgetRest
	cut        bool // the last error is that what there is of a file ends too early

	convert          Converter // of pods that are complete
	fresh, undecided memory    // pods that are not
	pods             []podRest // for each of out.Pods

	ranges          []*quota.LimitRange
	priorities      []quota.PriorityClass
	runtimes        []*quota.RuntimeClass
	unknownRuntimes map[string]bool
	extended        map[string]string // resources, by the device class that stands for them
}

// budgetRest is what of a budget has to wait until all objects are read.
type budgetRest struct {
	budget *cluster.DisruptionBudget
	since  map[string]metav1.Time // when its disruptedPods were disrupted
}

func newReader() *reader {
	return &reader{
		seen: map[string]place{}, skipped: map[string]int{},
		nodes: map[string]bool{}, namespaces: map[string]bool{}, counted: map[string]bool{},
		unknownRuntimes: map[string]bool{}, extended: map[string]string{},
	}
}

// object reads an object at an offset, and returns where it ends.
func (r *reader) object(src *source, start int, h head) (end int, err error) {
	if h.kind == "" || h.apiVersion == "" {
		err := wrong("an object has no apiVersion or no kind", "write both: apiVersion: v1, kind: Pod")
		return 0, r.fail(src, start, "", err)
	}
	switch h.apiVersion + " " + h.kind {
	case "v1 Pod":
		return read(r, src, start, h, r.pod)
	case "v1 Node":
		return read(r, src, start, h, r.node)
	case "v1 Namespace":
		return read(r, src, start, h, func(o *v1.Namespace, _ place) error {
			r.namespaces[o.Name] = true
			return r.add(Namespace(o), nil)
		})
	case "v1 Service":
		return read(r, src, start, h, func(o *v1.Service, _ place) error { return r.add(Service(o), nil) })
	case "v1 ReplicationController":
		return read(r, src, start, h, func(o *v1.ReplicationController, _ place) error { return r.add(ReplicationController(o), nil) })
	case "apps/v1 ReplicaSet":
		return read(r, src, start, h, func(o *appsv1.ReplicaSet, _ place) error { return added(r, o, ReplicaSet) })
	case "apps/v1 Deployment":
		return read(r, src, start, h, func(o *appsv1.Deployment, _ place) error { return added(r, o, Deployment) })
	case "apps/v1 StatefulSet":
		return read(r, src, start, h, func(o *appsv1.StatefulSet, _ place) error { return added(r, o, StatefulSet) })
	case "policy/v1 PodDisruptionBudget":
		return read(r, src, start, h, r.budget)
	}
	if end, ok, err := r.forAdmission(src, start, h); ok {
		return end, err
	}
	return r.skip(src, start, h)
}

// An object is a pointer to one of Kubernetes' types.
type object[T any] interface {
	*T
	metav1.Object
}

// clusterScoped are the kinds that are in no namespace.
var clusterScoped = []string{"Node", "Namespace", "PriorityClass", "RuntimeClass", "DeviceClass"}

// read decodes the object at an offset, completes it as the API server would, and
// gives it to take.
func read[T any, O object[T]](r *reader, src *source, start int, h head, take func(O, place) error) (end int, err error) {
	o := O(new(T))
	end, err = r.decoder.decode(src.data, start, o)
	if err != nil {
		return 0, r.fail(src, start, h.kind, err)
	}
	name := o.GetName()
	if name == "" {
		err := in(wrong("is missing", "give the object a name; no API server makes one of generateName here"), "metadata", "name")
		return 0, r.fail(src, start, h.kind, err)
	}
	switch {
	case slices.Contains(clusterScoped, h.kind):
		o.SetNamespace("")
	case o.GetNamespace() == "":
		o.SetNamespace(metav1.NamespaceDefault)
	}
	what := h.kind + " " + strings.TrimPrefix(o.GetNamespace()+"/"+name, "/")
	at := place{src.file, src.line(start)}
	if first, ok := r.seen[what]; ok {
		where := fmt.Sprintf("%s:%d", printable(first.file), first.line)
		return 0, r.fail(src, start, what, wrong("is there already, at "+where, "remove one of the two"))
	}
	r.seen[what] = at
	Default(o)
	err = take(o, at)
	if err == nil {
		err = r.count(h, o)
	}
	if err != nil {
		return 0, r.fail(src, start, what, err)
	}
	return end, nil
}

// added converts an object and adds the result.
func added[From any, To cluster.Object](r *reader, o From, convert func(From) (To, error)) error {
	to, err := convert(o)
	return r.add(to, err)
}

func (r *reader) add(o cluster.Object, err error) error {
	if err == nil {
		r.out.Objects = append(r.out.Objects, o)
	}
	return err
}

func (r *reader) node(n *v1.Node, at place) error {
	spec, err := Node(n)
	if err != nil {
		return err
	}
	if spec.Capacity.Get(cluster.PodSlots) == 0 {
		r.warn(at, "Node "+n.Name+" has room for no pods", "add pods to its status.allocatable, for example pods: 110")
	}
	r.nodes[n.Name] = true
	r.later(n.CreationTimestamp.Time)
	r.out.Nodes = append(r.out.Nodes, spec)
	return nil
}

// budget takes in a budget, but for when its pods were disrupted.
func (r *reader) budget(b *policyv1.PodDisruptionBudget, _ place) error {
	to, err := PodDisruptionBudget(b, r.out.Epoch)
	if err != nil {
		return err
	}
	for _, name := range to.Disrupted {
		r.later(b.Status.DisruptedPods[name].Time)
	}
	r.budgets = append(r.budgets, budgetRest{to, b.Status.DisruptedPods})
	return r.add(to, nil)
}

// later moves the epoch to t if that is later.
func (r *reader) later(t time.Time) {
	if t.After(r.out.Epoch) {
		r.out.Epoch = t.UTC()
	}
}

// fail says where in a file an error is. What names the object.
func (r *reader) fail(src *source, start int, what string, err error) error {
	var done *Error
	if errors.As(err, &done) {
		return err
	}
	var wrong *FieldError
	if !errors.As(err, &wrong) {
		wrong = &FieldError{Problem: oneLine(err), Remedy: "correct it"}
	}
	r.cut = wrong.cut
	offset := wrong.offset - 1
	if offset < 0 {
		offset = start + locate(src.data[start:], wrong.Path)
	}
	problem := wrong.problem()
	switch {
	case what == "":
	case len(wrong.Path) == 0 && wrong.predicate():
		problem = printable(what) + " " + problem
	default:
		problem = printable(what) + ": " + problem
	}
	return &Error{File: src.file, Line: src.line(offset), Problem: problem, Remedy: wrong.Remedy}
}

// printable returns a text that stays on one line.
func printable(text string) string { return oneLine(errors.New(text)) }

func (r *reader) warn(at place, problem, remedy string) {
	r.out.Warnings = append(r.out.Warnings, &Error{File: at.file, Line: at.line, Problem: printable(problem), Remedy: remedy})
}

// finish does what can only be done once all objects are known.
func (r *reader) finish() (*Cluster, error) {
	r.out.Plugins = quota.NewPlugins(r.ranges, r.priorities, r.runtimes)
	if err := r.admit(); err != nil {
		return nil, err
	}
	r.nameExtended()
	for i, p := range r.out.Pods {
		if !r.pods[i].started.IsZero() {
			started := cluster.Time(r.pods[i].started.Sub(r.out.Epoch))
			p.Started = &started
		}
	}
	for _, rest := range r.budgets {
		for i, name := range rest.budget.Disrupted {
			rest.budget.DisruptedAt[i] = cluster.Time(rest.since[name].Sub(r.out.Epoch))
		}
	}
	r.addNamespaces()
	r.warnOfNodes()
	for _, name := range slices.Sorted(maps.Keys(r.skipped)) {
		r.out.Skipped = append(r.out.Skipped, Skipped{name, r.skipped[name]})
	}
	return &r.out, nil
}

// addNamespaces adds the namespaces that pods are in and no object describes, with
// the label that the API server gives to all. There are no pods without one.
func (r *reader) addNamespaces() {
	for _, p := range r.out.Pods {
		name := p.Class.Namespace
		if r.namespaces[name] {
			continue
		}
		r.namespaces[name] = true
		ns := &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		Default(ns)
		r.out.Objects = append(r.out.Objects, Namespace(ns))
	}
}

// warnOfNodes warns of pods on nodes that are not there.
func (r *reader) warnOfNodes() {
	pods := map[string]int{}
	var order []int // the first pod of each node
	for i, p := range r.out.Pods {
		if p.On == "" || r.nodes[p.On] {
			continue
		}
		if pods[p.On] == 0 {
			order = append(order, i)
		}
		pods[p.On]++
	}
	for _, i := range order {
		p := r.out.Pods[i]
		what := "Pod " + p.Class.Namespace + "/" + p.Name
		if others := pods[p.On] - 1; others > 0 {
			what += fmt.Sprintf(", and %d more,", others)
		}
		r.warn(r.pods[i].place, what+" is on node "+input.Quoted(p.On)+", which is not given", "add the node, or the pod counts nowhere")
	}
}
