package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
)

// scripted is a KubeletPolicy that notes when it is asked to look, and acts by the second.
type scripted struct {
	full  string // what it says to all pods
	every cluster.Time
	acts  map[cluster.Time]func(pods []cluster.RunningPod) cluster.KubeletActs
	looks []string
}

func (k *scripted) Admit(*cluster.State, cluster.NodeID, cluster.PodID) string { return k.full }

func (k *scripted) Look(s *cluster.State, _ cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) (acts cluster.KubeletActs) {
	text := fmt.Sprintf("%ds", now/second)
	for _, r := range pods {
		text += " " + s.Pods.Name[r.Pod]
		if r.Began == cluster.Never {
			text += " dead"
		} else {
			text += fmt.Sprintf(" %ds", (now-r.Began)/second)
		}
		if r.Ends < cluster.Never {
			text += fmt.Sprintf(" until %ds", r.Ends/second)
		}
	}
	k.looks = append(k.looks, text)
	if do := k.acts[now/second]; do != nil && len(pods) > 0 {
		acts = do(pods)
	}
	acts.Next = cluster.Never
	if k.every > 0 && len(pods) > 0 {
		acts.Next = now + k.every
	}
	return acts
}

// looking returns options of kubelets that look every second, and of a node called n that such
// faults befall.
func looking(k sim.KubeletPolicy, work sim.Work, fs ...faults.Fault) sim.Options {
	opts := failingAs(work, fs...)
	opts.Kubelets.Policy, opts.Kubelets.Look, opts.Until = k, second, 1000*second
	return opts
}

// news plays on until anything is heard, and not only that an end was overtaken.
func news(t *testing.T, c *sim.Cluster, s *cluster.State) string {
	t.Helper()
	for {
		if text := next(t, c, s, cluster.Never, nil); strings.Contains(text, " ") || text == "EOF" {
			return text
		}
	}
}

func kill(pods []cluster.RunningPod) cluster.KubeletActs {
	return cluster.KubeletActs{Killed: []cluster.PodID{pods[0].Pod}}
}

func evict(grace cluster.Time) func([]cluster.RunningPod) cluster.KubeletActs {
	return func(pods []cluster.RunningPod) cluster.KubeletActs {
		return cluster.KubeletActs{Evicted: []cluster.PodStop{{Pod: pods[0].Pod, Grace: grace}}}
	}
}

// TestLooksAreNoEvents wants a node to be looked at while there are pods on it, and nobody to
// hear of it.
func TestLooksAreNoEvents(t *testing.T) {
	k := &scripted{every: 2 * second}
	c, s := start(t, looking(k, sim.Work{}), node("n", 100), pod(0, "a", 1, 5*second), pod(20*second, "b", 1, 0))
	expect(t, next(t, c, s, cluster.Never, bindFirst(s)), "0s NodeAdded PodAdded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "0s PodBound(a)")
	expect(t, next(t, c, s, 3*second, nil), "3s")
	expect(t, next(t, c, s, cluster.Never, nil), "5s PodEnded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "20s PodAdded(b)")
	expect(t, fmt.Sprint(k.looks), "[0s a 0s 2s a 2s 4s a 4s 6s]")
}

// TestBackOff kills a pod's containers wherever they run, and wants them to be started again
// at once, after 10 s, after 20 s.
func TestBackOff(t *testing.T) {
	k := &scripted{every: second, acts: map[cluster.Time]func([]cluster.RunningPod) cluster.KubeletActs{2: kill, 4: kill, 16: kill, 700: kill}}
	c, s := start(t, looking(k, sim.Work{Kept: true}), node("n", 100), pod(0, "a", 1, 800*second))
	next(t, c, s, cluster.Never, bindFirst(s))
	next(t, c, s, cluster.Never, nil)
	expect(t, next(t, c, s, cluster.Never, nil), "4s PodReady(a)")
	expect(t, fmt.Sprint(s.IsReady(0), k.looks), "false [0s a 0s 1s a 1s 2s a 2s 3s a 1s 4s a 2s]")
	expect(t, next(t, c, s, cluster.Never, nil), "14s PodReady(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "16s PodReady(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "36s PodReady(a)")
	// What lasted for more than 10 min is started again at once. 30 s of 800 were lost.
	expect(t, news(t, c, s), "830s PodEnded(a)")
}

// TestEvictedByKubelet wants a pod to end within the grace that the kubelet gives it, what is
// left of its work to be another's, and looks to tell that it is on its way.
func TestEvictedByKubelet(t *testing.T) {
	k := &scripted{every: second, acts: map[cluster.Time]func([]cluster.RunningPod) cluster.KubeletActs{2: evict(3 * second), 3: evict(30 * second)}}
	a := pod(0, "a", 1, 100*second)
	a.PodSpec.Stop, a.PodSpec.Grace = 10*second, 30*second
	c, s := start(t, looking(k, sim.Work{Kept: true}), node("n", 100), a)
	next(t, c, s, cluster.Never, bindFirst(s))
	next(t, c, s, cluster.Never, nil)
	told := next(t, c, s, cluster.Never, nil)
	expect(t, told, "2s PodTold(a)")
	expect(t, s.Pods.Phase[0].String(), "Terminating")
	ended := next(t, c, s, cluster.Never, func() {
		s.Create(&cluster.PodSpec{Name: "b", Class: &cluster.Class{}, Continues: "a", Run: 100 * second})
	})
	expect(t, ended, "5s PodEnded(a)")
	expect(t, fmt.Sprint(k.looks), "[0s a 0s 1s a 1s 2s a 2s 3s a 3s until 5s 4s a 4s until 5s 5s]")
	expect(t, next(t, c, s, cluster.Never, bindFirst(s)), "5s PodAdded(b)")
	next(t, c, s, cluster.Never, nil)
	expect(t, news(t, c, s), "103s PodEnded(b)") // of 100 s what a had done when it was told is done
}

// TestPartitionedKubelet wants a kubelet that is cut off to go on evicting, which is heard of
// when it is back; and one that hangs to do nothing.
func TestPartitionedKubelet(t *testing.T) {
	for _, test := range []struct {
		kind faults.Kind
		want string
	}{
		{faults.Partition, "30s PodEnded(a) NodeHeard"},
		{faults.Hang, "30s NodeHeard"},
	} {
		k := &scripted{every: second, acts: map[cluster.Time]func([]cluster.RunningPod) cluster.KubeletActs{10: evict(0)}}
		c, s := start(t, looking(k, sim.Work{}, fault(test.kind, 5, 30)), node("n", 100), pod(0, "a", 1, 100*second))
		next(t, c, s, cluster.Never, bindFirst(s))
		next(t, c, s, cluster.Never, nil)
		expect(t, next(t, c, s, cluster.Never, nil), "5s NodeHeard")
		expect(t, news(t, c, s), test.want)
		looked := len(k.looks)
		next(t, c, s, 40*second, nil)
		if stays := test.kind == faults.Hang; stays != (len(k.looks) > looked+1) {
			t.Errorf("%v: after the fault, looks are %v", test.kind, k.looks[looked:])
		}
	}
}

// TestPressureIsPosted wants what a look finds to be posted when it changes, beside what faults
// bring, and pods to be turned away.
func TestPressureIsPosted(t *testing.T) {
	short := func([]cluster.RunningPod) (acts cluster.KubeletActs) {
		acts.Conditions[cluster.NodeMemoryPressure] = cluster.ConditionTrue
		return acts
	}
	disk := fault(faults.Pressure, 1, 30)
	disk.Signal = "disk"
	k := &scripted{every: second, acts: map[cluster.Time]func([]cluster.RunningPod) cluster.KubeletActs{2: short, 3: short}}
	c, s := start(t, looking(k, sim.Work{}, disk), node("n", 100), pod(0, "a", 1, 100*second), pod(9*second, "b", 1, second))
	next(t, c, s, cluster.Never, bindFirst(s))
	next(t, c, s, cluster.Never, nil)
	for _, want := range []string{"1s NodeHeard [True False True False False]", "2s NodeHeard [True True True False False]", "4s NodeHeard [True False True False False]"} {
		got := next(t, c, s, cluster.Never, nil)
		expect(t, fmt.Sprint(got, " ", s.Nodes.Health[0].Conditions), want)
	}
	if posted, _ := s.Nodes.Health[0].Posts.Latest(s.Now); posted != s.Now {
		t.Errorf("at %d ns it was posted last at %d", s.Now, posted)
	}
	k.full = "no room"
	expect(t, next(t, c, s, cluster.Never, func() { s.Bind(1, 0, cluster.Allocation{}) }), "9s PodAdded(b)")
	expect(t, next(t, c, s, cluster.Never, nil), "9s Rejected(b) no room")
}

// slowly is a scripted that gives pods one after the other 10 s to end.
type slowly struct{ scripted }

func (k *slowly) ShutDown(_ *cluster.State, _ cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) (stops []cluster.PodStop, off cluster.Time) {
	off = now
	for _, r := range pods {
		stops = append(stops, cluster.PodStop{Pod: r.Pod, Begin: off, Grace: 10 * second})
		off += 10 * second
	}
	return stops, off
}

func TestShutdown(t *testing.T) {
	events := func() []cluster.Event {
		all := []cluster.Event{node("n", 100), pod(0, "a", 1, cluster.Never), pod(0, "b", 1, cluster.Never), pod(8*second, "c", 1, cluster.Never)}
		all[1].PodSpec.Stop, all[1].PodSpec.Grace = 4*second, 30*second
		return all
	}
	bind := func(s *cluster.State, pods ...cluster.PodID) func() {
		return func() {
			for _, p := range pods {
				s.Bind(p, 0, cluster.Allocation{})
			}
		}
	}
	c, s := start(t, looking(&slowly{}, sim.Work{}, fault(faults.Shutdown, 5, 60)), events()...)
	next(t, c, s, cluster.Never, bind(s, 0, 1))
	next(t, c, s, cluster.Never, nil)
	expect(t, next(t, c, s, cluster.Never, nil), "5s NodeHeard PodTold(a)")
	expect(t, s.Nodes.Health[0].Conditions[cluster.NodeReady].String(), "False")
	expect(t, next(t, c, s, cluster.Never, bind(s, 2)), "8s PodAdded(c)")
	expect(t, next(t, c, s, cluster.Never, nil), "8s Rejected(c) NodeShutdown")
	expect(t, next(t, c, s, cluster.Never, nil), "9s PodEnded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "15s PodTold(b)")
	expect(t, next(t, c, s, cluster.Never, nil), "15s PodEnded(b)")
	expect(t, next(t, c, s, cluster.Never, nil), "25s NodeHeard")
	if at, _ := s.Nodes.Health[0].Lease.Latest(50 * second); at > 25*second || !c.Down(0) {
		t.Errorf("when the node should be off, it renews its lease at %d ns", at)
	}
	expect(t, next(t, c, s, cluster.Never, nil), "60s NodeHeard")
	expect(t, s.Nodes.Health[0].Conditions[cluster.NodeReady].String(), "True")

	// Who doesn't know how to do it gracefully has the node go off at once.
	c, s = start(t, looking(&scripted{}, sim.Work{}, fault(faults.Shutdown, 5, 60)), events()...)
	next(t, c, s, cluster.Never, bind(s, 0, 1))
	next(t, c, s, cluster.Never, nil)
	expect(t, next(t, c, s, cluster.Never, nil), "5s NodeHeard")
	expect(t, fmt.Sprint(c.Down(0)), "true")
}

func TestLooksNeedAnEnd(t *testing.T) {
	opts := looking(&scripted{}, sim.Work{})
	opts.Until = 0
	if _, err := sim.New(cluster.NewState(), &sim.List{}, opts); err == nil {
		t.Error("kubelets look at their nodes for ever")
	}
}
