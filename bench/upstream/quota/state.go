package quota

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// inState is Berth's fast admission of pods, and its quota controller, over a State that has pods and
// those quotas that only pods are charged to. A State forgets a pod when it has run to its end, not when
// the object is gone; what depends on that isn't compared.
type inState struct {
	us         *ours
	off        bool // the story has more than a simulator can do
	s          *cluster.State
	admission  berth.Admission
	controller *berth.Controller
	pods       map[string]cluster.PodID // by namespace and name
	accounts   map[string]*cluster.Account
	classes    map[string]*cluster.Class
	ended      bool            // some pods have run to their end
	blurred    map[string]bool // namespaces in which Berth looked when upstream didn't
}

func newInState(us *ours) *inState {
	st := &inState{
		us: us, s: cluster.NewState(), controller: berth.NewController(berth.ControllerOptions{}),
		pods: map[string]cluster.PodID{}, accounts: map[string]*cluster.Account{}, classes: map[string]*cluster.Class{}, blurred: map[string]bool{},
	}
	st.happens(cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: nodeName}})
	return st
}

// happens has the State and the controller take in what happens now.
func (st *inState) happens(events ...cluster.Event) []cluster.Event {
	now := cluster.Time(time.Since(epoch))
	events = slices.DeleteFunc(events, func(e cluster.Event) bool { return !st.us.wrong.heard(&e) })
	for i := range events {
		events[i].Time = now
	}
	st.s.Observe(now, events)
	st.controller.Step(st.s, events)
	st.s.TakeDecisions()
	return events
}

// pass has the controller look at all quotas.
func (st *inState) pass() {
	st.happens()
	clear(st.blurred)
}

func (st *inState) settle() { st.happens() }

// ofPods reports whether only pods are charged to a quota, of what a State knows.
func (st *inState) ofPods(q *cluster.ResourceQuota) bool {
	return !slices.ContainsFunc(q.Hard, func(l cluster.NamedAmount) bool {
		return !slices.Contains(podHard, l.Name) || l.Name == "count/pods" && st.ended ||
			strings.HasPrefix(l.Name, "requests.example.com") || strings.HasPrefix(l.Name, "requests.deviceclass")
	})
}

// status returns what a quota's status says, if it is one of those that State has.
func (st *inState) status(key string) (text string, ok bool) {
	q := st.us.quotas[key]
	if st.off || q == nil || !st.ofPods(q) || st.blurred[q.Namespace] {
		return "", false
	}
	return statusText(st.s.Quotas.Get(q.Namespace, q.Name)), true
}

// account returns an account that all pods share that are alike.
func (st *inState) account(a *cluster.Account) *cluster.Account {
	key := fmt.Sprintf("%+v %+v", *a, a.Whole)
	if a.Whole != nil {
		key = fmt.Sprintf("%+v %+v", *a.Whole, key[:strings.Index(key, "Whole:")])
		key += fmt.Sprint(a.Overhead, a.Deadline, a.PriorityClass, a.OtherNamespaces, a.ResizeInfeasible, a.Grace)
	}
	if st.accounts[key] == nil {
		st.accounts[key] = a
	}
	return st.accounts[key]
}

func (st *inState) spec(p *v1.Pod, a *cluster.Account) *cluster.PodSpec {
	class := st.classes[p.Namespace]
	if class == nil {
		class = &cluster.Class{Namespace: p.Namespace}
		st.classes[p.Namespace] = class
	}
	return &cluster.PodSpec{Name: p.Name, Class: class, Account: st.account(a), On: nodeName, Run: cluster.Never, Terminating: p.DeletionTimestamp != nil}
}

// ask asks the fast admission for a pod, if no other quota stands in the way, and returns how its answer
// differs.
func (st *inState) ask(q *request, theirs answer) (difference string) {
	if st.off || q.resource != "pods" || q.old != nil {
		return ""
	}
	namespace, _ := q.names()
	if st.blurred[namespace] {
		st.off = true // from here on
		return ""
	}
	broken := strings.Contains(theirs.Message, " usage per ") || strings.Contains(theirs.Message, " ratio per ")
	if theirs.Code != http.StatusOK && !broken && !st.known(namespace, theirs.Message) {
		return ""
	}
	spec := st.spec(q.new.(*v1.Pod), &st.us.filled.Account)
	_, _, slow := berth.Check(st.of(namespace), &berth.Request{Object: berth.Object{Resource: "pods", Namespace: namespace, Name: spec.Name, Pod: &berth.Pod{Account: spec.Account}}}, nil)
	if broken {
		slow = theirs.Message
	}
	st.admission.Validate = st.us.plugins().Exceeds
	code, reason := st.admission.Admit(st.s, spec)
	ours := answer{Code: int32(code), Message: reason}
	if reason == "" {
		ours.Code = http.StatusOK
	}
	if ours.Code != theirs.Code || normal(ours.Message) != normal(slow) {
		return fmt.Sprintf("\n  upstream               %d %s\n  berth's fast admission %d %s\n           slow                %s", theirs.Code, theirs.Message, ours.Code, ours.Message, slow)
	}
	return ""
}

// of returns a namespace's quotas as the fast admission sees them: in the order in which they came, so that
// another may be the first to refuse than by name.
func (st *inState) of(namespace string) (list []*cluster.ResourceQuota) {
	for q := range st.s.Quotas.All() {
		if q.Namespace == namespace {
			list = append(list, q)
		}
	}
	return list
}

// known reports whether a refusal is that of a quota that State has.
func (st *inState) known(namespace, message string) bool {
	for _, prefix := range []string{"exceeded quota: ", "failed quota: ", "status unknown for quota: "} {
		if after, ok := strings.CutPrefix(message, prefix); ok {
			name := after[:strings.IndexAny(after, ",:")]
			q := st.us.quotas[namespace+"/"+name]
			return q != nil && st.ofPods(q)
		}
	}
	return false
}

// put takes in that an object has been made, or has changed.
func (st *inState) put(q *request, is metav1.Object) {
	if st.off {
		return
	}
	events := st.charged(q)
	switch o := is.(type) {
	case *v1.ResourceQuota:
		mine := st.us.quotas[o.Namespace+"/"+o.Name]
		if q.subresource == "status" && (mine.Enforced == nil || mine.Used == nil) {
			st.off = true // to Berth it looks as if the quota were new
			return
		}
		if st.ofPods(mine) {
			same := *mine
			events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: &same})
		} else if was := st.s.Quotas.Get(o.Namespace, o.Name); was != nil {
			events = append(events, cluster.Event{Kind: cluster.ObjectRemoved, Object: was})
		}
	case *v1.Pod:
		events = append(events, st.podEvents(q, o)...)
	}
	for _, e := range st.happens(events...) {
		if e.Kind == cluster.PodAdded {
			st.pods[is.GetNamespace()+"/"+is.GetName()] = e.Pod
		}
	}
}

// charged returns the quotas as they are after a request that was granted.
func (st *inState) charged(q *request) (events []cluster.Event) {
	for _, o := range st.admission.Charged(st.s, nil) {
		events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: o})
	}
	if q.resource != "pods" || q.old == nil {
		return events
	}
	namespace, _ := q.names()
	for _, x := range st.us.of(namespace) { // the fast admission is only asked about new pods
		if was := st.s.Quotas.Get(x.Namespace, x.Name); was != nil && named(was.Used) != named(x.Used) {
			same := *x
			events = append(events, cluster.Event{Kind: cluster.ObjectSet, Object: &same})
		}
	}
	return events
}

// podEvents returns what happens to a pod.
func (st *inState) podEvents(q *request, is *v1.Pod) (events []cluster.Event) {
	key := is.Namespace + "/" + is.Name
	x := st.us.conv.object("pods", is).Pod
	row, there := st.pods[key]
	switch {
	case q.old == nil:
		return []cluster.Event{{Kind: cluster.PodAdded, PodSpec: st.spec(is, x.Account)}}
	case !there: // it has run to its end
		return nil
	case x.Ended:
		delete(st.pods, key)
		st.ended = true
		st.drop()
		if x.Overdue {
			st.blurred[is.Namespace] = true
		}
		return []cluster.Event{{Kind: cluster.PodEnded, Pod: row}}
	}
	if q.subresource == "status" && changes(version("pods"), q.old, is) != regiven(st.us.conv.object("pods", q.old).Pod.Account, x.Account) {
		st.blurred[is.Namespace] = true // an account doesn't say whether a container has a status at all
	}
	return []cluster.Event{{Kind: cluster.PodChanged, Pod: row, PodSpec: st.spec(is, x.Account)}}
}

// regiven reports whether containers have been given something else.
func regiven(was, is *cluster.Account) bool {
	same := func(a, b cluster.Container) bool {
		return named(a.GivenRequests) == named(b.GivenRequests) && named(a.GivenLimits) == named(b.GivenLimits) && (a.GivenRequests == nil) == (b.GivenRequests == nil)
	}
	return !slices.EqualFunc(was.Containers, is.Containers, same) || !slices.EqualFunc(was.InitContainers, is.InitContainers, same)
}

// drop takes those quotas out of State that no longer are its.
func (st *inState) drop() {
	var events []cluster.Event
	for q := range st.s.Quotas.All() {
		if !st.ofPods(q) {
			events = append(events, cluster.Event{Kind: cluster.ObjectRemoved, Object: q})
		}
	}
	if len(events) > 0 {
		st.happens(events...)
	}
}

func (st *inState) tell(is *v1.Pod) {
	if row, ok := st.pods[is.Namespace+"/"+is.Name]; ok && !st.off {
		st.happens(cluster.Event{Kind: cluster.PodTold, Pod: row})
	}
}

// gone takes in that an object isn't there any more. That one is gone that had run to its end has upstream
// look at quotas, too.
func (st *inState) gone(resource string, o metav1.Object) {
	key := o.GetNamespace() + "/" + o.GetName()
	switch {
	case st.off:
	case resource == "resourcequotas":
		if q := st.s.Quotas.Get(o.GetNamespace(), o.GetName()); q != nil {
			st.happens(cluster.Event{Kind: cluster.ObjectRemoved, Object: q})
		}
	case resource == "pods":
		row, ok := st.pods[key]
		if !ok {
			added := st.happens(cluster.Event{Kind: cluster.PodAdded, PodSpec: st.spec(o.(*v1.Pod), &cluster.Account{})})
			row = added[0].Pod
		}
		delete(st.pods, key)
		st.happens(cluster.Event{Kind: cluster.PodEnded, Pod: row})
	}
}
