package model

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestFitAgain generates from a model, fits another to that, writes and reads it, and
// wants it nearly the same: in what it expects, and in what it generates.
func TestFitAgain(t *testing.T) {
	for _, name := range Names() {
		m := readNamed(t, name)
		w := workload(t, m, Size{Pods: 20_000})
		again, err := Fit(func() Stream { return w.Events(3) }, Options{Origin: "again"})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := again.Write(&b); err != nil {
			t.Fatal(err)
		}
		again = readSmall(t, b.String())
		g := workload(t, again, Size{})
		if len(again.Jobs) > len(m.Jobs) || len(again.Jobs)*2 < len(m.Jobs) && len(m.Jobs) < 100 {
			t.Errorf("%s: %d kinds of jobs of %d", name, len(again.Jobs), len(m.Jobs))
		}
		if r := g.Load / w.Load; r < 0.6 || r > 1.6 {
			t.Errorf("%s: expects a load of %v, fitted to what expected %v", name, g.Load, w.Load)
		}
		c, err := Compare(w.Events(3), g.Events(3))
		if err != nil {
			t.Fatal(err)
		}
		for metric, most := range map[string]float64{
			"pods of a job": 0.02, "GPUs of a pod": 0.06, "run time": 0.06, "time between pods": 0.1, "arrivals": 0.15,
			"CPUs of a pod": 0.1, "memory of a pod": 0.15, "hour of the week": 0.2,
		} {
			if got := c.Worst(metric); got > most {
				t.Errorf("%s: the distance in %s is %v", name, metric, got)
			}
		}
	}
}

// A list is a stream of what is in it.
type list struct{ left []cluster.Event }

// Next implements Stream.
func (l *list) Next() (e cluster.Event, err error) {
	if len(l.left) == 0 {
		return e, io.EOF
	}
	e, l.left = l.left[0], l.left[1:]
	return e, nil
}

// stream returns pods on a node, as a stream.
func stream(pods ...came) func() Stream {
	es := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", GPUs: 2}}}
	for _, p := range pods {
		es = append(es, cluster.Event{Time: p.at, Kind: cluster.PodAdded, PodSpec: p.pod})
	}
	return func() Stream { return &list{es} }
}

// pod makes a pod of a namespace that asks for GPUs, and an owner if there is one.
func pod(at int64, namespace, owner string, gpus int32, run cluster.Time) came {
	c := &cluster.Class{Namespace: namespace, GPUs: cluster.GPURequest{Count: gpus, Shares: cluster.WholeGPU}}
	if owner != "" {
		c.Owner = cluster.OwnerRef{Kind: "Job", Name: owner}
	}
	return came{cluster.Time(at) * cluster.Second, &cluster.PodSpec{Name: fmt.Sprint(at), Class: c, Run: run}}
}

func TestFitErrors(t *testing.T) {
	for _, tt := range []struct {
		events func() Stream
		want   string
	}{
		{stream(), ": there are no nodes or no pods to fit a model to; give a trace that has both"},
		{stream(pod(0, "a", "", 1, cluster.Never)), ": no pod ends, so nothing says how long pods run; give a trace with times: of openb, mode=time"},
		{stream(pod(0, "a", "", 1, 5)), ": all pods come at the same time, so nothing says how often they come; give a longer trace"},
	} {
		if _, err := Fit(tt.events, Options{}); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// TestGather finds jobs: pods of one owner that come together.
func TestGather(t *testing.T) {
	const s = cluster.Second
	m, err := Fit(stream(
		pod(0, "a", "x", 2, 10*s), pod(0, "a", "x", 2, 30*s), pod(0, "a", "x", 1, 20*s), // one job
		pod(0, "a", "", 1, 10*s), pod(0, "a", "", 1, 10*s), // two
		pod(5, "b", "y", 1, 10*s), pod(6, "b", "y", 1, cluster.Never), // two, one of which doesn't end
		pod(100, "a", "z", 2, 10*s), pod(100, "a", "z", 2, 10*s), pod(100, "a", "z", 1, 10*s), // one like the first
	), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"count":2,"source":0,"owner":"Job","pods":[{"class":0,"count":2},{"class":1,"count":1}],"run":0}`,
		`{"count":2,"source":0,"pods":[{"class":1,"count":1}],"run":0}`,
		`{"count":1,"source":1,"owner":"Job","pods":[{"class":2,"count":1}],"run":0}`,
		`{"count":1,"source":1,"owner":"Job","pods":[{"class":2,"count":1}],"run":-1}`,
		`"runTick": 1}`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if got := m.Runs[0].Quantile(1); got != 20 {
		t.Errorf("the longest run is %v, want the mean of the first job's", got)
	}
}

// TestKeepLabels checks that labels count that a selector asks for, and no others.
func TestKeepLabels(t *testing.T) {
	c := &cluster.Class{Spread: []cluster.SpreadConstraint{{
		MaxSkew: 1, TopologyKey: "zone", Selector: &cluster.Selector{Requirements: []cluster.Requirement{{Key: "app", Values: []string{"a"}}}},
	}}}
	labelled := func(at int64, app string) came {
		labels := cluster.MakeLabels(map[string]string{"app": app, "index": fmt.Sprint(at)})
		return came{cluster.Time(at) * cluster.Second, &cluster.PodSpec{Name: fmt.Sprint(at), Class: c, Labels: labels, Run: 5}}
	}
	m, err := Fit(stream(labelled(0, "a"), labelled(1, "a"), labelled(2, "b"), labelled(3, "a")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Classes) != 2 || m.Classes[0].Labels["app"] != "a" || len(m.Classes[0].Labels) != 1 || m.Jobs[0].Count != 3 {
		t.Errorf("%+v, %+v", m.Classes, m.Jobs)
	}
	w := workload(t, m, Size{})
	if got := play(t, w, 1)[0].pod; len(got.Labels) != 1 || len(got.Class.Spread) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestKeepSimilar checks that rare kinds of jobs count as the like of them.
func TestKeepSimilar(t *testing.T) {
	var pods []came
	for i := range int64(40) {
		gpus := int32(1)
		if i%4 == 0 {
			gpus = 8
		}
		switch i {
		case 7:
			gpus = 2
		case 9:
			gpus = 6
		}
		pods = append(pods, pod(i*1000, "a", "", gpus, cluster.Second))
	}
	pods = append(pods, pod(50_000, "b", "", 3, cluster.Second))
	m, err := Fit(stream(pods...), Options{Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range m.Jobs {
		c := m.Classes[j.Pods[0].Class]
		got = append(got, fmt.Sprint(c.Namespace, " ", c.GPUs, " ", j.Count))
	}
	if text := strings.Join(got, ", "); text != "a 8 11, a 1 29, b 3 1" {
		t.Errorf("got %s", text)
	}
}

// TestFitArrivals generates with a strong day and a weekend, and wants them back.
func TestFitArrivals(t *testing.T) {
	m := readSmall(t, small)
	for h := range m.Arrivals.Week {
		m.Arrivals.Week[h] = 1 + 0.9*math.Sin(2*math.Pi*float64(h)/24)
		if h >= 120 {
			m.Arrivals.Week[h] *= 0.2
		}
	}
	w := workload(t, m, Size{Pods: 100_000, Days: 70})
	again, err := Fit(func() Stream { return w.Events(1) }, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, rate := range m.Arrivals.Week {
		mean += rate / HoursOfWeek
	}
	off := 0.0
	for h, rate := range again.Arrivals.Week {
		off += math.Abs(rate-m.Arrivals.Week[h]/mean) / HoursOfWeek
	}
	if off > 0.12 || math.Abs(again.Arrivals.Days-70) > 0.1 || again.Arrivals.Tick != 1 || again.RunTick != 1 {
		t.Errorf("rates are off by %v; %v days", off, again.Arrivals.Days)
	}
}
