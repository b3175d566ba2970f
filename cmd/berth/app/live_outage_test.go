package app

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/cluster/kube/kubetest"
	v1 "k8s.io/api/core/v1"
)

// TestOutage has the API server be away for longer than a Lease is waited for. Who holds none
// must go on, and see what is there again before nodes seem silent for too long: what comes as soon as it is back is scheduled, no node is tainted, and all is
// played again.
func TestOutage(t *testing.T) {
	dir := t.TempDir()
	logs := map[string]string{"schedule": "", "lifecycle": ""} // digests
	file := func(verb string) string { return filepath.Join(dir, verb+".berth") }
	synctest.Test(t, func(t *testing.T) {
		server := serve(t)
		for _, name := range []string{"a", "b"} {
			server.Kubelet(name, kubetest.KubeletOptions{})
		}
		schedule := start(t, server, "schedule", "--leader-elect=false", "--log", file("schedule"), "-o", "json")
		lifecycle := start(t, server, "lifecycle", "--leader-elect=false", "--log", file("lifecycle"), "-o", "json")
		time.Sleep(30 * time.Second)
		add(t, server, pods(ownScheduler, 2, "1")...)
		time.Sleep(10 * time.Second)
		server.Restart(20 * time.Second)
		time.Sleep(20 * time.Second)
		add(t, server, pods(ownScheduler, 3, "2")...)
		time.Sleep(time.Minute)
		schedule.terminate()
		lifecycle.terminate()
		schedule.ends(0)
		lifecycle.ends(0)
		logs["schedule"], logs["lifecycle"] = schedule.digest(), lifecycle.digest()
		if bound(server) != 5 || server.BoundTwice() != "" {
			t.Errorf("%d pods are bound, want 5\n%s%s", bound(server), server.BoundTwice(), schedule.errs.String())
		}
		for _, name := range []string{"a", "b"} {
			if n, err := kubetest.Get[*v1.Node](server, "", name); err != nil || len(n.Spec.Taints) != 0 {
				t.Errorf("node %s has %+v, %v\n%s", name, n.Spec.Taints, err, lifecycle.errs.String())
			}
		}
		for _, v := range []*verb{schedule, lifecycle} {
			if text := v.errs.String(); strings.Contains(text, "context canceled") {
				t.Errorf("%s says that it failed because it was stopped:\n%s", v.description, text)
			}
		}
	})
	for verb, digest := range logs {
		replays(t, file(verb), digest)
	}
}

// TestLeaderOutage wants a leader to outlive an API server's short absence, and to end in a long
// one before its Lease has run out, so that it never acts beside another: both when connections
// are refused and when nothing is ever answered.
func TestLeaderOutage(t *testing.T) {
	const deadline, retry = 10 * time.Second, 2 * time.Second // as the flags have it; the Lease lasts 15 s
	for name, away := range map[string]func(*kubetest.Server, time.Duration){"refused": (*kubetest.Server).Restart, "silent": (*kubetest.Server).Silence} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := serve(t)
				leaders := []*verb{start(t, server, "schedule"), start(t, server, "lifecycle")}
				time.Sleep(time.Minute)
				away(server, deadline/2)
				time.Sleep(time.Minute)
				for _, v := range leaders {
					if len(v.status) > 0 {
						t.Fatalf("%s has ended in a short outage:\n%s", v.description, v.errs.String())
					}
				}
				away(server, time.Hour)
				gone := time.Now()
				for _, v := range leaders {
					v.ends(exitWorldFailed)
					if !strings.Contains(v.errs.String(), "berth: the Lease was lost") {
						t.Errorf("why it ended:\n%s", v.errs.String())
					}
					if after := lastTime(t, v, "leading no more").Sub(gone); after < deadline-retry || after > deadline+retry {
						t.Errorf("it leads for %v without a server, want %v to %v", after, deadline-retry, deadline+retry)
					}
				}
			})
		})
	}
}

// lastTime returns when a verb's log says something last.
func lastTime(t *testing.T, v *verb, what string) (at time.Time) {
	t.Helper()
	for line := range strings.Lines(v.errs.String()) {
		var entry struct {
			Time time.Time
			Msg  string
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == what {
			at = entry.Time
		}
	}
	if at.IsZero() {
		t.Errorf("%s doesn't log %q:\n%s", v.description, what, v.errs.String())
	}
	return at
}
