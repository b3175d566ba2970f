package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/replay"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/traces"
	"github.com/berthsim/berth/traces/wire"
)

// playLive writes the log that who decides would write on a live cluster, which is a simulated
// one here, and returns its path and digest.
func playLive(t *testing.T, l *Live) (path, digest string) {
	t.Helper()
	trace, err := traces.Opener{}.Open("synthetic:gpu?mode=time&nodes=20&pods=200")
	if err != nil {
		t.Fatal(err)
	}
	s := cluster.NewState()
	s.Seed, s.Mix = 7, trace.Mix
	meta, err := l.Meta(s)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := wire.Create(&b, meta, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := sim.New(s, &named{trace.Events(7), l.Name}, sim.Options{Until: 30 * cluster.Minute})
	if err != nil {
		t.Fatal(err)
	}
	controllers, err := l.Controllers(t.Context(), &Options{Plugins: plugins.All})
	if err != nil {
		t.Fatal(err)
	}
	sum := cluster.NewDigest()
	if err := cluster.Run(t.Context(), c, s, cluster.Recorders{replay.NewLog(w), sum}, controllers...); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "log.berth")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path, sum.Sum()
}

// named has all pods ask for a scheduler.
type named struct {
	traces.Stream
	scheduler string
}

func (n *named) Next() (cluster.Event, error) {
	e, err := n.Stream.Next()
	if err == nil && e.Kind == cluster.PodAdded {
		class, spec := *e.PodSpec.Class, *e.PodSpec
		class.Scheduler = schedulerName(n.scheduler)
		spec.Class = &class
		e.PodSpec = &spec
	}
	return e, err
}

// TestReplayLive wants logs of all verbs to be played again from what is in them alone.
func TestReplayLive(t *testing.T) {
	config := filepath.Join(t.TempDir(), "ksc.yaml")
	text := "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: mine\n"
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	schedule := func(policy, name string) *Live {
		l, err := NewSchedule(plugins.All, policy, name)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	configured := schedule(config, "")
	configured.Name = "mine" // of the pods; a configuration says so itself
	logs := []*Live{schedule("bestfit", "mine"), schedule("fgd:2+bestfit", defaultScheduler), {Verb: LiveLifecycle, Eviction: "kube:grace=20s"}, {Verb: LiveRecord}}
	for _, l := range logs {
		path, digest := playLive(t, l)
		r, err := Replay(t.Context(), path, "", Options{Plugins: plugins.All})
		if err != nil || r.Difference != nil || r.Digest != digest || (r.Decisions == 0) == (l.Verb != LiveRecord) {
			t.Errorf("%s: %+v, %v, and it was %s", l.Verb, r, err, digest)
		}
	}
	configured.Name = ""
	how, err := configured.Scheduler(context.Background(), plugins.All)
	if err != nil || how.Profiles["mine"] == nil || len(how.Profiles) != 1 {
		t.Errorf("a configuration's profiles: %v, %v", how.Profiles, err)
	}
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	if _, err := configured.Scheduler(context.Background(), plugins.All); err != nil {
		t.Errorf("without the file whose content it has: %v", err)
	}
	path, _ := playLive(t, logs[0])
	if r, err := Replay(t.Context(), path, "random", Options{Plugins: plugins.All}); err != nil || r.Difference == nil || r.Policy != "random" {
		t.Errorf("under another policy: %+v, %v", r, err)
	}
}

// TestLiveErrors wants what can't be meant to be told.
func TestLiveErrors(t *testing.T) {
	for _, test := range []struct{ policy, name, want string }{
		{"gone.yaml", "", "name a file"},
		{"fdg", "", "unknown plugin"},
		{"testdata/ksc.yaml", "x", "leave --name out"},
	} {
		if test.policy == "testdata/ksc.yaml" {
			test.policy = filepath.Join(t.TempDir(), "ksc.yaml")
			if err := os.WriteFile(test.policy, []byte("apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := NewSchedule(plugins.All, test.policy, test.name); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s for %q: %v, want %q", test.policy, test.name, err, test.want)
		}
	}
	path, _ := playLive(t, &Live{Verb: LiveRecord})
	if _, err := Replay(t.Context(), path, "fgd", Options{Plugins: plugins.All}); err == nil || !strings.Contains(err.Error(), "leave --policies out") {
		t.Errorf("a policy for a recording: %v", err)
	}
}
