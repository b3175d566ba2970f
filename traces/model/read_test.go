package model

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// week is a list of 168 rates.
var week = "[" + strings.Repeat("1,", HoursOfWeek-1) + "1]"

// small is a model of one kind of everything.
var small = strings.Join([]string{
	`{"format": "berth-model", "version": 1,`,
	`"origin": "by hand",`,
	`"nodes": [{"count":2,"cpu":8000,"memory":8589934592,"pods":110,"gpus":4}],`,
	`"arrivals": {"days":7,"tick":1,"week":` + week + `,"level":{"family":"fixed","value":1},"memory":[{"share":1,"hours":1}]},`,
	`"bursts": [{"size":{"family":"fixed","value":1},"gap":{"family":"fixed"},"again":0,"alike":0}],`,
	`"sources": [{"weight":1,"burst":0}],`,
	`"classes": [{"namespace":"a","cpu":1000,"gpus":1,"gpuShares":500}],`,
	`"jobs": [{"count":1000,"source":0,"owner":"Job","pods":[{"class":0,"count":2}],"run":0}],`,
	`"runs": [{"family":"lognormal","mu":6,"sigma":1,"most":100000}],`,
	`"runTick": 1}`,
}, "\n") + "\n"

// readSmall reads a model that is right.
func readSmall(t testing.TB, text string) *Model {
	t.Helper()
	m, err := Read("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestReadWrite checks that what is written is what was read, of Berth's own models, too.
func TestReadWrite(t *testing.T) {
	texts := map[string]string{"small": small}
	for _, name := range Names() {
		content, ok := Named(name)
		if !ok || len(content) > 64<<10 {
			t.Fatalf("%s has %d bytes", name, len(content))
		}
		texts[name] = string(content)
	}
	if _, ok := Named("../model.go"); ok {
		t.Error("a path is a name")
	}
	for name, text := range texts {
		m := readSmall(t, text)
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		if name != "small" && b.String() != text {
			t.Errorf("%s is not written as it is", name)
		}
		if diff := cmp.Diff(m, readSmall(t, b.String())); diff != "" {
			t.Errorf("%s read again: %s", name, diff)
		}
	}
}

// bads are models that are wrong: small with a text replaced by another.
var bads = []struct{ old, new, want string }{
	{small, "", "f:1: the text ends early; fetch or write the file again"},
	{small, `{"nodes":[A`, `f:1: not JSON: "invalid character 'A' looking for beginning of value"; give a model as berth trace fit writes it`},
	{small, "[]", "f:1: the model is no object; write {…}"},
	{"\"runTick\": 1}", "", "f:9: the text ends early; fetch or write the file again"},
	{"\"runTick\": 1}", "\"runTick\": 1}}", "f:10: something follows the end; remove it"},
	{"\"runTick\": 1", "\"runTick\": 1 2", `f:10: not JSON: "invalid character '2' after object key:value pair"; give a model as berth trace fit writes it`},
	{"berth-model", "berth-trace", `f:1: format is "berth-trace"; give a model, whose format is berth-model`},
	{`"version": 1`, `"version": 2`, "f:1: version is 2; give a model of version 1: fit it anew"},
	{`"origin"`, `"orgin"`, `f:2: there is no "orgin" in the model; write one of format, version, origin, nodes, arrivals, bursts, sources, classes, jobs, runs, runTick`},
	{`"origin"`, `"Origin"`, `f:2: there is no "Origin" in the model; write one of format, version, origin, nodes, arrivals, bursts, sources, classes, jobs, runs, runTick`},
	{`"weight":1,`, `"weight":1,"weight":1,`, `f:6: "weight" stands twice; remove one`},
	{`"weight":1,`, `"weight":null,`, "f:6: sources[0].weight is null; leave it out, or give a value"},
	{`"weight":1,`, `"weight":"x",`, "f:6: sources.weight is a string; give a value as docs/models.md has it: int64"},
	{`"weight":1,`, `"weight":[1],`, "f:6: sources[0].weight is an object or list; give a single value"},
	{`[{"weight":1,"burst":0}]`, `{}`, "f:6: sources is no list; write […]"},
	{`[{"weight":1,"burst":0}]`, `[]`, "f:6: sources is empty or too long; give from 1 to 1000000 sources"},
	{`"weight":1,`, `"weight":0,`, "f:6: sources[0].weight is 0; give a whole number above 0"},
	{`"burst":0`, `"burst":1`, "f:6: sources[0].burst is 1; give an index in bursts, from 0"},
	{`{"weight":1,"burst":0}`, `{"weight":1,"burst":0},{"weight":1,"burst":0}`, "f:6: sources[1] has no jobs; leave it out, or give it one"},
	{`"count":2,"cpu"`, `"count":0,"cpu"`, "f:3: nodes[0].count is 0; give a whole number from 1 to 1000000"},
	{`"cpu":8000`, `"cpu":-1`, "f:3: nodes[0] has an amount out of range; give whole numbers from 0 to 2⁵³, and names of resources"},
	{`"gpus":4`, `"gpus":65`, "f:3: nodes[0].gpus is 65; give a whole number from 0 to 64"},
	{`"days":7`, `"days":0`, "f:4: arrivals.days is 0; give days above 0 and up to 36525"},
	{`"tick":1`, `"tick":2`, "f:4: arrivals.tick is 2; give one of 0.001, 1 and 60 seconds"},
	{week, "[1]", "f:4: arrivals.week has 1 rates; give 168, one for each hour of the week"},
	{week, strings.Replace(week, "1", "-1", 1), "f:4: arrivals.week[0] is -1; give a rate from 0 to 168"},
	{week, strings.ReplaceAll(week, "1", "0"), "f:4: arrivals.week is 0 at all hours; give at least one rate above 0"},
	{`{"share":1,`, `{"share":0.5,`, "f:4: arrivals.memory has shares of 0.5 together; give one to four parts, whose shares make 1"},
	{`"alike":0`, `"alike":1.5`, "f:5: bursts[0] has a probability or correlation out of range; give numbers from 0 to 1"},
	{`"gap":{"family":"fixed"}`, `"gap":{"family":"fixd"}`, `f:5: bursts[0].gap.family is "fixd"; give one of fixed, lognormal, weibull, hyperexponential, quantiles`},
	{`"gpuShares":500`, `"gpuShares":1001`, "f:7: classes[0].gpuShares is 1001; give shares from 1 to 1000 of a single GPU, or leave it out"},
	{`"namespace":"a"`, `"namespace":"a/b"`, `f:7: classes[0].namespace is "a/b"; give a name without spaces and slashes, or none`},
	{`"run":0`, `"run":1`, "f:8: jobs[0].run is 1; give an index in runs, from 0, or -1 for jobs that don't end"},
	{`"class":0`, `"class":1`, "f:8: jobs[0].pods[0].class is 1; give an index in classes, from 0"},
	{`"count":2}]`, `"count":0}]`, "f:8: jobs[0].pods[0].count is 0; give a whole number above 0, and at most 1000000 for a job"},
	{`"sigma":1`, `"sigma":-1`, "f:9: runs[0] is not as it must be: sigma is -1; give a number from 0 to 30"},
	{`,"most":100000`, ``, "f:9: runs[0] is not as it must be: most is missing; give the number that none exceeds"},
	{`{"family":"lognormal","mu":6,"sigma":1,`, `{"family":"quantiles","points":[[0,2],[1,1]],`, "f:9: runs[0] is not as it must be: a quantile is 1; give a number from 2 to 1e+12"},
	{`{"family":"lognormal","mu":6,"sigma":1,`, `{"family":"quantiles","points":[[0,2,3]],`, "f:9: runs[0].points[0] has 3 values; give 2"},
}

func TestReadErrors(t *testing.T) {
	for _, bad := range bads {
		if !strings.Contains(small, bad.old) {
			t.Fatalf("%q is not in the small model", bad.old)
		}
		_, err := Read("f", []byte(strings.Replace(small, bad.old, bad.new, 1)))
		if err == nil || err.Error() != bad.want {
			t.Errorf("%s for %s:\ngot  %v\nwant %s", bad.new, bad.old, err, bad.want)
		}
	}
}

// TestClasses checks that every part of a class, but for owner and labels, comes
// back from a model.
func TestClasses(t *testing.T) {
	typ := reflect.TypeOf(cluster.Class{})
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		if name == "Owner" || name == "Labels" {
			continue // each job's own; and the pods'
		}
		c := &cluster.Class{GPUs: cluster.GPURequest{Count: 1, Shares: 500}}
		if name == "GPUs" { // which must not contradict each other
			c.GPUs = cluster.GPURequest{Count: 3, Shares: cluster.WholeGPU, Models: []string{"x", "y"}}
		} else {
			fill(reflect.ValueOf(c).Elem().Field(i))
		}
		is := classOf(c, cluster.Labels{{Key: "k", Value: "v"}})
		var back Class
		if _, err := decode("f", text(&is), &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := back.class()
		if name == "Requests" {
			c.Requests = c.Requests[:cluster.EphemeralStorage+1]
			got.Requests = got.Requests[:cluster.EphemeralStorage+1]
		}
		if diff := cmp.Diff(c, got); diff != "" || back.Labels["k"] != "v" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// fill makes a value differ from zero in all its parts.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		n := 1
		if v.Type() == reflect.TypeOf(cluster.Amounts{}) {
			n = 4
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	default:
		panic("fill: " + v.Kind().String())
	}
}

// FuzzRead has models that a user might write. Those that can be read can be written,
// read again, and played.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	for _, bad := range bads {
		f.Add([]byte(strings.Replace(small, bad.old, bad.new, 1)))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := Read("f", content)
		if err != nil {
			var wrong *input.Error
			if !errors.As(err, &wrong) || wrong.Problem == "" || wrong.Remedy == "" || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q is no line that says all", err)
			}
			return
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Read("f", b.Bytes()); err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		for _, size := range []Size{{Pods: 20, Nodes: 3}, {Pods: 20, Days: 1, Nodes: 1}, {Pods: 20, Load: 0.5}} {
			playFuzzed(t, m, size)
		}
	})
}

func playFuzzed(t *testing.T, m *Model, size Size) {
	w, err := m.Workload(size)
	if err != nil {
		return
	}
	s, in := cluster.NewState(), w.Events(1)
	last := cluster.Time(0)
	for range 100 {
		e, err := in.Next()
		if err != nil {
			return
		}
		if e.Time < last || e.Kind == cluster.PodAdded && e.PodSpec.Run < 0 {
			t.Fatalf("after %v, %+v", last, e)
		}
		last = e.Time
		s.Observe(e.Time, []cluster.Event{e}) // panics at what it must not get
	}
}
