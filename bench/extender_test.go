package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berthsim/berth/plugins"
)

// extenderConfig is a policy that asks an extender at a URL, with more said of it.
const extenderConfig = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
extenders:
- {urlPrefix: %q, %s}
`

// lastNode is an extender in a few lines: it likes the last of the nodes it is sent
// best, or lets pods run on no other.
func lastNode(calls *atomic.Int64) http.Handler {
	type args struct {
		Pod   struct{ Metadata struct{ Name string } }
		Nodes struct {
			Items []struct{ Metadata struct{ Name string } }
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var a args
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil || a.Pod.Metadata.Name == "" {
			http.Error(w, "no question", http.StatusBadRequest)
			return
		}
		calls.Add(1)
		last := a.Nodes.Items[len(a.Nodes.Items)-1]
		if r.URL.Path == "/prioritize" {
			json.NewEncoder(w).Encode([]any{map[string]any{"Host": last.Metadata.Name, "Score": 10}})
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"Nodes": map[string]any{"items": []any{last}}})
	})
}

// writePolicy writes a configuration with an extender, and returns its name.
func writePolicy(t *testing.T, url, says string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(name, fmt.Appendf(nil, extenderConfig, url, says), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestExtenders runs an experiment whose policy asks an extender, which changes what
// is decided; and one whose extender is gone, without which nothing is.
func TestExtenders(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(lastNode(&calls))
	defer server.Close()
	const trace = "synthetic:gpu?nodes=20&mode=time&pods=100"
	plain := do(t, experiment(trace, []string{writePolicy(t, server.URL, "ignorable: true")}, 42), 1).Runs[0]
	for _, tt := range []struct {
		says  string
		asked bool
	}{
		{"filterVerb: filter", true},
		{"prioritizeVerb: prioritize, weight: 1000", true},
		{"filterVerb: filter, managedResources: [{name: example.com/unheard-of}]", false},
	} {
		calls.Store(0)
		run := do(t, experiment(trace, []string{writePolicy(t, server.URL, tt.says)}, 42), 1).Runs[0]
		if (run.Digest != plain.Digest) != tt.asked || (calls.Load() > 0) != tt.asked {
			t.Errorf("%s: %d calls, decisions differ: %v", tt.says, calls.Load(), run.Digest != plain.Digest)
		}
		if run.Metrics["pods_placed"] != plain.Metrics["pods_placed"] {
			t.Errorf("%s: %v pods are placed, %v without", tt.says, run.Metrics["pods_placed"], plain.Metrics["pods_placed"])
		}
	}
	server.Close()
	gone := do(t, experiment(trace, []string{writePolicy(t, server.URL, "filterVerb: filter, nodeCacheCapable: true")}, 42), 1).Runs[0]
	if gone.Metrics["pods_placed"] != 0 || gone.Queue.Errors == 0 {
		t.Errorf("without an answer %v pods are placed, and %d tries are errors", gone.Metrics["pods_placed"], gone.Queue.Errors)
	}
	for why := range gone.Unplaced {
		if !strings.Contains(why, "refused") {
			t.Errorf("pods are unplaced since %q", why)
		}
	}
	ignored := do(t, experiment(trace, []string{writePolicy(t, server.URL, "filterVerb: filter, ignorable: true")}, 42), 1).Runs[0]
	if ignored.Digest != plain.Digest {
		t.Error("an extender that is gone and may be ignored changes what is decided")
	}
}

// TestExtendersEnd ends a run that waits for an extender.
func TestExtendersEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel(); <-block }))
	defer server.Close()
	defer close(block)
	x := experiment("synthetic:gpu?nodes=20&mode=time&pods=100", []string{writePolicy(t, server.URL, "filterVerb: filter, httpTimeout: 1h")}, 42)
	if _, err := x.Do(ctx, Options{Plugins: plugins.All, Jobs: 1}); err != ctx.Err() {
		t.Errorf("the run ends with %v", err)
	}
}

func TestExtenderErrors(t *testing.T) {
	for _, tt := range []struct{ says, want string }{
		{"bindVerb: bind", `extender http://x: bindVerb is "bind", but pods are bound by the cluster that is simulated; leave bindVerb out`},
		{"filterVerb: filter, tlsConfig: {caFile: nowhere.pem}", "extender http://x: tlsConfig: reading the CA: open nowhere.pem: no such file or directory; name a file that can be read"},
	} {
		name := writePolicy(t, "http://x", tt.says)
		if _, err := OpenPolicy(plugins.All, name); err == nil || err.Error() != name+": "+tt.want {
			t.Errorf("%s: %v", tt.says, err)
		}
	}
}
