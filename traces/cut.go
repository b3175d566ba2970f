package traces

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// CutOptions say which part of a workload is kept.
type CutOptions struct {
	From    cluster.Time // how far into it
	For     cluster.Time // how long; 0 for all that follows
	Running bool         // whether pods that would run at From are kept, with what is left of them
}

// Cut returns a part of a workload, in which From is time 0. Nodes and objects are
// there from the beginning as they are at From.
//
// A workload doesn't say when its pods get a node. A pod runs at From if it came
// before, and would not have ended by then had it run since it came.
//
// Notes of the part are kept, and of faults and gaps that begin before it what is in it.
//
// Of the time before From, Cut holds the nodes, the objects and, with Running, the
// pods that run.
func Cut(s Stream, o CutOptions) Stream {
	until := cluster.Never
	if o.For > 0 && o.For < cluster.Never-o.From {
		until = o.From + o.For
	}
	c := &cutting{from: s, o: o, until: until}
	return &itemStream{next: c.next}
}

// A cutting yields what Cut keeps.
type cutting struct {
	from  Stream
	o     CutOptions
	until cluster.Time

	numbers numbering
	ready   []item // that come before what is read next
	begun   bool
	before  standing
}

// next returns what comes next.
func (c *cutting) next() (item, error) {
	if !c.begun {
		if err := c.begin(); err != nil {
			return item{}, err
		}
	}
	for {
		if len(c.ready) > 0 {
			i := c.ready[0]
			c.ready = c.ready[1:]
			return i, nil
		}
		i, err := nextItem(c.from)
		if err != nil {
			return item{}, err
		}
		switch {
		case i.note != nil:
			c.passNote(i.note)
		case i.event.Time >= c.until:
			return item{}, io.EOF
		default:
			c.pass(i.event)
		}
	}
}

// passNote has a note come next, if it is of the part, and about nothing that was left out.
func (c *cutting) passNote(n *Note) {
	if n.At >= c.until || !n.lasts(c.o.From) || !c.numbers.note(n) {
		return
	}
	n.shift(-c.o.From)
	n.begin()
	c.ready = append(c.ready, item{note: n})
}

// pass has e, which isn't before From, come next, if it is about nothing that was
// left out.
func (c *cutting) pass(e cluster.Event) {
	if comes(e.Kind) {
		c.numbers.come(&e, true)
	} else if !c.numbers.refer(&e) {
		return
	}
	shift(&e, -c.o.From)
	c.ready = append(c.ready, item{event: e})
}

// begin reads up to the first event after From, and makes ready what there is then.
// What comes at From itself is taken in as well, so that nodes are there before pods.
func (c *cutting) begin() error {
	c.begun = true
	for {
		i, err := nextItem(c.from)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if i.note != nil {
			if i.note.What == wire.Sample && i.note.At >= c.o.From { // after all that has come by then
				c.makeReady()
				c.passNote(i.note)
				return nil
			}
			c.before.takeNote(i.note, c.o)
			continue
		}
		e := i.event
		if err != nil || e.Time > c.o.From {
			c.makeReady()
			if err == nil && e.Time < c.until {
				c.pass(e)
			} else if err == nil {
				c.from = ended{}
			}
			return nil
		}
		c.before.take(&e, c.o)
	}
}

// ended is a Stream that has no more.
type ended struct{}

func (ended) Next() (cluster.Event, error) { return cluster.Event{}, io.EOF }

// makeReady turns what stands into events of time 0.
func (c *cutting) makeReady() {
	b := &c.before
	for _, n := range b.nodes {
		c.keep(cluster.Event{Time: c.o.From, Kind: cluster.NodeAdded, Pod: cluster.None, Node: n.node, NodeSpec: n.spec}, n.come, &c.numbers.nodes)
	}
	for _, o := range b.objects {
		c.keep(cluster.Event{Time: c.o.From, Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: o.object}, 0, nil)
	}
	for _, p := range b.pods {
		if p.ended(c.o.From) {
			continue
		}
		if rest := p.spec.Run - (c.o.From - p.at); p.at < c.o.From && p.spec.Run != cluster.Never {
			spec := *p.spec
			spec.Run = rest
			p.spec = &spec
		}
		c.keep(cluster.Event{Time: c.o.From, Kind: cluster.PodAdded, Pod: p.pod, Node: cluster.None, PodSpec: p.spec}, p.come, &c.numbers.pods)
	}
	fill(&c.numbers.nodes, b.nodesCome, b.numbered)
	fill(&c.numbers.pods, b.podsCome, b.numbered)
	for _, n := range b.notes {
		c.passNote(n)
	}
	c.before = standing{}
}

// keep makes an event ready; come is the how-manieth of its kind it brings, and those
// that came before and are not kept have no number.
func (c *cutting) keep(e cluster.Event, come int32, numbers *[]int32) {
	if numbers != nil {
		fill(numbers, come, c.before.numbered)
		c.numbers.come(&e, true)
	}
	shift(&e, -c.o.From)
	c.ready = append(c.ready, item{event: e})
}

// fill notes of all before the i-th that they were left out.
func fill(numbers *[]int32, i int32, numbered bool) {
	for numbered && int(i) > len(*numbers) {
		*numbers = append(*numbers, left)
	}
}

// standing is what there is at a time.
type standing struct {
	nodes    []standingNode // in order of arrival, as all lists here
	objects  []standingObject
	pods     []standingPod
	notes    []*Note
	keep     int  // pods at which those that have ended are thrown out next
	numbered bool // whether the stream has numbers

	nodesCome, podsCome int32
}

type standingNode struct {
	come int32 // the how-manieth, from 0
	node cluster.NodeID
	spec *cluster.NodeSpec
}

type standingObject struct {
	key    string
	object cluster.Object
}

type standingPod struct {
	come int32
	pod  cluster.PodID
	at   cluster.Time
	spec *cluster.PodSpec
}

// ended reports whether the pod would have ended by a time had it run since it came.
func (p *standingPod) ended(by cluster.Time) bool {
	return p.at < by && p.spec.Run != cluster.Never && p.spec.Run <= by-p.at
}

// take takes in an event of up to From.
func (b *standing) take(e *cluster.Event, o CutOptions) {
	switch e.Kind {
	case cluster.NodeAdded:
		b.numbered = b.numbered || e.Node != cluster.None
		b.nodes = append(b.nodes, standingNode{b.nodesCome, e.Node, e.NodeSpec})
		b.nodesCome++
	case cluster.NodeRemoved, cluster.NodeChanged, cluster.NodeHeard:
		b.takeNode(e)
	case cluster.ObjectSet, cluster.ObjectRemoved:
		b.takeObject(e)
	case cluster.PodAdded:
		b.numbered = b.numbered || e.Pod != cluster.None
		if o.Running || e.Time == o.From {
			b.addPod(e)
		}
		b.podsCome++
	case cluster.PodChanged, cluster.PodTold, cluster.PodEnded:
		b.takePod(e)
	}
}

// takeNote takes in a note that is of From or later, or lasts until then.
func (b *standing) takeNote(n *Note, o CutOptions) {
	if n.lasts(o.From) {
		b.notes = append(b.notes, n)
	}
}

func (b *standing) takeNode(e *cluster.Event) {
	i, ok := slices.BinarySearchFunc(b.nodes, int32(e.Node), func(n standingNode, k int32) int { return cmp.Compare(n.come, k) })
	if !ok {
		return
	}
	switch e.Kind {
	case cluster.NodeRemoved:
		b.nodes = slices.Delete(b.nodes, i, i+1)
	case cluster.NodeChanged:
		b.nodes[i].spec = e.NodeSpec
	case cluster.NodeHeard:
		spec := *b.nodes[i].spec
		spec.Health = *e.Health
		b.nodes[i].spec = &spec
	}
}

func (b *standing) takeObject(e *cluster.Event) {
	key := objectKey(e.Object)
	i := slices.IndexFunc(b.objects, func(o standingObject) bool { return o.key == key })
	switch {
	case e.Kind == cluster.ObjectSet && i >= 0:
		b.objects[i].object = e.Object
	case e.Kind == cluster.ObjectSet:
		b.objects = append(b.objects, standingObject{key, e.Object})
	case i >= 0:
		b.objects = slices.Delete(b.objects, i, i+1)
	}
}

// addPod takes in a pod that comes, and throws out those that have ended now and then,
// so that about as many are held as run.
func (b *standing) addPod(e *cluster.Event) {
	if len(b.pods) >= b.keep {
		b.pods = slices.DeleteFunc(b.pods, func(p standingPod) bool { return p.ended(e.Time) })
		b.keep = max(1024, 2*len(b.pods))
	}
	b.pods = append(b.pods, standingPod{b.podsCome, e.Pod, e.Time, e.PodSpec})
}

func (b *standing) takePod(e *cluster.Event) {
	i, ok := slices.BinarySearchFunc(b.pods, int32(e.Pod)/2, func(p standingPod, k int32) int { return cmp.Compare(p.come, k) })
	if !ok {
		return
	}
	switch e.Kind {
	case cluster.PodChanged:
		spec := *e.PodSpec
		spec.Run = b.pods[i].spec.Run
		b.pods[i].spec = &spec
	case cluster.PodTold:
		spec := *b.pods[i].spec
		spec.Terminating = true
		b.pods[i].spec = &spec
	case cluster.PodEnded:
		b.pods = slices.Delete(b.pods, i, i+1)
	}
}

// objectKey tells objects apart.
func objectKey(o cluster.Object) string {
	switch o := o.(type) {
	case *cluster.Namespace:
		return cluster.Key("Namespace", o.Name)
	case *cluster.Service:
		return "Service/" + cluster.Key(o.Namespace, o.Name)
	case *cluster.Workload:
		return "Workload/" + cluster.Key(o.Namespace, o.Kind+"/"+o.Name)
	case *cluster.DisruptionBudget:
		return "DisruptionBudget/" + cluster.Key(o.Namespace, o.Name)
	case *cluster.ResourceQuota:
		return "ResourceQuota/" + cluster.Key(o.Namespace, o.Name)
	}
	panic(fmt.Sprintf("traces: no key for a %T", o))
}
