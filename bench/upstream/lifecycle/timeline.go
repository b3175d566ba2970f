// Package lifecycle holds Berth's node health and taint eviction against upstream's. Upstream's node
// lifecycle controller and taint eviction controller run in virtual time (testing/synctest) over a fake
// API, live through a Timeline, and what they write is noted with its time: conditions set Unknown,
// taints put and taken, pods marked not ready, pods deleted.
//
// Where upstream's answer would differ from run to run, these things are pinned:
//
//   - Of what is ready to happen at one instant, one thing happens after another, and each is seen by
//     everybody before the next begins (turns.go has the order). So there are no conflicting writes.
//   - The monitor goes through nodes in order of their names, one after another. Upstream has eight
//     workers and a list in the order of a map.
//   - Nodes that are queued for tainting at one instant leave the queue in the order in which they
//     entered it. A clock that moves gives each a time of its own, and so does the one that the queue
//     gets here.
//   - What happens to the cluster happens at instants at which no controller acts on its own: never at
//     whole tenths of a second.
//
// Upstream's part knows nothing of Berth: anything that is a Player can be compared.
package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// A Timeline is a cluster and what happens to it, as far as controllers don't decide it.
type Timeline struct {
	Why      []string // what it shows, for people
	Settings Settings
	Nodes    []Node  // in order of time
	Pods     []Pod   // in order of time
	Events   []Event // in order of time
	End      time.Duration
}

// Settings are the node lifecycle controller's.
type Settings struct {
	Period    time.Duration // between two passes of the monitor
	Startup   time.Duration // grace of a node without a Ready condition
	Grace     time.Duration // of the others
	Rate      float32       // nodes tainted per second in a zone, at most
	Secondary float32       // the same in a large zone in partial disruption
	Large     int32         // a zone with more nodes is large
	Threshold float32       // the part of nodes not ready from which on a zone is in partial disruption
}

// DefaultSettings are those of kube-controller-manager.
func DefaultSettings() Settings {
	return Settings{
		Period: 5 * time.Second, Startup: time.Minute, Grace: 50 * time.Second,
		Rate: 0.1, Secondary: 0.01, Large: 50, Threshold: 0.55,
	}
}

// A Node, with its kubelet.
type Node struct {
	Name         string
	Zone, Region string        // labels; "" for none
	Excluded     bool          // has the label node.kubernetes.io/exclude-disruption
	At           time.Duration // when it is added; at 0 it is there before the controllers start
	Age          time.Duration // of a node that is there at 0; whole seconds
	Lease        Beat          // renewals of the lease
	Status       Beat          // posts of the status that come anyway, besides Post events
	Silent       bool          // has no conditions until a Post event
	Cordoned     bool
	Taints       []Taint
}

// A Beat is something that the kubelet does again and again: at Phase, and whenever Every has passed
// since, or would have before.
type Beat struct{ Every, Phase time.Duration } // no beat if Every is 0

// last returns the last beat up to a time.
func (b Beat) last(at time.Duration) time.Duration {
	d := (at - b.Phase) % b.Every
	if d < 0 {
		d += b.Every
	}
	return at - d
}

// A Taint of a node.
type Taint struct{ Key, Value, Effect string }

// A Pod on a node. Its name is its own for ever: there is no second pod of that name.
type Pod struct {
	Name, Node  string
	At          time.Duration // when it is added; at 0 it is there before the controllers start
	Grace       time.Duration // that it asks for when it is deleted; whole seconds
	Stop        time.Duration // after that from its deletion, it is gone; 0: never
	NotReady    bool          // isn't ready when it is added
	Tolerations []Toleration
}

// A Toleration of a pod. Operator is "Exists" or "Equal"; an empty Key, with Exists, is any, and so is
// an empty Effect. Without Limited it tolerates for ever, otherwise for that many Seconds.
type Toleration struct {
	Key, Operator, Value, Effect string
	Limited                      bool
	Seconds                      int64
}

// A Verb says what happens in an Event.
type Verb string

// What happens to nodes and pods.
const (
	Fail         Verb = "fail"          // the kubelet neither renews its lease nor posts its status any more
	Return       Verb = "return"        // it does both again, in phase
	StopLease    Verb = "stop-lease"    // it doesn't renew its lease
	RenewLease   Verb = "renew-lease"   // it does again
	StopStatus   Verb = "stop-status"   // it doesn't post its status
	ResumeStatus Verb = "resume-status" // it does again
	Post         Verb = "post"          // it posts its status, with Conditions changed, even if it has failed
	Network      Verb = "network"       // somebody sets NetworkUnavailable, to the one of Conditions
	Put          Verb = "taint"         // a user puts a Taint
	Take         Verb = "untaint"       // a user takes the taints of Taint's key and effect
	Cordon       Verb = "cordon"
	Uncordon     Verb = "uncordon"
	RemoveNode   Verb = "remove-node" // the node's object is gone; its pods' are not
	DeletePod    Verb = "delete-pod"  // a user deletes the pod, which takes its time to stop
	RemovePod    Verb = "remove-pod"  // the pod's object is gone
	ReadyPod     Verb = "ready-pod"   // the kubelet posts that the pod is ready
	Tolerate     Verb = "tolerate"    // a user adds a Toleration to the pod
)

// verbs are all of them, and whether they are of nodes.
var verbs = map[Verb]bool{
	Fail: true, Return: true, StopLease: true, RenewLease: true, StopStatus: true, ResumeStatus: true, Post: true, Network: true, Put: true, Take: true,
	Cordon: true, Uncordon: true, RemoveNode: true, DeletePod: false, RemovePod: false, ReadyPod: false, Tolerate: false,
}

// An Event happens to a node or a pod, by Name. It comes to nothing if there is none of that name.
type Event struct {
	At         time.Duration
	Verb       Verb
	Name       string
	Conditions []Condition // of Post and Network
	Taint      Taint       // of Put and Take
	Toleration Toleration  // of Tolerate
}

// A Condition of a node: Ready, MemoryPressure, DiskPressure, PIDPressure or NetworkUnavailable.
type Condition struct {
	Type string
	True bool
}

// Check says what is wrong with a timeline: disorder, a time at which controllers act, names twice.
func (t *Timeline) Check() error {
	var last time.Duration
	when := func(at time.Duration, what string) error {
		switch {
		case at < last:
			return fmt.Errorf("%s at %v comes after %v", what, at, last)
		case at > 0 && at%(100*time.Millisecond) == 0 || at < 0:
			return fmt.Errorf("%s at %v, when controllers act", what, at)
		}
		last = at
		return nil
	}
	for _, n := range t.Nodes {
		if err := when(n.At, "node "+n.Name); err != nil {
			return err
		}
	}
	last = 0
	pods := map[string]bool{}
	for _, p := range t.Pods {
		if err := when(p.At, "pod "+p.Name); err != nil {
			return err
		}
		if pods[p.Name] {
			return fmt.Errorf("pod %s is there twice", p.Name)
		}
		pods[p.Name] = true
	}
	last = 0
	for _, e := range t.Events {
		if err := when(e.At, string(e.Verb)+" "+e.Name); err != nil {
			return err
		}
		if e.At == 0 {
			return fmt.Errorf("%s %s at 0, when controllers act", e.Verb, e.Name)
		}
	}
	return nil
}

// Clone copies a timeline as deep as the shrinker changes it.
func (t *Timeline) Clone() *Timeline {
	c := *t
	c.Nodes, c.Pods, c.Events = slices.Clone(t.Nodes), slices.Clone(t.Pods), slices.Clone(t.Events)
	return &c
}
