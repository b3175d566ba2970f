package extender

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	extenderv1 "k8s.io/kube-scheduler/extender/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/scheduler"
)

// newState returns a State of nodes n1, n2 and n3, a pod on n2, and one that wants a
// node, and asks for a device.
func newState() (s *cluster.State, on, wants cluster.PodID) {
	s = cluster.NewState()
	events := []cluster.Event{}
	for _, name := range []string{"n1", "n2", "n3"} {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: name, Capacity: cluster.Amounts{4000, 1 << 30, 0, 110}, Labels: cluster.Labels{{Key: "name", Value: name}},
		}})
	}
	class := &cluster.Class{Namespace: "ns", Images: []string{"i:1"}, Extended: []cluster.NamedAmount{{Name: "example.com/device", Amount: 2}}}
	events = append(events,
		cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "on", Class: class, On: "n2"}},
		cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "wants", Class: class}})
	s.Observe(0, events)
	return s, events[3].Pod, events[4].Pod
}

// asked starts a server that gives one answer, and returns a client of it and where
// the last question goes.
func asked(t *testing.T, config manifest.Extender, answer string) (*Client, *map[string]any) {
	t.Helper()
	question := map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clear(question)
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			t.Error(err)
		}
		question["path"], question["type"] = r.URL.Path, r.Header.Get("Content-Type")
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	config.URLPrefix = server.URL + "/ext/"
	config.FilterVerb, config.PrioritizeVerb, config.PreemptVerb = "filter", "prioritize", "preempt"
	return client(t, config), &question
}

func client(t *testing.T, config manifest.Extender) *Client {
	t.Helper()
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server.Client(t.Context())
}

// told writes what a filter said.
func told(s *cluster.State, f scheduler.Filtered, err error) string {
	if err != nil {
		return err.Error()
	}
	out := "keeps"
	for _, n := range f.Kept {
		out += " " + s.Nodes.Name[n]
	}
	for _, r := range f.Rejected {
		out += fmt.Sprintf("; %s: %q %v", s.Nodes.Name[r.Node], r.Reason, r.Unresolvable)
	}
	if f.Bare {
		out += "; bare"
	}
	return out
}

func TestFilter(t *testing.T) {
	const names, nodes = true, false
	for _, tt := range []struct {
		knows        bool // the nodes
		answer, want string
	}{
		{names, `{"NodeNames": ["n2", "n1"]}`, "keeps n2 n1"},
		{names, `{"NodeNames": []}`, "keeps"},
		{names, `{}`, "keeps"},
		{names, `{"nodenames": ["n1"], "unknown": 1} and more`, "keeps n1"},
		{names, `{"NodeNames": ["n3"]}`, `filter: it keeps node "n3", about which it was not asked`},
		{names, `{"Nodes": {"items": [{"metadata": {"name": "n1"}}]}}`, "keeps n1; bare"},
		{nodes, `{"Nodes": {"items": [{"metadata": {"name": "n2"}}]}}`, "keeps n2; bare"},
		{nodes, `{"Nodes": {"items": [{"metadata": {"name": "n3"}}]}}`, "keeps n3; bare"},
		{nodes, `{"Nodes": {"items": [{"metadata": {"name": "n9"}}]}}`, `filter: it keeps node "n9", which is not there`},
		{nodes, `{"NodeNames": ["n2"]}`, "keeps"},
		{names, `{"NodeNames": [], "FailedNodes": {"n2": "b", "n1": "a", "n9": "c"}, "FailedAndUnresolvableNodes": {"n2": "d"}}`, `keeps; n2: "d" true; n1: "a" false`},
		{names, `{"NodeNames": ["n1"], "Error": "broken"}`, "filter: broken"},
		{names, `{"NodeNames": "n1"}`, "filter: reading the answer: json: cannot unmarshal string into Go struct field ExtenderFilterResult.NodeNames of type []string"},
		{names, `nodes`, "filter: reading the answer: invalid character 'o' in literal null (expecting 'u')"},
		{names, ``, "filter: reading the answer: EOF"},
	} {
		s, _, p := newState()
		c, _ := asked(t, manifest.Extender{NodeCacheCapable: tt.knows}, tt.answer)
		f, err := c.Filter(s, p, []cluster.NodeID{0, 1})
		if got := told(s, f, err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.answer, got, tt.want)
		}
	}
}

// TestQuestions looks at what is sent.
func TestQuestions(t *testing.T) {
	s, on, p := newState()
	for _, knows := range []bool{true, false} {
		c, q := asked(t, manifest.Extender{NodeCacheCapable: knows}, `{}`)
		if _, err := c.Filter(s, p, []cluster.NodeID{0, 1}); err != nil {
			t.Error(err)
		}
		text, _ := json.Marshal(*q)
		for _, want := range []string{`"path":"/ext/filter"`, `"type":"application/json"`, `"name":"wants"`, `"example.com/device":"2"`} {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
		if strings.Contains(string(text), `"NodeNames":["n1","n2"]`) != knows || strings.Contains(string(text), `"labels":{"name":"n1"}`) == knows {
			t.Errorf("it knows nodes: %v, but gets %s", knows, text)
		}
		if _, err := c.Preempt(s, p, []scheduler.Candidate{{Node: 1, Victims: []cluster.PodID{on}, Violations: 1}}); err != nil {
			t.Error(err)
		}
		text, _ = json.Marshal(*q)
		want := `"n2":{"NumPDBViolations":1,"Pods":[{"UID":"` + manifest.UID(s, on) + `"}]}`
		if strings.Contains(string(text), want) != knows || strings.Contains(string(text), `"nodeName":"n2"`) == knows {
			t.Errorf("it knows nodes: %v, but gets %s", knows, text)
		}
	}
}

func TestPrioritize(t *testing.T) {
	s, _, p := newState()
	c, q := asked(t, manifest.Extender{Weight: 7}, `[{"Host": "n2", "Score": 3}, {"host": "n9", "Score": 1}, {"Host": "n1", "Score": -4}]`)
	scores, weight, err := c.Prioritize(s, p, []cluster.NodeID{0, 1, 2})
	if got := fmt.Sprint(scores, weight, err, (*q)["path"]); got != "[{1 3} {0 -4}] 7 <nil>/ext/prioritize" {
		t.Error(got)
	}
	c, _ = asked(t, manifest.Extender{}, `{"n1": 1}`)
	if _, _, err := c.Prioritize(s, p, []cluster.NodeID{0}); err == nil {
		t.Error("an object is taken for a list")
	}
}

func TestPreempt(t *testing.T) {
	s, on, p := newState()
	uid := manifest.UID(s, on)
	for _, tt := range []struct{ answer, want string }{
		{`{"NodeNameToMetaVictims": {"n2": {"Pods": [{"UID": "` + uid + `"}], "NumPDBViolations": 2}}}`, fmt.Sprint([]scheduler.Candidate{{Node: 1, Victims: []cluster.PodID{on}, Violations: 2}})},
		{`{"NodeNameToMetaVictims": {"n2": {}, "n1": {}}}`, fmt.Sprint([]scheduler.Candidate{{Node: 0}, {Node: 1}})},
		{`{}`, "[]"},
		{`{"NodeNameToMetaVictims": {"n9": {}}}`, `preempt: it names node "n9", which is not there`},
		{`{"NodeNameToMetaVictims": {"n1": null}}`, `preempt: it names node "n1" and says nothing of it`},
		{`{"NodeNameToMetaVictims": {"n1": {"Pods": [{"UID": "` + uid + `"}]}}}`, `preempt: it names a pod on node "n1" that is not there`},
		{`{"NodeNameToMetaVictims": {"n1": {"Pods": [null]}}}`, `preempt: it names a pod on node "n1" that is not there`},
	} {
		c, _ := asked(t, manifest.Extender{}, tt.answer)
		left, err := c.Preempt(s, p, nil)
		got := fmt.Sprint(left)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.answer, got, tt.want)
		}
	}
}

// TestNoAnswer asks servers that give none, or late.
func TestNoAnswer(t *testing.T) {
	s, _, p := newState()
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-block
		case "/slower": // the header comes in time, and the rest doesn't
			w.(http.Flusher).Flush()
			<-block
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	defer close(block)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for _, tt := range []struct{ url, verb, want string }{
		{server.URL, "slow", "Client.Timeout"},
		{server.URL, "slower", "Client.Timeout"},
		{server.URL, "tea", "the answer has status 418, not 200"},
		{dead.URL, "filter", "connection refused"},
		{"://", "filter", "missing protocol scheme"},
	} {
		c := client(t, manifest.Extender{URLPrefix: tt.url, FilterVerb: tt.verb, HTTPTimeout: 50 * time.Millisecond})
		if _, err := c.Filter(s, p, []cluster.NodeID{0}); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), tt.verb+": ") {
			t.Errorf("%s: %v", tt.verb, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	sv, _ := New(manifest.Extender{URLPrefix: server.URL, FilterVerb: "slow", HTTPTimeout: time.Minute})
	if _, err := sv.Client(ctx).Filter(s, p, []cluster.NodeID{0}); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("after the run was ended: %v", err)
	}
}

func TestInterested(t *testing.T) {
	s, _, p := newState()
	for _, tt := range []struct {
		managed []manifest.ManagedResource
		want    bool
	}{
		{nil, true},
		{[]manifest.ManagedResource{{Name: "example.com/other"}}, false},
		{[]manifest.ManagedResource{{Name: "example.com/other"}, {Name: "example.com/device", IgnoredByScheduler: true}}, true},
		{[]manifest.ManagedResource{{Name: cluster.GPUShares}}, false},
	} {
		c := client(t, manifest.Extender{ManagedResources: tt.managed})
		if got := c.Interested(s, p); got != tt.want {
			t.Errorf("managing %v it is interested: %v", tt.managed, got)
		}
	}
}

func TestVerbs(t *testing.T) {
	c := client(t, manifest.Extender{FilterVerb: "f", PreemptVerb: "p", Ignorable: true, URLPrefix: "http://x"})
	if c.Verbs() != scheduler.VerbFilter|scheduler.VerbPreempt || !c.Ignorable() || c.Name() != "http://x" {
		t.Errorf("%v %v %s", c.Verbs(), c.Ignorable(), c.Name())
	}
	if c := client(t, manifest.Extender{PrioritizeVerb: "p"}); c.Verbs() != scheduler.VerbPrioritize {
		t.Errorf("%v", c.Verbs())
	}
	_, err := New(manifest.Extender{URLPrefix: "http://x", BindVerb: "bind"})
	if err == nil || !strings.Contains(err.Error(), "leave bindVerb out") {
		t.Errorf("an extender that binds: %v", err)
	}
}

// TestTLS asks a server whose certificate nobody has signed.
func TestTLS(t *testing.T) {
	s, _, p := newState()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(extenderv1.ExtenderFilterResult{})
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		why   string
		https bool
		tls   *manifest.ExtenderTLS
		want  string
	}{
		{"no word of it", false, nil, "certificate"},
		{"https without a CA", true, nil, ""},
		{"insecure", false, &manifest.ExtenderTLS{Insecure: true}, ""},
		{"CA", true, &manifest.ExtenderTLS{CAData: ca}, ""},
		{"CA in a file", true, &manifest.ExtenderTLS{CAFile: file}, ""},
		{"another's name", true, &manifest.ExtenderTLS{CAData: ca, ServerName: "other.example.org"}, "other.example.org"},
		{"its name", true, &manifest.ExtenderTLS{CAData: ca, ServerName: "example.com"}, ""},
	} {
		c := client(t, manifest.Extender{URLPrefix: server.URL, FilterVerb: "f", EnableHTTPS: tt.https, TLS: tt.tls, HTTPTimeout: 5 * time.Second})
		_, err := c.Filter(s, p, []cluster.NodeID{0})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.why, err, tt.want)
		}
	}
	for _, tls := range []manifest.ExtenderTLS{
		{CAData: []byte("none")}, {CAFile: file + "x"}, {CertData: ca, KeyData: ca}, {CertFile: file + "x"}, {KeyFile: file + "x"},
	} {
		if _, err := New(manifest.Extender{URLPrefix: "https://x", TLS: &tls}); err == nil || !strings.HasPrefix(err.Error(), "extender https://x: tlsConfig: ") {
			t.Errorf("%+v: %v", tls, err)
		}
	}
}
