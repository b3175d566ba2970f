package kubetest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/berthsim/berth/cluster/kube/kubetest"
)

// A world is a server whose objects change all the time, and informers that look on.
type world struct {
	t       *testing.T
	server  *kubetest.Server
	client  *kubernetes.Clientset
	factory informers.SharedInformerFactory
	ctx     context.Context
}

// inWorld runs a test in virtual time, with two nodes, their pods coming and going once
// a second, and informers of pods, nodes and leases.
func inWorld(t *testing.T, o kubetest.Options, test func(*world)) {
	synctest.Test(t, func(t *testing.T) {
		s := kubetest.New(o)
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		w := &world{t: t, server: s, client: client(t, s), ctx: ctx}
		s.Kubelet("a", kubetest.KubeletOptions{})
		s.Kubelet("b", kubetest.KubeletOptions{StopDelay: 2 * time.Second})
		w.factory = informers.NewSharedInformerFactory(w.client, 0)
		w.factory.Core().V1().Pods().Informer()
		w.factory.Core().V1().Nodes().Informer()
		w.factory.Coordination().V1().Leases().Informer()
		w.factory.Start(ctx.Done())
		w.factory.WaitForCacheSync(ctx.Done())
		defer w.factory.Shutdown()
		defer cancel()
		test(w)
	})
}

// churn changes things for a while, at the server itself: a pod comes each second,
// bound to a node in turn, runs for ten seconds, and is deleted after twenty.
func (w *world) churn(seconds int) {
	for i := range seconds {
		p := pod(fmt.Sprintf("p%d", i))
		p.Annotations = map[string]string{kubetest.RunFor: "10s"}
		p.Spec.NodeName = string("ab"[i%2])
		if err := w.server.Add(p); err != nil {
			w.t.Error(err)
		}
		if i >= 20 {
			if err := kubetest.Delete[*corev1.Pod](w.server, "default", fmt.Sprintf("p%d", i-20)); err != nil {
				w.t.Error(err)
			}
		}
		time.Sleep(time.Second)
	}
}

// differences compares what the informers show with what the server has.
func (w *world) differences() string {
	type seen map[string]string // versions of objects
	of := func(kind string, objects []metav1.Object) seen {
		s := seen{}
		for _, o := range objects {
			s[kind+" "+o.GetNamespace()+"/"+o.GetName()+" "+string(o.GetUID())] = o.GetResourceVersion()
		}
		return s
	}
	shown := func(kind string, objects []any) seen {
		var os []metav1.Object
		for _, o := range objects {
			os = append(os, o.(metav1.Object))
		}
		return of(kind, os)
	}
	diff := cmp.Diff(of("pod", asMeta(kubetest.List[*corev1.Pod](w.server))), shown("pod", w.factory.Core().V1().Pods().Informer().GetStore().List()))
	return diff + cmp.Diff(of("node", asMeta(kubetest.List[*corev1.Node](w.server))), shown("node", w.factory.Core().V1().Nodes().Informer().GetStore().List()))
}

func asMeta[T metav1.Object](in []T) (out []metav1.Object) {
	for _, o := range in {
		out = append(out, o)
	}
	return out
}

// TestInformersThroughFaults lets one kind of fault happen, and expects that informers
// miss nothing in the end.
func TestInformersThroughFaults(t *testing.T) {
	faults := map[string]kubetest.Script{
		"none":              nil,
		"watches cut":       {{At: 5 * time.Second, Act: kubetest.Cut}, {At: 6 * time.Second, Act: kubetest.Cut}},
		"watches mute":      {{At: 5 * time.Second, Act: kubetest.Mute, For: 15 * time.Second}},
		"watches held":      {{At: 5 * time.Second, Act: kubetest.Hold, For: 15 * time.Second}},
		"history forgotten": {{At: 5 * time.Second, Act: kubetest.Forget}},
		"too old":           {{At: 5 * time.Second, Act: kubetest.Expire}},
		"restart":           {{At: 5 * time.Second, Act: kubetest.Down, For: 8 * time.Second}},
		"silence":           {{At: 5 * time.Second, Act: kubetest.Silent, For: 12 * time.Second}},
		"lists lag":         {{At: 2 * time.Second, Act: kubetest.Lag, For: 10 * time.Second}, {At: 5 * time.Second, Act: kubetest.Cut}},
		"500 on lists and watches": {
			{At: 4 * time.Second, For: 10 * time.Second, Act: kubetest.Requests, Fault: kubetest.Fault{Code: 500}},
			{At: 5 * time.Second, Act: kubetest.Expire},
		},
		"429 on lists and watches": {
			{At: 4 * time.Second, For: 10 * time.Second, Act: kubetest.Requests, Fault: kubetest.Fault{Code: 429, RetryAfter: 2 * time.Second, Probability: 0.7}},
			{At: 5 * time.Second, Act: kubetest.Expire},
		},
		"resets": {
			{At: 4 * time.Second, For: 10 * time.Second, Act: kubetest.Requests, Fault: kubetest.Fault{Reset: kubetest.ResetAfter, Probability: 0.7}},
			{At: 5 * time.Second, Act: kubetest.Cut},
		},
		"latency": {
			{At: 4 * time.Second, For: 10 * time.Second, Act: kubetest.Requests, Fault: kubetest.Fault{Latency: 7 * time.Second}},
			{At: 5 * time.Second, Act: kubetest.Cut},
		},
	}
	for name, script := range faults {
		for _, o := range []kubetest.Options{{}, {NoWatchList: true}} {
			t.Run(fmt.Sprintf("%s/NoWatchList=%t", name, o.NoWatchList), func(t *testing.T) {
				inWorld(t, o, func(w *world) {
					played := make(chan error, 1)
					go func() { played <- w.server.Play(w.ctx, script) }()
					w.churn(40)
					if err := <-played; err != nil {
						t.Error(err)
					}
					time.Sleep(2 * time.Minute) // back-offs of client-go end within this
					if diff := w.differences(); diff != "" {
						t.Errorf("an informer's store differs from the server (-server, +informer):\n%s", diff)
					}
				})
			})
		}
	}
}

// scriptsTried is how many random scripts TestRandomScripts plays.
const scriptsTried = 60

// TestRandomScripts is the same with whatever goes wrong.
func TestRandomScripts(t *testing.T) {
	for seed := range uint64(scriptsTried) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { informersSurvive(t, seed) })
	}
}

func FuzzScripts(f *testing.F) {
	f.Add(uint64(scriptsTried))
	f.Fuzz(informersSurvive)
}

// informersSurvive plays the random script of a seed.
func informersSurvive(t *testing.T, seed uint64) {
	script := kubetest.RandomScript(seed, 50*time.Second)
	inWorld(t, kubetest.Options{Seed: seed, NoWatchList: seed%3 == 0, History: 20 + int(seed%7)*20}, func(w *world) {
		played := make(chan error, 1)
		go func() { played <- w.server.Play(w.ctx, script) }()
		w.churn(40)
		if err := <-played; err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Minute)
		if diff := w.differences(); diff != "" {
			t.Errorf("an informer's store differs from the server (-server, +informer):\n%s\nafter\n%s", diff, script)
		}
		if twice := w.server.BoundTwice(); twice != "" {
			t.Error(twice)
		}
	})
}
