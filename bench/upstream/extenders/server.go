// Package extenders holds Berth and upstream's scheduler, with the same extenders, against each other.
// The extenders are one server, which answers by the names that it is asked about and nothing else, so
// that both get the same answer however often they ask. It is not a good extender.
package extenders

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	extenderv1 "k8s.io/kube-scheduler/extender/v1"
)

// Server is the extenders of a scenario. It follows the cluster, to know the names of its nodes.
type Server struct {
	*httptest.Server
	Dead string // a URL at which nobody answers

	mu    sync.Mutex
	nodes map[string]bool
	seen  map[string]int // questions, by what was answered
	slow  chan struct{}  // closed when those who wait need wait no longer
}

// NewServer starts a server.
func NewServer() *Server {
	s := &Server{nodes: map[string]bool{}, seen: map[string]int{}, slow: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/{name}/{kind}/filter", handle(s, s.filter))
	mux.HandleFunc("/{name}/{kind}/prioritize", handle(s, s.prioritize))
	mux.HandleFunc("/{name}/{kind}/preempt", handle(s, s.preempt))
	s.Server = httptest.NewServer(mux)
	dead := httptest.NewServer(nil)
	s.Dead = dead.URL
	dead.Close()
	return s
}

// Close ends the server.
func (s *Server) Close() {
	close(s.slow)
	s.Server.Close()
}

// Add implements lockstep.Follower.
func (s *Server) Add(obj runtime.Object) error { return s.follow(obj, true) }

// Update implements lockstep.Follower.
func (s *Server) Update(obj runtime.Object) error { return s.follow(obj, true) }

// Delete implements lockstep.Follower.
func (s *Server) Delete(obj runtime.Object) error { return s.follow(obj, false) }

func (s *Server) follow(obj runtime.Object, there bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := obj.(*v1.Node); ok {
		s.nodes[n.Name] = true
		if !there {
			delete(s.nodes, n.Name)
		}
	}
	return nil
}

func (s *Server) count(what ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[strings.Join(what, " ")]++
}

// draw gives a number for names, below n.
func draw(n int, names ...string) int {
	h := fnv.New64a()
	for _, name := range names {
		fmt.Fprintf(h, "%s|", name)
	}
	return int(h.Sum64() >> 7 % uint64(n))
}

// handle reads a question and writes the answer; some questions get none, or a wrong one.
func handle[Q any](s *Server, answer func(name string, q *Q) (pod *v1.Pod, what string, a any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("kind") == "slow" {
			s.count(r.PathValue("kind"))
			select {
			case <-r.Context().Done():
			case <-s.slow:
			}
			return
		}
		var q Q
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			s.count("question that can't be read")
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		verb := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		pod, what, a := answer(r.PathValue("name"), &q)
		switch draw(40, verb, r.PathValue("name"), pod.Name) {
		case 0:
			s.count(verb, "status")
			w.WriteHeader(http.StatusInternalServerError)
			return
		case 1:
			s.count(verb, "no JSON")
			fmt.Fprint(w, `{"NodeNames": [`)
			return
		}
		s.count(verb, what)
		json.NewEncoder(w).Encode(a)
	}
}

// asked gives the names of the nodes that a question is about.
func asked(q *extenderv1.ExtenderArgs) (names []string) {
	if q.NodeNames != nil {
		return *q.NodeNames
	}
	for i := range q.Nodes.Items {
		names = append(names, q.Nodes.Items[i].Name)
	}
	return names
}

// filter keeps some nodes, gives reasons for others, and drops a few without one.
func (s *Server) filter(name string, q *extenderv1.ExtenderArgs) (*v1.Pod, string, any) {
	a := &extenderv1.ExtenderFilterResult{FailedNodes: extenderv1.FailedNodesMap{}, FailedAndUnresolvableNodes: extenderv1.FailedNodesMap{}}
	names, mood := asked(q), draw(16, "mood", name, q.Pod.Name)
	keep := map[int]int{0: 0, 1: 0, 2: 1, 3: 2}[mood] // of ten; in other moods most of them
	if mood > 3 {
		keep = 6
	}
	var kept []string
	for _, node := range names {
		switch d := draw(10, name, q.Pod.Name, node); {
		case d < keep:
			kept = append(kept, node)
		case d < 8:
			a.FailedNodes[node] = fmt.Sprint(name, " says no, ", d)
		case d == 8:
			a.FailedAndUnresolvableNodes[node] = name + " says never"
			a.FailedNodes[node] = "not this"
		}
	}
	what := "keeps some"
	switch {
	case mood == 4:
		slices.Reverse(kept)
		what = "another order"
	case mood == 5:
		s.others(name, names, a)
		what = "about others"
	case mood == 6:
		a.Error, what = "out of order", "error"
	case mood == 7 && q.NodeNames != nil:
		kept, what = append(kept, "node-unheard-of"), "unknown node"
	case len(kept) == 0:
		what = "keeps none"
	case len(kept) == 1:
		what = "keeps one"
	}
	if q.NodeNames != nil {
		a.NodeNames = &kept
		return q.Pod, "names " + what, a
	}
	a.Nodes = &v1.NodeList{}
	for _, node := range kept {
		i := slices.IndexFunc(q.Nodes.Items, func(n v1.Node) bool { return n.Name == node })
		a.Nodes.Items = append(a.Nodes.Items, q.Nodes.Items[i])
	}
	return q.Pod, "nodes " + what, a
}

// others says something of a few nodes that the question wasn't about.
func (s *Server) others(name string, names []string, a *extenderv1.ExtenderFilterResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, node := range slices.Sorted(maps.Keys(s.nodes)) {
		if slices.Contains(names, node) {
			continue
		}
		switch draw(4, "others", name, node) {
		case 0:
			a.FailedAndUnresolvableNodes[node] = "never there"
		case 1:
			a.FailedNodes[node] = "not there either"
		}
	}
}

// prioritize scores most nodes, and one that isn't there.
func (s *Server) prioritize(name string, q *extenderv1.ExtenderArgs) (*v1.Pod, string, any) {
	list := extenderv1.HostPriorityList{{Host: "node-unheard-of", Score: 9}}
	few := draw(2, "few", name, q.Pod.Name) == 0 // different scores
	for _, node := range asked(q) {
		d := draw(110, "score", name, q.Pod.Name, node)
		if d%10 == 9 {
			continue
		}
		if few {
			d %= 22
		}
		list = append(list, extenderv1.HostPriority{Host: node, Score: int64(d % 11)})
	}
	return q.Pod, "scores", list
}

// podName gives the name of a pod in either's uids.
func podName(uid string) string {
	if parts := strings.Split(uid, "/"); len(parts) == 3 {
		return parts[1]
	}
	return strings.TrimPrefix(uid, "uid-")
}

// preempt drops candidates and victims, and puts victims in another order.
func (s *Server) preempt(name string, q *extenderv1.ExtenderPreemptionArgs) (*v1.Pod, string, any) {
	sent, what := q.NodeNameToMetaVictims, "uids"
	if sent == nil {
		sent, what = map[string]*extenderv1.MetaVictims{}, "pods"
		for node, victims := range q.NodeNameToVictims {
			to := &extenderv1.MetaVictims{NumPDBViolations: victims.NumPDBViolations}
			for _, p := range victims.Pods {
				to.Pods = append(to.Pods, &extenderv1.MetaPod{UID: string(p.UID)})
			}
			sent[node] = to
		}
	}
	a := extenderv1.ExtenderPreemptionResult{NodeNameToMetaVictims: map[string]*extenderv1.MetaVictims{}}
	mood := draw(12, "mood", name, q.Pod.Name)
	for node, v := range sent {
		d := draw(12, "preempt", name, q.Pod.Name, node)
		switch {
		case d < 4 || mood == 0:
			continue
		case d < 6 && len(v.Pods) > 1:
			v.Pods = slices.DeleteFunc(v.Pods, func(p *extenderv1.MetaPod) bool { return podName(p.UID) == podName(v.Pods[0].UID) })
		case d < 8:
			slices.Reverse(v.Pods)
		case d == 8:
			v.NumPDBViolations++
		case d == 9 && mood < 4:
			v.Pods = nil
		case d == 10 && mood == 5:
			v.Pods = append(v.Pods, &extenderv1.MetaPod{UID: "unheard-of"})
		}
		a.NodeNameToMetaVictims[node] = v
	}
	switch len(a.NodeNameToMetaVictims) {
	case 0:
		what += ", none left"
	case len(sent):
		what += ", all left"
	default:
		what += ", some left"
	}
	return q.Pod, what, a
}
