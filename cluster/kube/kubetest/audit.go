package kubetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A Request is what the audit log says of one request.
type Request struct {
	Number      uint64 // counted from 1 in the order of arrival
	Time        time.Time
	UserAgent   string
	Verb        string // as in RBAC
	Group       string // of the API; "" is core
	Resource    string
	Subresource string
	Namespace   string
	Name        string
	Code        int  // of the answer; 0 if there was none to give
	Lost        bool // the client never got the answer; Writes tell whether something was done
}

// A Write is what the audit log says of one change of an object.
type Write struct {
	Request   uint64 // the Number of the request that did it; 0 for a kubelet or a test itself
	Time      time.Time
	UserAgent string // of a kubelet: "kubelet/" and its node; of a test: "kubetest"
	Event     watch.EventType
	Resource  string
	Namespace string
	Name      string
	UID       types.UID
	OldNode   string // a pod's spec.nodeName before
	NewNode   string // and after
	Before    Object // nil if it was added; must not be changed
	After     Object // the last state of what was deleted; must not be changed
}

// String is one line: who did what.
func (w Write) String() string {
	node := ""
	if w.OldNode != w.NewNode {
		node = fmt.Sprintf(" %q → %q", w.OldNode, w.NewNode)
	}
	return fmt.Sprintf("%s %s %s %s/%s%s by %s", w.Time.UTC().Format("15:04:05.000"), w.Event, w.Resource, w.Namespace, w.Name, node, w.UserAgent)
}

// An audit log keeps all that was asked and done, in memory.
type audit struct {
	server   *Server
	mu       sync.Mutex
	requests []Request
	// The rest is under the store's lock.
	actor  string
	number uint64
	writes []Write
}

// begin notes a request, and numbers it.
func (a *audit) begin(q *request) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	q.number = uint64(len(a.requests)) + 1
	a.requests = append(a.requests, Request{
		Number: q.number, Time: q.came, UserAgent: q.http.UserAgent(), Verb: q.verb, Group: q.resource.Group,
		Resource: q.resource.Resource, Subresource: q.subresource, Namespace: q.namespace, Name: q.name,
	})
	return len(a.requests) - 1
}

// end notes how a request was answered.
func (a *audit) end(entry, code int, lost bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests[entry].Code, a.requests[entry].Lost = code, lost
}

// write notes a write, under the store's lock.
func (a *audit) write(t *table, r record) {
	w := Write{
		Request: a.number, Time: time.Now(), UserAgent: a.actor, Event: r.event, Resource: t.Resource,
		Namespace: r.key.Namespace, Name: r.key.Name, UID: r.object.GetUID(), Before: r.before, After: r.object,
	}
	if p, ok := r.before.(*corev1.Pod); ok {
		w.OldNode = p.Spec.NodeName
	}
	if p, ok := r.object.(*corev1.Pod); ok {
		w.NewNode = p.Spec.NodeName
	}
	a.writes = append(a.writes, w)
}

// Requests returns every request of a resource since New, in the order of arrival:
// discovery, /version and the like aren't among them.
func (s *Server) Requests() []Request {
	s.audit.mu.Lock()
	defer s.audit.mu.Unlock()
	return slices.Clone(s.audit.requests)
}

// Writes returns every change of an object since New, oldest first.
func (s *Server) Writes() []Write {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return slices.Clone(s.audit.writes)
}

// Bindings returns the changes that gave a pod its node or, which must never be, another one.
func (s *Server) Bindings() []Write {
	return slices.DeleteFunc(s.Writes(), func(w Write) bool { return w.OldNode == w.NewNode || w.NewNode == "" })
}

// BoundTwice describes the pods, by UID, that got a node more than once: it is empty
// unless someone erred.
func (s *Server) BoundTwice() string {
	seen := map[types.UID]Write{}
	var b strings.Builder
	for _, w := range s.Bindings() {
		if first, ok := seen[w.UID]; ok {
			fmt.Fprintf(&b, "%v\nafter %v\n", w, first)
		}
		seen[w.UID] = w
	}
	return b.String()
}
