package suite

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/berthsim/berth/plugins"
	"github.com/google/pprof/profile"
)

// measured is a result that tests share: it takes some seconds.
var measured = sync.OnceValues(func() (*Result, error) {
	return Run(context.Background(), Options{
		Plugins: plugins.All, Samples: 1, Version: "v1", Command: "berth bench",
		Cases: []Case{{"basic", 60, 10}, {"antiaffinity", 60, 0}, {"preemption", 60, 0}},
	})
})

func mustMeasure(t *testing.T) *Result {
	t.Helper()
	r, err := measured()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAttributionCovers checks that nearly all samples are put down to something, and that
// the phases are there in which the cases spend their time.
func TestAttributionCovers(t *testing.T) {
	r := mustMeasure(t)
	known, all := 0.0, 0.0
	seen := map[string]bool{}
	for _, s := range r.Attribution {
		all += s.Of
		if s.Phase != others {
			known += s.Of
		}
		seen[s.Phase], seen[s.Plugin] = true, true
	}
	if all < 0.9999 || all > 1.0001 || known < 0.95 {
		t.Errorf("shares add up to %g, and %g are of something: %v", all, known, r.Attribution)
	}
	for _, want := range []string{"queue", "rank", "preempt", "observe", "DefaultPreemption"} {
		if !seen[want] {
			t.Errorf("nothing is put down to %s: %v", want, r.Attribution)
		}
	}
	p, err := profile.ParseData(r.heap)
	if err != nil || len(p.Sample) == 0 {
		t.Errorf("the heap profile has no samples: %v", err)
	}
}

// TestAttribute reads a profile of made-up samples.
func TestAttribute(t *testing.T) {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	add := func(share int64, phase, plugin string, names ...string) {
		s := &profile.Sample{Value: []int64{1, share}}
		if phase != "" {
			s.Label = map[string][]string{phaseLabel: {phase}, pluginLabel: {plugin}}
		}
		for _, name := range names {
			f := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name}
			loc := &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f}}}
			p.Function, p.Location = append(p.Function, f), append(p.Location, loc)
			s.Location = append(s.Location, loc)
		}
		p.Sample = append(p.Sample, s)
	}
	const plugin = "github.com/berthsim/berth/plugins."
	add(400, "score", "NodePorts", "runtime.memmove", plugin+"nodeName.Filter")
	add(200, "preempt", "", "runtime.mapaccess1", plugin+"(*podTopologySpread).FilterDomains.func2", plugin+"nodeName.Filter")
	add(100, "preempt", "", plugin+"nodeName.Filter.func1")
	add(50, "rank", "", "github.com/berthsim/berth/scheduler.(*ranking).put")
	add(90, "", "", "runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker")
	add(60, "", "", "runtime.futex", "runtime.mcall")
	add(40, "", "", "runtime.usleep", "runtime/pprof.profileWriter")
	add(30, "", "", "runtime.memmove", "os.(*File).Write")
	add(30, "", "")
	var data strings.Builder
	if err := p.Write(&data); err != nil {
		t.Fatal(err)
	}
	got, err := attribute([]byte(data.String()), plugins.All)
	want := []Share{
		{"score", "NodePorts", 0.4}, {"preempt", "PodTopologySpread", 0.2}, {"preempt", "NodeName", 0.1}, {collecting, "", 0.09},
		{others, "", 0.06}, {runtimes, "", 0.06}, {"rank", "", 0.05}, {profiling, "", 0.04},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	if _, err := attribute([]byte("none"), plugins.All); err == nil {
		t.Error("what isn't a profile was read")
	}
}

func TestSaveAndLoad(t *testing.T) {
	r := mustMeasure(t)
	dir := filepath.Join(t.TempDir(), "out")
	if err := r.Save(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, resultFile)
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{cpuFile: r.cpu, heapFile: r.heap} {
		if saved, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(saved) != string(data) || len(saved) == 0 {
			t.Errorf("%s is not what was measured: %v", name, err)
		}
	}
	plain := *r
	plain.cpu, plain.heap, plain.began, plain.ended = nil, nil, got.began, got.ended
	if !reflect.DeepEqual(got, &plain) {
		t.Errorf("read\n%+v, want\n%+v", got, &plain)
	}
	for _, c := range []struct{ old, with, want string }{
		{`"complete": true`, `"complete": false`, "was interrupted"},
		{Version, "berth/v1", `version is "berth/v1"`},
		{`"command"`, `"comand"`, `unknown field "comand"`},
		{"{", "", "invalid character"},
	} {
		text, _ := os.ReadFile(path)
		broken := filepath.Join(t.TempDir(), "broken.json")
		if err := os.WriteFile(broken, []byte(strings.Replace(string(text), c.old, c.with, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(broken); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "; measure again") {
			t.Errorf("with %s: %v", c.with, err)
		}
	}
	if _, err := Load(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "can't read the result") {
		t.Errorf("of no file: %v", err)
	}
}

// TestStopped stops a run at each step: nothing, or whole turns, must come out.
func TestStopped(t *testing.T) {
	for at := 1; at <= 6; at++ {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := Run(ctx, Options{
			Plugins: plugins.All, Samples: 2, Cases: []Case{{"basic", 60, 1}, {"softspread", 60, 0}},
			Progress: func(done, _ int, _ string) {
				if done == at {
					cancel()
				}
			},
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after step %d: %v", at, err)
		}
		// Two steps make the cases, the next two are the first turn.
		turns := max(0, at-2) / 2
		if (r == nil) != (turns == 0) {
			t.Fatalf("stopped after step %d: %+v", at, r)
		}
		if r == nil {
			continue
		}
		if r.Complete || len(r.Cases) != 2 || len(r.Cases[0].Samples) != turns || len(r.Cases[1].Samples) != turns {
			t.Errorf("stopped after step %d: %+v", at, r)
		}
	}
}

// TestPush sends profiles to a server, and to one that refuses them.
func TestPush(t *testing.T) {
	r := mustMeasure(t)
	status := http.StatusOK
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		file, _, err := q.FormFile("profile")
		if err != nil {
			t.Error(err)
			return
		}
		data, _ := io.ReadAll(file)
		if string(data) != string(r.cpu) && string(data) != string(r.heap) {
			t.Error("it was sent another profile")
		}
		got = append(got, q.Method+" "+q.URL.Path+" "+q.FormValue("name"))
		w.WriteHeader(status)
	}))
	defer server.Close()
	if err := r.Push(server.URL); err != nil {
		t.Fatal(err)
	}
	want := "POST /ingest " + Application + "{version=v1}"
	if !reflect.DeepEqual(got, []string{want, want}) {
		t.Errorf("the server was asked %q, want twice %q", got, want)
	}
	status = http.StatusForbidden
	if err := r.Push(server.URL); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("refused, it says %v", err)
	}
	server.Close()
	if err := r.Push(server.URL); err == nil {
		t.Error("there is no server, and no error")
	}
	for address, ok := range map[string]bool{"http://localhost:4040": true, "localhost:4040": false, "ftp://x": false, "http://": false, ":": false} {
		if err := CheckServer(address); (err == nil) != ok {
			t.Errorf("of %s: %v", address, err)
		}
	}
}
