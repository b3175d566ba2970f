package lifecycle

import "time"

// scenes are what may happen in a timeline, from some time on.
var scenes = []func(d *drawer, at time.Duration){
	func(d *drawer, at time.Duration) { d.crash(at, d.anyNode()) },
	func(d *drawer, at time.Duration) { d.crash(at, d.anyNode()) },
	(*drawer).flap,
	(*drawer).reports,
	(*drawer).reports,
	func(d *drawer, at time.Duration) { d.outage(at, pick(d, d.zones...), 0.3+0.6*d.Float64()) },
	func(d *drawer, at time.Duration) { d.outage(at, pick(d, d.zones...), 0.3+0.6*d.Float64()) },
	func(d *drawer, at time.Duration) { d.outage(at, pick(d, d.zones...), 1) },
	(*drawer).dark,
	(*drawer).pressure,
	(*drawer).taints,
	(*drawer).taints,
	(*drawer).meddles,
	(*drawer).drains,
	(*drawer).leaves,
	(*drawer).leaves,
	(*drawer).comes,
	(*drawer).half,
	(*drawer).crew,
}

func (d *drawer) anyNode() int { return d.IntN(len(d.t.Nodes)) }

// event adds an event of a node.
func (d *drawer) event(at time.Duration, verb Verb, node int) *Event {
	d.t.Events = append(d.t.Events, Event{At: at, Verb: verb, Name: d.t.Nodes[node].Name})
	return &d.t.Events[len(d.t.Events)-1]
}

func (d *drawer) post(at time.Duration, node int, conditions ...Condition) {
	d.event(at, Post, node).Conditions = conditions
}

// pause draws how long something lasts, in seconds: seldom longer than nodes have to answer, often about
// as long, often long enough for taints, sometimes for evictions.
func (d *drawer) pause() time.Duration {
	grace := d.t.Settings.Grace.Seconds()
	switch d.IntN(5) {
	case 0:
		return d.between(1, grace)
	case 1:
		return d.between(grace-5, grace+15)
	case 2, 3:
		return d.between(grace+5, grace+100)
	default:
		return d.between(grace+100, 500)
	}
}

// crash has a kubelet fail, and mostly return.
func (d *drawer) crash(at time.Duration, node int) {
	d.event(at, Fail, node)
	if d.chance(75) {
		d.recovers(at+d.pause(), node)
	}
}

// recovers has a kubelet return, and post its status soon, and its pods' later.
func (d *drawer) recovers(at time.Duration, node int) {
	at = d.after(at, 0, 0)
	d.event(at, Return, node)
	posts := d.after(at, 1, 10)
	if d.chance(90) {
		d.post(posts, node)
	}
	for _, p := range d.t.Pods {
		if p.Node == d.t.Nodes[node].Name && d.chance(70) {
			d.t.Events = append(d.t.Events, Event{At: d.after(posts, 1, 4), Verb: ReadyPod, Name: p.Name})
		}
	}
}

func (d *drawer) flap(at time.Duration) {
	node := d.anyNode()
	for range 2 + d.IntN(4) {
		d.event(at, Fail, node)
		at = d.after(at, 3, d.t.Settings.Grace.Seconds()+25)
		d.recovers(at, node)
		at = d.after(at, 11, 60)
	}
}

// reports has a kubelet say that it isn't ready, then perhaps nothing more, then what it is.
func (d *drawer) reports(at time.Duration) {
	node := d.anyNode()
	d.post(at, node, Condition{"Ready", false})
	at += d.pause()
	if d.chance(60) {
		at = d.after(at, 0, 0)
		d.event(at, Fail, node)
		at += d.pause()
		d.event(d.after(at, 0, 0), Return, node)
		at = d.after(at, 1, 9)
		d.post(at, node)
		at += d.pause()
	}
	d.post(d.after(at, 0, 0), node, Condition{"Ready", true})
}

// outage has a part of some nodes fail at one instant, or say one after another that they aren't ready,
// and some of them return.
func (d *drawer) outage(at time.Duration, nodes []int, part float64) {
	says, back := d.chance(30), at+d.pause()
	returning := pick(d, 0, 50, 90, 100)
	for _, node := range nodes {
		if d.Float64() >= part {
			continue
		}
		if says {
			d.post(d.after(at, 0, 8), node, Condition{"Ready", false})
		} else {
			d.event(at, Fail, node)
		}
		if !d.chance(returning) {
			continue
		}
		if says {
			d.post(d.after(back, 0, 30), node, Condition{"Ready", true})
		} else {
			d.recovers(d.after(back, 0, pick(d, 1.0, 30, 100)), node)
		}
	}
}

// brink has as many nodes of a zone fail as the threshold wants, or one less, in a zone that is just large,
// or just isn't, by settings made for it.
func (d *drawer) brink(at time.Duration) {
	zone := pick(d, d.zones...)
	n := len(zone)
	if n < 4 {
		return
	}
	failing := 3 + d.IntN(n-3)
	d.t.Settings.Large = int32(n - d.IntN(2))
	d.t.Settings.Threshold = float32(failing) / float32(n)
	failing -= d.IntN(2)
	back := d.after(at, d.t.Settings.Grace.Seconds()+20, 200)
	returning := pick(d, 0, 0, 40)
	for _, node := range zone[:failing] {
		d.event(at, Fail, node)
		if d.chance(returning) {
			d.recovers(d.after(back, 0, 30), node)
		}
	}
}

// dark has all nodes fail, and some of them return.
func (d *drawer) dark(at time.Duration) {
	back := at + d.pause()
	returning := pick(d, 30, 100, 100)
	for node := range d.t.Nodes {
		d.event(at, Fail, node)
		if d.chance(returning) {
			d.recovers(d.after(back, 0, 20), node)
		}
	}
}

// pressure has a kubelet, and the network, report what is wrong, and that it is well again.
func (d *drawer) pressure(at time.Duration) {
	node := d.anyNode()
	for _, c := range []string{"MemoryPressure", "DiskPressure", "PIDPressure"} {
		if d.chance(60) {
			d.post(d.after(at, 0, 30), node, Condition{c, true})
			d.post(d.after(at, 40, 200), node, Condition{c, false})
		}
	}
	if d.chance(60) {
		d.event(d.after(at, 0, 50), Network, node).Conditions = []Condition{{"NetworkUnavailable", true}}
		d.event(d.after(at, 60, 200), Network, node).Conditions = []Condition{{"NetworkUnavailable", false}}
	}
	if d.chance(50) {
		d.crash(d.after(at, 5, 60), node)
	}
}

// taints has a user put taints one after another, with times to tolerate them that differ, and take some.
func (d *drawer) taints(at time.Duration) {
	node := d.anyNode()
	if on := d.t.Pods; len(on) > 0 && d.chance(70) {
		for i, n := range d.t.Nodes {
			if n.Name == on[d.IntN(len(on))].Node {
				node = i
			}
		}
	}
	for range 1 + d.IntN(3) {
		taint := pick(d, Taint{dedicatedKey, "x", noExecute}, Taint{dedicatedKey, "y", noExecute}, Taint{brokenKey, "", noExecute}, Taint{dedicatedKey, "x", noSchedule})
		d.event(at, Put, node).Taint = taint
		if d.chance(60) {
			d.event(d.after(at, 2, 90), Take, node).Taint = taint
		}
		at = d.after(at, 3, 60)
	}
}

// meddles has a user change what is the controllers'.
func (d *drawer) meddles(at time.Duration) {
	node := d.anyNode()
	if d.chance(70) {
		d.crash(at, node)
	} else {
		d.reports(at)
	}
	for range 1 + d.IntN(3) {
		verb := pick(d, Put, Take)
		d.event(d.after(at, 10, 200), verb, node).Taint = Taint{pick(d, notReadyKey, unreachableKey), "", pick(d, noExecute, noExecute, noSchedule)}
	}
}

func (d *drawer) drains(at time.Duration) {
	node := d.anyNode()
	d.event(at, Cordon, node)
	d.event(d.after(at, 5, 100), Uncordon, node)
}

// leaves has nodes go, some while they wait for their taint, and some come back under their name.
func (d *drawer) leaves(at time.Duration) {
	zone := d.IntN(len(d.zones))
	if !d.settled(zone) || len(d.zones[zone]) < 2 {
		return
	}
	nodes := d.zones[zone][1:] // the first stays
	at += 20 * time.Second
	if d.chance(70) {
		for _, node := range d.zones[zone] {
			if d.chance(60) {
				d.event(at, Fail, node)
			}
		}
		at += d.t.Settings.Grace
	}
	for range 1 + d.IntN(2) {
		node := pick(d, nodes...)
		gone := d.after(at, 0, 60)
		if d.chance(40) {
			d.event(d.after(gone, -20, -1), Put, node).Taint = Taint{dedicatedKey, "x", noExecute}
		}
		d.event(gone, RemoveNode, node)
		if d.chance(60) {
			again := d.t.Nodes[node]
			again.At = d.after(gone, 1, pick(d, 3.0, 30, 100))
			again.Age, again.Silent, again.Taints = 0, d.chance(30), nil
			if other := d.IntN(len(d.zones)); d.chance(20) && d.settled(other) {
				d.place(&again, other)
			}
			d.t.Nodes = append(d.t.Nodes, again)
		}
	}
}

// comes has a new node come, which may never post its status.
func (d *drawer) comes(at time.Duration) {
	node := d.node(d.IntN(len(d.zones)), at)
	n := &d.t.Nodes[node]
	if n.Silent = d.chance(60); n.Silent {
		if d.chance(50) {
			n.Lease = Beat{}
		}
		if d.chance(60) {
			d.post(d.after(at, 3, 100), node)
		}
	}
	for range d.IntN(3) {
		d.pod(node, d.after(at, 1, 50))
	}
	if d.chance(40) {
		d.crash(d.after(at, 1, 60), node)
	}
}

// half has a kubelet stop one of what it does.
func (d *drawer) half(at time.Duration) {
	node := d.anyNode()
	stops, resumes := StopLease, RenewLease
	if d.chance(40) {
		stops, resumes = StopStatus, ResumeStatus
	}
	d.event(at, stops, node)
	if d.chance(50) {
		d.post(d.after(at, 1, d.t.Settings.Grace.Seconds()+20), node)
	}
	at += d.pause()
	d.event(d.after(at, 0, 0), resumes, node)
	if d.chance(60) {
		d.post(d.after(at, 1, 9), node)
	}
}

// crew has pods come, go and change on nodes that may be tainted.
func (d *drawer) crew(at time.Duration) {
	node := d.anyNode()
	if d.chance(70) {
		d.crash(at, node)
	} else {
		d.event(at, Put, node).Taint = Taint{dedicatedKey, "x", noExecute}
	}
	for range 1 + d.IntN(4) {
		d.pod(node, d.after(at, 1, 200))
	}
	for range d.IntN(4) {
		p := pick(d, d.t.Pods...)
		e := Event{At: d.after(max(at, p.At), 1, 150), Verb: pick(d, DeletePod, RemovePod, Tolerate), Name: p.Name}
		if e.Verb == Tolerate {
			e.Toleration = d.tolerations()[0]
		}
		d.t.Events = append(d.t.Events, e)
	}
}
