package model

import (
	"errors"
	"fmt"
	"io"

	"github.com/berthsim/berth/cluster"
)

// A Stream yields the events of a trace in order of time, and io.EOF behind the last.
type Stream interface {
	Next() (cluster.Event, error)
}

// A template is jobs of which nothing but the time and the run time differs.
type template struct {
	source  int // by namespace, in order of first appearance
	owner   string
	parts   []Part
	forever bool
	count   int64
}

// A submission is a job that came.
type submission struct {
	at       cluster.Time
	run      float64 // s; of pods that run differently, the mean
	template int32
}

// A recording is what a trace has of nodes and jobs.
type recording struct {
	nodes     []NodeKind
	classes   []Class
	templates []template
	sources   int
	jobs      []submission // in order of time
}

// A gatherer makes a recording of events.
type gatherer struct {
	recording
	mentioned map[string]bool // keys of labels that selectors ask for

	nodeAt, classAt, templateAt, sourceAt map[string]int // by their texts
	classOf                               map[*cluster.Class]int

	open   submission // the job that pods are being added to
	owner  cluster.OwnerRef
	within string // its namespace
	parts  []Part
	pods   int64
}

// gather reads two streams of the same trace: the first says which labels count.
func gather(events func() Stream) (*recording, error) {
	g := &gatherer{
		mentioned: map[string]bool{}, nodeAt: map[string]int{}, classAt: map[string]int{},
		templateAt: map[string]int{}, sourceAt: map[string]int{}, classOf: map[*cluster.Class]int{},
	}
	seen := map[*cluster.Class]bool{}
	err := each(events(), func(e *cluster.Event) {
		if e.Kind == cluster.PodAdded && !seen[e.PodSpec.Class] {
			seen[e.PodSpec.Class] = true
			g.mention(e.PodSpec.Class)
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(events(), func(e *cluster.Event) {
		switch e.Kind {
		case cluster.NodeAdded:
			g.node(e.NodeSpec)
		case cluster.PodAdded:
			g.pod(e.Time, e.PodSpec)
		}
	})
	g.close()
	return &g.recording, err
}

// each calls with the events of a stream.
func each(in Stream, call func(*cluster.Event)) error {
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the trace: %w", err)
		}
		call(&e)
	}
}

// mention notes the keys of labels that a class selects pods by.
func (g *gatherer) mention(c *cluster.Class) {
	keys := func(sel *cluster.Selector) {
		if sel == nil {
			return
		}
		for _, r := range sel.Requirements {
			g.mentioned[r.Key] = true
		}
	}
	for _, a := range []*cluster.PodAffinity{&c.Affinity, &c.AntiAffinity} {
		for _, t := range a.Required {
			keys(t.Selector)
		}
		for _, t := range a.Preferred {
			keys(t.Selector)
		}
	}
	for _, s := range c.Spread {
		keys(s.Selector)
		for _, key := range s.MatchLabelKeys {
			g.mentioned[key] = true
		}
	}
}

// node counts a node.
func (g *gatherer) node(n *cluster.NodeSpec) {
	kind := kindOf(n)
	key := string(text(&kind))
	i, ok := g.nodeAt[key]
	if !ok {
		i = len(g.nodes)
		g.nodeAt[key] = i
		g.nodes = append(g.nodes, kind)
	}
	g.nodes[i].Count++
}

// pod takes a pod in: into the job before if it has the same owner and came at the
// same time, else as a new one.
func (g *gatherer) pod(at cluster.Time, p *cluster.PodSpec) {
	owner := p.Class.Owner
	same := g.pods > 0 && owner != (cluster.OwnerRef{}) && owner == g.owner && at == g.open.at && p.Class.Namespace == g.within
	if !same {
		g.close()
		g.open, g.owner, g.within = submission{at: at}, owner, p.Class.Namespace
	}
	class := g.class(p)
	if k := len(g.parts); k > 0 && g.parts[k-1].Class == class {
		g.parts[k-1].Count++
	} else {
		g.parts = append(g.parts, Part{Class: class, Count: 1})
	}
	g.pods++
	if p.Run == cluster.Never || g.open.run < 0 {
		g.open.run = -1
		return
	}
	g.open.run += (p.Run.Seconds() - g.open.run) / float64(g.pods)
}

// class returns the number of a pod's class.
func (g *gatherer) class(p *cluster.PodSpec) int {
	var labels cluster.Labels
	for _, l := range p.Labels {
		if g.mentioned[l.Key] {
			labels = append(labels, l)
		}
	}
	if i, ok := g.classOf[p.Class]; ok && labels == nil {
		return i
	}
	class := classOf(p.Class, labels)
	key := string(text(&class))
	i, ok := g.classAt[key]
	if !ok {
		i = len(g.classes)
		g.classAt[key] = i
		g.classes = append(g.classes, class)
	}
	if labels == nil {
		g.classOf[p.Class] = i
	}
	return i
}

// close ends the job that pods were added to.
func (g *gatherer) close() {
	if g.pods == 0 {
		return
	}
	source, ok := g.sourceAt[g.within]
	if !ok {
		source = g.sources
		g.sourceAt[g.within] = source
		g.sources++
	}
	t := template{source: source, owner: g.owner.Kind, parts: g.parts, forever: g.open.run < 0}
	key := fmt.Sprint(t)
	i, ok := g.templateAt[key]
	if !ok {
		i = len(g.templates)
		g.templateAt[key] = i
		g.templates = append(g.templates, t)
	}
	g.templates[i].count++
	g.open.template = int32(i)
	g.jobs = append(g.jobs, g.open)
	g.parts, g.pods = nil, 0
}
