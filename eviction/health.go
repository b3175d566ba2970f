package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/heap"
)

// Health is a controller that watches whether nodes are heard of: upstream's node
// lifecycle controller (pkg/controller/nodelifecycle). It writes the conditions of silent
// nodes, taints nodes that aren't ready, and marks their pods as not ready.
//
// Upstream looks at every node each Period. What a look finds follows from when the node
// was last heard of, so that only those are looked at about which something has changed,
// that fall silent, or that wait to be tainted.
type Health struct {
	settings Settings
	policy   NodePolicy

	begun  bool
	origin cluster.Time // of looks and of passes
	looked cluster.Time // the last look
	passed cluster.Time // the last pass

	byName  map[string]*nodeHealth // gone nodes, too: what is known of them counts if they return
	nodes   []*nodeHealth          // by row
	zones   map[string]*Zone
	lines   []*Zone // those, and others that were forgotten, as long as none of their name takes their place
	cluster Picture
	recount bool // what zones count has changed since the last look

	due    []*nodeHealth // to be looked at next
	alarms heap.Heap[alarm]

	early []early

	everyNode bool // look at every node each Period: the slow twin
}

// nodeHealth is what is known of a node.
type nodeHealth struct {
	name    string
	node    cluster.NodeID // None if it is gone
	known   bool           // has been looked at since it came
	zone    *Zone
	counts  *Zone // in which it counts, nil for none
	unready bool  // in counts

	ready         cluster.ConditionStatus // as last looked at
	posted        bool                    // ready is not absent
	first         cluster.Time            // the first look at it, Never if there was none
	probe         cluster.Time            // the look that found that it had been heard of
	leased        bool                    // a lease has been seen
	renewal, post cluster.Time            // the latest that have come, be they seen by a look or not
	renewed       cluster.Time            // when renewal could be seen
	told          cluster.Time            // when a lease came that had been renewed before
	seen          cluster.Time            // the look that saw the latest post
	forgot        cluster.Time            // the look that forgot the lease, if it was the last one to see a post; or -1

	lease, posts cluster.Beats
	taints       []cluster.Taint // before the look
	due          bool
	alarm        cluster.Time // the one that counts
}

// An alarm is when a node may have been silent for too long.
type alarm struct {
	at   cluster.Time
	node *nodeHealth
}

// Before orders alarms by time. Nodes that fall silent at once are sorted when they are
// looked at.
func (a alarm) Before(b alarm) bool { return a.at < b.at }

// NewHealth returns the controller. A nil policy stands for kube's.
func NewHealth(st Settings, policy NodePolicy) *Health {
	if policy == nil {
		policy = NewKubePolicy(st)
	}
	return &Health{
		settings: st, policy: policy, looked: -1, passed: -1,
		byName: map[string]*nodeHealth{}, zones: map[string]*Zone{},
	}
}

// Picture returns what the controller knows of the cluster's zones. The caller must not
// change it.
func (h *Health) Picture() *Picture { return &h.cluster }

// Step implements cluster.Controller.
func (h *Health) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	if !h.begun {
		h.begun, h.origin = true, s.Now
	}
	for i := range events {
		h.take(s, &events[i])
	}
	h.retry(s)
	if h.onGrid(s.Now, taintPeriod) && s.Now > h.passed {
		h.passed = s.Now
		if h.pass(s) {
			return s.Now // others are to see what has been done before the look
		}
	}
	if h.onGrid(s.Now, h.settings.Period) && s.Now > h.looked {
		h.looked = s.Now
		h.look(s)
	}
	return min(h.nextPass(s.Now), h.nextLook(s.Now), h.nextTry())
}

// take notes what an event says.
func (h *Health) take(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.NodeAdded:
		h.add(s, e.Node)
		h.taintByConditions(s, e.Node)
	case cluster.NodeRemoved:
		h.remove(s, e.Node)
	case cluster.NodeChanged:
		h.want(h.nodes[e.Node])
		h.taintByConditions(s, e.Node)
	case cluster.NodeHeard:
		h.hear(s, h.nodes[e.Node])
		h.taintByConditions(s, e.Node)
	case cluster.Rejected:
		if e.Pod == cluster.None && e.Node != cluster.None && s.Nodes.IsLive(e.Node) {
			h.want(h.nodes[e.Node])
		}
	case cluster.PodAdded, cluster.PodBound, cluster.PodChanged:
		h.takePod(s, e)
	}
}

func (h *Health) add(s *cluster.State, row cluster.NodeID) {
	for len(h.nodes) <= int(row) {
		h.nodes = append(h.nodes, nil)
	}
	n := h.byName[s.Nodes.Name[row]]
	if n == nil {
		n = &nodeHealth{name: s.Nodes.Name[row], first: cluster.Never, renewal: -cluster.Never, post: -cluster.Never, renewed: -cluster.Never, seen: -1, forgot: -1}
		h.byName[s.Nodes.Name[row]] = n
	}
	h.nodes[row] = n
	n.node = row
	h.tell(s, n)
	h.cluster.Nodes++
	h.want(n)
	h.standIn(n)
	h.expect(n.name, s.Now)
}

func (h *Health) remove(s *cluster.State, row cluster.NodeID) {
	n := h.nodes[row]
	if n.first != cluster.Never {
		h.find(n, s.Now)
	}
	// What no look has seen goes with the node.
	if h.lookFrom(n.post) > s.Now {
		n.post = -cluster.Never
	}
	if h.lookFrom(n.renewed) > s.Now {
		n.renewed = -cluster.Never
	}
	h.nodes[row] = nil
	h.cluster.Nodes--
	h.want(n) // if it is back by then, nobody will have noticed
	n.node = cluster.None
	h.standIn(n)
}

// standIn has the node's places in line show which row it has, if any.
func (h *Health) standIn(n *nodeHealth) {
	for _, z := range h.lines {
		if i := z.at(n); i >= 0 {
			z.Waiting[i] = n.node
		}
	}
}

// hear takes in that the node is heard of otherwise than before.
func (h *Health) hear(s *cluster.State, n *nodeHealth) {
	if n.first != cluster.Never {
		h.find(n, s.Now) // by what was known before
	}
	h.tell(s, n)
	h.want(n)
}

// tell takes in when the node is heard of from now on.
func (h *Health) tell(s *cluster.State, n *nodeHealth) {
	n.lease, n.posts = s.Nodes.Health[n.node].Lease, s.Nodes.Health[n.node].Posts
	if renewal, ok := n.lease.Latest(s.Now); ok && renewal > n.renewal {
		n.told = s.Now
	}
}

// want has a node looked at next time.
func (h *Health) want(n *nodeHealth) {
	if !n.due {
		n.due = true
		h.due = append(h.due, n)
	}
}

// look is upstream's monitorNodeHealth, for those nodes about which it may find anything.
func (h *Health) look(s *cluster.State) {
	for len(h.alarms) > 0 && h.alarms[0].at <= s.Now {
		if a := h.alarms.Pop(); a.at == a.node.alarm {
			h.want(a.node)
		}
	}
	if h.everyNode {
		for _, row := range s.Nodes.Live() {
			h.want(h.nodes[row])
		}
	}
	list := h.due
	h.due = nil
	list = slices.DeleteFunc(list, func(n *nodeHealth) bool {
		n.due = false
		if n.node == cluster.None {
			n.known = false
			h.count(n, nil, false)
		}
		return n.node == cluster.None
	})
	slices.SortFunc(list, func(a, b *nodeHealth) int { return cmp.Compare(a.name, b.name) })
	for _, n := range list {
		n.taints = s.Nodes.Taints[n.node]
	}
	for _, n := range list {
		h.welcome(s, n)
	}
	for _, n := range list {
		h.lookAt(s, n)
	}
	h.disrupt(s)
	for _, n := range list {
		n.taints = nil
	}
}

// welcome finds the node's zone, and has it begin anew if it has just come
// (Controller.classifyNodes).
func (h *Health) welcome(s *cluster.State, n *nodeHealth) {
	name := cluster.ZoneOf(s.Nodes.Labels[n.node])
	z := h.zones[name]
	if z == nil {
		z = &Zone{Name: name, Cluster: &h.cluster}
		h.zones[name] = z
		h.cluster.Zones = append(h.cluster.Zones, z)
		h.recount = true
		if i := slices.IndexFunc(h.lines, func(o *Zone) bool { return o.Name == name }); i >= 0 {
			h.lines[i] = z
		} else {
			h.lines = append(h.lines, z)
		}
	}
	n.zone = z
	if !n.known {
		n.known = true
		h.reach(s, n)
	}
}

// lookAt is what upstream does about one node.
func (h *Health) lookAt(s *cluster.State, n *nodeHealth) {
	health := &s.Nodes.Health[n.node]
	observed := health.Conditions[cluster.NodeReady]
	grace := h.recognise(s, n, observed)
	if s.Now > n.probe+grace && observed != cluster.ConditionUnknown {
		h.silenced(s, n)
	}
	n.ready = health.Conditions[cluster.NodeReady]
	n.posted = n.ready != cluster.ConditionAbsent
	counts := n.zone
	if _, excluded := s.Nodes.Labels[n.node].Get(excludeLabel); excluded {
		counts = nil
	}
	h.count(n, counts, n.ready != cluster.ConditionTrue)
	if n.posted {
		h.judge(s, n)
		if observed == cluster.ConditionTrue && n.ready != cluster.ConditionTrue {
			for p := range s.PodsOn(n.node) {
				if s.IsReady(p) {
					s.MarkUnready(p)
				}
			}
		}
	}
	h.watch(s, n, grace)
}

// recognise brings the node's probe up to date, and returns how long after it the node may
// be silent (the first part of Controller.tryUpdateNodeHealth).
func (h *Health) recognise(s *cluster.State, n *nodeHealth, observed cluster.ConditionStatus) (grace cluster.Time) {
	fresh := n.first == cluster.Never
	if fresh {
		n.first = s.Now
	}
	grace = h.settings.Grace
	switch {
	case observed == cluster.ConditionAbsent:
		grace = h.settings.StartupGrace
		if fresh {
			n.probe = s.Nodes.Spec[n.node].Created
		}
	case fresh || !n.posted:
		n.probe = s.Now
	}
	if _, ok := n.lease.Latest(s.Now); ok && !n.leased {
		n.leased, n.probe = true, s.Now
	}
	h.find(n, s.Now)
	return grace
}

// find moves the node's probe to the look that first saw the latest beat.
func (h *Health) find(n *nodeHealth, now cluster.Time) {
	if renewal, ok := n.lease.Latest(now); ok && renewal > n.renewal {
		n.renewal, n.renewed = renewal, max(renewal, n.told)
	}
	if post, ok := n.posts.Latest(now); ok {
		n.post = max(n.post, post)
	}
	h.found(n, h.lookFrom(n.renewed), now)
	seen := h.lookFrom(n.post)
	h.found(n, seen, now)
	// When upstream sees a post, it forgets which lease it has seen, and takes the lease for
	// renewed at the next look, unless it has seen it be renewed at this one.
	if seen > n.seen && seen > n.first && seen <= now {
		n.seen = seen
		renewed, ok := n.lease.Latest(seen)
		if renewed = max(renewed, n.told); !ok {
			renewed = min(n.renewed, seen)
		}
		forgot := n.forgot != seen-h.settings.Period && h.lookFrom(renewed) != seen
		n.forgot = -1
		if forgot && n.leased {
			n.forgot = seen
		}
	}
	if n.forgot >= 0 {
		h.found(n, n.forgot+h.settings.Period, now)
	}
}

// found moves the probe to a look, unless that is still to come.
func (h *Health) found(n *nodeHealth, look, now cluster.Time) {
	if look <= now && look > n.first {
		n.probe = max(n.probe, look)
	}
}

// silenced decides that nobody knows the conditions of a node.
func (h *Health) silenced(s *cluster.State, n *nodeHealth) {
	to := s.Nodes.Health[n.node].Conditions
	for _, c := range []cluster.NodeCondition{cluster.NodeReady, cluster.NodeMemoryPressure, cluster.NodeDiskPressure, cluster.NodePIDPressure} {
		to[c] = cluster.ConditionUnknown
	}
	s.SetConditions(n.node, to)
	h.taintByConditions(s, n.node)
	h.cluster.fell(n.name, s.Now)
}

// watch has the node looked at again when that may find anything.
func (h *Health) watch(s *cluster.State, n *nodeHealth, grace cluster.Time) {
	n.alarm = cluster.Never
	switch {
	case n.posted && n.ready != cluster.ConditionTrue && !hasTaint(s.Nodes.Taints[n.node], taintOf(n.ready)):
		h.want(n)
	case n.ready == cluster.ConditionUnknown || h.steady(n.lease, s.Now) || h.steady(n.posts, s.Now):
	default:
		n.alarm = max(h.lookFrom(n.probe+grace+1), s.Now+h.settings.Period)
		h.alarms.Push(alarm{n.alarm, n})
	}
}

// steady reports whether beats come for ever, and often enough.
func (h *Health) steady(b cluster.Beats, now cluster.Time) bool {
	return b.Until == cluster.Never && b.First <= now && b.Every > 0 && b.Every+2*h.settings.Period <= h.settings.Grace
}

// nextLook returns when to look next: Never if nothing will be found.
func (h *Health) nextLook(now cluster.Time) cluster.Time {
	next := h.lookFrom(now + 1)
	if h.everyNode || h.recount || len(h.due) > 0 {
		return next
	}
	for len(h.alarms) > 0 && h.alarms[0].at != h.alarms[0].node.alarm {
		h.alarms.Pop() // another counts now
	}
	if len(h.alarms) == 0 {
		return cluster.Never
	}
	return max(next, h.alarms[0].at)
}

// lookFrom returns the first look at or after a time.
func (h *Health) lookFrom(at cluster.Time) cluster.Time { return h.gridFrom(at, h.settings.Period) }

// gridFrom returns the first of the points, a period apart from origin on, at or after a
// time.
func (h *Health) gridFrom(at, period cluster.Time) cluster.Time {
	if at <= h.origin {
		return h.origin
	}
	return h.origin + (at-h.origin+period-1)/period*period
}

func (h *Health) onGrid(at, period cluster.Time) bool { return (at-h.origin)%period == 0 }
