//go:build linux && e2e

package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// recordedSpace is the namespace of what is recorded.
	recordedSpace = "recorded"

	// planted is where a recorder must not look, in a Secret and elsewhere.
	planted = "hunter2-planted-where-no-recorder-looks"

	// away is for how long the API server is: for longer than a Lease is waited for.
	away = 20 * time.Second

	// slack is by how much clocks and processes may disagree.
	slack = time.Second
)

// recordFor is how long the recording lasts, but for what is waited for: $RECORD, or 40 s.
func recordFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("RECORD")
	if text == "" {
		return 40 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 2*away {
		t.Fatalf("RECORD is %q; give a duration of at least %v, such as 10m", text, 2*away)
	}
	return d
}

// recording has a cluster be recorded while pods come and go and its API server is killed and
// comes back. Those that need no Lease must outlive that, the one that holds one must not; the
// recording must have the gap, nothing that is nobody's business, and what the API server has.
func (b *bed) recording(t *testing.T) {
	lasts, dir := recordFor(t), t.TempDir()
	files := map[string]string{}
	b.plant(t)
	began := time.Now()
	follow := func(verb string, args ...string) *follower {
		return b.follow(t, dir, append([]string{verb}, args...)...)
	}
	log := func(verb string) string {
		files[verb] = filepath.Join(dir, verb+".berth")
		return files[verb]
	}
	record := follow("record", "-f", log("record"))
	schedule := follow("schedule", "--leader-elect=false", "--log", log("schedule"))
	lifecycle := follow("lifecycle", "--leader-elect=false", "--log", log("lifecycle"))
	leader := follow("schedule", "--name", "of-nobody", "--leader-elect-resource-namespace", recordedSpace)

	c := &churn{bed: b, t: t}
	c.until(began.Add((lasts - away) / 2))
	c.running()
	out := b.outage(t)
	leader.ends(3)
	c.step() // at once
	c.until(began.Add(lasts))
	c.bound()
	b.renewed(t, out.until)

	before := b.live(t)
	b.create(t, work(recordedSpace, "last", "", "16Mi")) // which nobody schedules
	await(t, "the recording has the last pod", func(context.Context) (bool, error) {
		r, err := readRecording(files["record"] + ".partial")
		if r == nil {
			return false, err
		}
		_, has := r.objects["pod "+recordedSpace+"/last"]
		return has, nil
	})
	for _, f := range []*follower{record, schedule, lifecycle} {
		f.interrupt()
	}
	for _, f := range []*follower{record, schedule, lifecycle} {
		f.ends(130)
	}
	b.isRecorded(t, files["record"], before, b.live(t))
	b.hasGap(t, files["record"], began, out)
	for _, file := range files {
		b.run(t, b.berth, "replay", file, "--verify")
		b.run(t, b.berth, "trace", "validate", file)
		b.isDiscreet(t, file)
	}
}

// plant makes a Secret and a ConfigMap that hold what must not be recorded.
func (b *bed) plant(t *testing.T) {
	t.Helper()
	ctx, core1 := t.Context(), b.client.CoreV1()
	space := &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: recordedSpace, Annotations: map[string]string{"note": planted}}}
	if _, err := core1.Namespaces().Create(ctx, space, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	secret := &core.Secret{ObjectMeta: meta.ObjectMeta{Name: "secret"}, StringData: map[string]string{"SECRET": planted}}
	if _, err := core1.Secrets(recordedSpace).Create(ctx, secret, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "config"}, Data: map[string]string{"CONFIG": planted}}
	if _, err := core1.ConfigMaps(recordedSpace).Create(ctx, config, meta.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// secretive returns a pod for Berth's scheduler that has what is planted in its environment, by
// all ways there are, and in its arguments and annotations.
func secretive(name string, args ...string) *core.Pod {
	p := work(recordedSpace, name, "", "16Mi", append(args, planted)...)
	p.Annotations = map[string]string{"note": planted}
	p.Spec.SchedulerName = "berth-scheduler"
	c := &p.Spec.Containers[0]
	from := core.LocalObjectReference{Name: "secret"}
	c.Env = []core.EnvVar{
		{Name: "VALUE", Value: planted},
		{Name: "REFERENCE", ValueFrom: &core.EnvVarSource{SecretKeyRef: &core.SecretKeySelector{LocalObjectReference: from, Key: "SECRET"}}},
	}
	c.EnvFrom = []core.EnvFromSource{
		{SecretRef: &core.SecretEnvSource{LocalObjectReference: from}},
		{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "config"}}},
	}
	return p
}

// A churn has pods come and go.
type churn struct {
	bed   *bed
	t     *testing.T
	count int
}

// kept is how many pods there are at a time, but for those that end by themselves.
const kept = 4

// step has one pod come that goes on, one that ends by itself, and the oldest one go.
func (c *churn) step() {
	c.t.Helper()
	c.bed.create(c.t, secretive(fmt.Sprintf("web-%d", c.count)))
	short := secretive(fmt.Sprintf("job-%d", c.count), "--for", "2s")
	short.Spec.RestartPolicy = core.RestartPolicyNever
	c.bed.create(c.t, short)
	if oldest := c.count - kept; oldest >= 0 {
		err := c.bed.client.CoreV1().Pods(recordedSpace).Delete(c.t.Context(), fmt.Sprintf("web-%d", oldest), meta.DeleteOptions{})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	c.count++
}

// until steps every few seconds, at least as often as pods are kept.
func (c *churn) until(end time.Time) {
	c.t.Helper()
	for i := 0; i < kept || time.Now().Before(end); i++ {
		c.step()
		select {
		case <-time.After(3 * time.Second):
		case <-c.t.Context().Done():
			c.t.Fatal(c.t.Context().Err())
		}
	}
}

// running waits until the last pod runs.
func (c *churn) running() {
	c.t.Helper()
	c.await("runs", func(p *core.Pod) bool { return p.Status.Phase == core.PodRunning })
}

// bound waits until the last pod has a node: its kubelet may take a minute to see that.
func (c *churn) bound() {
	c.t.Helper()
	c.await("has a node", func(p *core.Pod) bool { return p.Spec.NodeName != "" })
}

func (c *churn) await(what string, holds func(p *core.Pod) bool) {
	c.t.Helper()
	name := fmt.Sprintf("web-%d", c.count-1)
	await(c.t, name+" "+what, func(ctx context.Context) (bool, error) {
		p, err := c.bed.client.CoreV1().Pods(recordedSpace).Get(ctx, name, meta.GetOptions{})
		return err == nil && holds(p), nil
	})
}

// A span is from before something was done until after that.
type span struct{ from, until time.Time }

// outage kills the API server, and has it come back.
func (b *bed) outage(t *testing.T) (out span) {
	t.Helper()
	out.from = time.Now()
	b.run(t, b.berth, "lab", "fault", "--name", b.name, "stop-apiserver", "--for", away.String())
	out.until = time.Now()
	return out
}

// renewed waits until each kubelet has renewed its lease since a time.
func (b *bed) renewed(t *testing.T, since time.Time) {
	t.Helper()
	await(t, "all leases are renewed", func(ctx context.Context) (bool, error) {
		leases, err := b.client.CoordinationV1().Leases(core.NamespaceNodeLease).List(ctx, meta.ListOptions{})
		if err != nil {
			return false, nil
		}
		for _, l := range leases.Items {
			if l.Spec.RenewTime == nil || !l.Spec.RenewTime.After(since) {
				return false, nil
			}
		}
		return len(leases.Items) > 0, nil
	})
}

// encoded is what is planted as JSON has it in a Secret.
func encoded() string { return base64.StdEncoding.EncodeToString([]byte(planted)) }
