package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube/kubetest"
	"github.com/berthsim/berth/traces/wire"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// planted is in everything that a recorder must not store.
const planted = "hunter2-do-not-record"

// plant puts it into a Secret, a ConfigMap, and a pod wherever that holds what others must not
// see.
func plant(t *testing.T, server *kubetest.Server) {
	t.Helper()
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": planted}}
	}
	p := pods(ownScheduler, 1, "1")[0].(*v1.Pod)
	p.ObjectMeta = meta("web-0")
	c := &p.Spec.Containers[0]
	c.Env = []v1.EnvVar{{Name: "PASSWORD", Value: planted}}
	c.Command, c.Args, c.Image = []string{"sh", "-c", planted}, []string{planted}, "i"
	p.Spec.InitContainers = []v1.Container{{Name: "init", Image: "i", Env: []v1.EnvVar{{Name: planted}}}}
	p.Spec.ImagePullSecrets = []v1.LocalObjectReference{{Name: planted}}
	p.Spec.Hostname = planted
	p.Status.Message = planted
	add(t, server, p,
		&v1.Secret{ObjectMeta: meta("s"), StringData: map[string]string{"password": planted}, Data: map[string][]byte{"p": []byte(planted)}},
		&v1.ConfigMap{ObjectMeta: meta("c"), Data: map[string]string{"password": planted}},
		&v1.Service{ObjectMeta: meta("svc"), Spec: v1.ServiceSpec{Selector: map[string]string{"app": "web"}, ExternalName: planted}})
}

// readAll reads all records of a file, as text, and its metadata.
func readAll(t *testing.T, file string) (meta *wire.Meta, records []wire.Record, text string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := func() *wire.Reader {
		r, err := wire.NewReader(bytes.NewReader(content), wire.ReadOptions{Name: file})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var b bytes.Buffer
	if err := wire.WriteJSONLines(&b, reader()); err != nil {
		t.Fatal(err)
	}
	r := reader()
	for {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Meta(), records, b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, *x)
	}
}

// TestRecord records a cluster on which Berth schedules, across an API server's restart and a
// time that watches can't make up for. The recording must play again, hold the gap and the
// workload, and nothing that is nobody's business.
func TestRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "week.berth")
	var requests []kubetest.Request
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		for _, name := range []string{"a", "b"} {
			server.Kubelet(name, kubetest.KubeletOptions{})
		}
		plant(t, server)
		add(t, server, pods(ownScheduler, 2, "1")...)
		schedule := start(t, server, "schedule", "--leader-elect=false") // or it would end while the server is down
		time.Sleep(20 * time.Second)
		record := start(t, server, "record", "-f", file, "--for", "10m", "-o", "json")
		time.Sleep(time.Minute)
		short := pods(ownScheduler, 1, "2")[0].(*v1.Pod)
		short.Annotations = map[string]string{kubetest.RunFor: "90s"}
		add(t, server, short)
		time.Sleep(3 * time.Minute)
		server.Compact()
		server.Restart(20 * time.Second)
		time.Sleep(10 * time.Second)
		add(t, server, pods(ownScheduler, 1, "3")...)
		server.Compact()
		record.ends(0)
		schedule.terminate()
		schedule.ends(0)
		requests = server.Requests()
	})
	for _, r := range requests {
		if strings.HasPrefix(r.UserAgent, "berth-record") && (r.Verb != "list" && r.Verb != "watch" || r.Resource == "secrets" || r.Resource == "configmaps") {
			t.Errorf("asked for %+v", r)
		}
	}
	meta, records, text := readAll(t, file)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, planted) || bytes.Contains(raw, []byte(planted)) || strings.Contains(fmt.Sprintf("%+v", meta), planted) {
		t.Error("what was planted is in the recording")
	}
	if !strings.Contains(text, `"web-0"`) || meta.Kind != wire.Recording || meta.Epoch != "2000-01-01T00:00:20Z" {
		t.Errorf("the pod isn't in it, or it is of another kind: %+v", meta)
	}
	wantApart(t, records)
	for _, args := range [][]string{{"replay", file, "--verify"}, {"trace", "info", file}, {"compare", "--trace", file, "--policies", "kube,bestfit", "--seeds", "1"}} {
		var out, errs bytes.Buffer
		if status := Run(t.Context(), Env{Args: args, Stdout: &out, Stderr: &errs}); status != 0 {
			t.Errorf("berth %v: status %d\n%s%s", args, status, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	if status := Run(t.Context(), Env{Args: []string{"record", "-f", file}, Stdout: &out, Stderr: &errs}); status != exitBadInput || !strings.Contains(errs.String(), "move it away") {
		t.Errorf("over an old recording: status %d, %s", status, errs.String())
	}
}

// wantApart wants a recording's gap, and its workload to say nothing of what came of it.
func wantApart(t *testing.T, records []wire.Record) {
	t.Helper()
	gaps, came, ended := 0, 0, 0
	for i := range records {
		x := &records[i]
		switch {
		case x.What == wire.Missing:
			gaps++
			if x.Gap.From >= x.Time || x.Time > 10*60*cluster.Second {
				t.Errorf("a gap from %d to %d", x.Gap.From, x.Time)
			}
		case x.What == wire.Workload && x.Event.Kind == cluster.PodAdded:
			came++
			if !asCreated(x.Event.PodSpec) {
				t.Errorf("the workload says of a pod %+v", x.Event.PodSpec)
			}
		case x.What == wire.Workload && (x.Event.Kind == cluster.PodChanged || x.Event.Kind == cluster.PodEnded):
			t.Errorf("the workload has %v", x.Event.Kind)
		case x.What == wire.Outcome && x.Event.Kind == cluster.PodEnded:
			ended++
		}
	}
	if gaps == 0 || came != 5 || ended != 1 {
		t.Errorf("%d gaps, %d pods that came and %d that ended, want some, 5 and 1", gaps, came, ended)
	}
}

// TestRecordErrors wants what can't be meant to be told before anything is asked or written.
func TestRecordErrors(t *testing.T) {
	dir := t.TempDir()
	unfinished := filepath.Join(dir, "u.berth")
	if err := os.WriteFile(unfinished+partial, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"record"}, "give one by -f"},
		{[]string{"record", "-f", unfinished}, "u.berth.partial exists; move it away"},
		{[]string{"record", "-f", filepath.Join(dir, "x"), "--kinds", "secrets"}, `there is no "secrets"; known: pods, nodes, leases`},
		{[]string{"record", "-f", filepath.Join(dir, "x"), "-o", "yaml"}, "use one of table, json"},
		{[]string{"record", "-f", filepath.Join(dir, "x"), "--kubeconfig", filepath.Join(dir, "gone")}, "give a file by --kubeconfig"},
		{[]string{"schedule", "--policies", "fgd"}, "by --expect"},
		{[]string{"schedule", "--policies", "fdg"}, "unknown plugin"},
		{[]string{"schedule", "--for", "-1s"}, "give a duration above 0"},
		{[]string{"schedule", "--leader-elect-lease-duration", "5s"}, "give a lease duration above the renew deadline"},
		{[]string{"lifecycle", "--eviction", "kube:grace=soon"}, "give a duration"},
	} {
		v := start(t, nil, test.args...)
		v.ends(exitBadInput)
		if text := v.errs.String(); !strings.Contains(text, test.want) || strings.Count(text, "\n") != 1 || v.out.String() != "" {
			t.Errorf("%v: %s%s, want %q", test.args, v.out.String(), text, test.want)
		}
	}
}

// TestRecordMemory records many pods that come, are bound elsewhere and go, and wants what is
// held of them not to grow.
func TestRecordMemory(t *testing.T) {
	l := &live{who: &bench.Live{Verb: bench.LiveRecord}, file: filepath.Join(t.TempDir(), "r.berth")}
	s := cluster.NewState()
	g, err := l.startLog(s, time.Unix(0, 0), &api{config: &rest.Config{Host: "h"}})
	if err != nil {
		t.Fatal(err)
	}
	round := func(events ...cluster.Event) {
		t.Helper()
		now := s.Now + cluster.Second
		for i := range events {
			events[i].Time = now
		}
		s.Observe(now, events)
		if err := g.Record(s, events, s.TakeDecisions()); err != nil {
			t.Fatal(err)
		}
	}
	room := cluster.Amounts{cluster.CPU: 4000, cluster.Memory: 1 << 30, cluster.PodSlots: 10}
	round(cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: room}})
	classes, labels := make([]*cluster.Class, 50), make([]cluster.Labels, 50) // package wire bounds what it holds of them
	for i := range classes {
		classes[i] = &cluster.Class{Namespace: "default", Requests: cluster.Amounts{cluster.CPU: int64(i)}}
		labels[i] = cluster.MakeLabels(map[string]string{"app": fmt.Sprint(i)})
	}
	number := 0
	lives := func(pods int) {
		for i := range pods {
			number++
			spec := cluster.PodSpec{Name: fmt.Sprint("job-", number), Class: classes[i%50], Labels: labels[i%50], Run: cluster.Never}
			on := spec
			on.On = "n"
			came := []cluster.Event{{Kind: cluster.PodAdded, PodSpec: &spec}}
			round(came...)
			row := cluster.PodID(0) // the only one
			round(cluster.Event{Kind: cluster.PodChanged, Pod: row, PodSpec: &on})
			round(cluster.Event{Kind: cluster.PodEnded, Pod: row, Node: 0})
		}
	}
	held := func() uint64 {
		g.mu.Lock()
		defer g.mu.Unlock()
		if err := g.log.Flush(); err != nil { // or what waits to be written would count
			t.Fatal(err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	lives(2_000)
	before := held()
	lives(20_000)
	if after := held(); after > before+2<<20 {
		t.Errorf("20,000 pods more took %d bytes more", after-before)
	}
	var wrong error
	if g.end(&wrong); wrong != nil {
		t.Error(wrong)
	}
}
