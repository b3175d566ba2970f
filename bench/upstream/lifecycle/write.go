package lifecycle

import (
	"fmt"
	"strconv"
	"strings"
)

// String writes a timeline as Read reads it: comments, settings, nodes, pods, and what happens when.
func (t *Timeline) String() string {
	var b strings.Builder
	for _, why := range t.Why {
		b.WriteString(strings.TrimRight("# "+why, " ") + "\n")
	}
	s := t.Settings
	fmt.Fprintf(&b, "settings period=%v startup=%v grace=%v rate=%v secondary=%v large=%d threshold=%v end=%v\n",
		s.Period, s.Startup, s.Grace, s.Rate, s.Secondary, s.Large, s.Threshold, t.End)
	for _, n := range t.Nodes {
		b.WriteString(n.String() + "\n")
	}
	for _, p := range t.Pods {
		b.WriteString(p.String() + "\n")
	}
	for i, e := range t.Events {
		// What happens to many at one instant is one line.
		if last := len(t.Events[:i]) - 1; last >= 0 && e.manyWith(t.Events[last]) {
			b.WriteString(" " + e.Name)
		} else {
			if i > 0 {
				b.WriteString("\n")
			}
			b.WriteString(e.String())
		}
	}
	if len(t.Events) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// String writes a node on a line.
func (n Node) String() string {
	var b strings.Builder
	b.WriteString("node " + n.Name)
	word := func(is bool, key, value string) {
		if is {
			b.WriteString(" " + key + value)
		}
	}
	word(n.At > 0, "at=", n.At.String())
	word(n.Age > 0, "age=", n.Age.String())
	word(n.Zone != "", "zone=", n.Zone)
	word(n.Region != "", "region=", n.Region)
	word(n.Lease.Every > 0, "lease=", n.Lease.String())
	word(n.Status.Every > 0, "status=", n.Status.String())
	word(n.Silent, "silent", "")
	word(n.Excluded, "excluded", "")
	word(n.Cordoned, "cordoned", "")
	for _, t := range n.Taints {
		word(true, "taint=", t.String())
	}
	return b.String()
}

// String writes how often and since when, as in 10s@3.0005s.
func (b Beat) String() string { return b.Every.String() + "@" + b.Phase.String() }

// String writes a pod on a line.
func (p Pod) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pod %s node=%s", p.Name, p.Node)
	if p.At > 0 {
		fmt.Fprintf(&b, " at=%v", p.At)
	}
	fmt.Fprintf(&b, " grace=%v stop=%v", p.Grace, p.Stop)
	if p.NotReady {
		b.WriteString(" notready")
	}
	for _, t := range p.Tolerations {
		b.WriteString(" tolerate=" + t.String())
	}
	return b.String()
}

// String writes a taint as kubectl does: key=value:effect.
func (t Taint) String() string {
	if t.Value != "" {
		return t.Key + "=" + t.Value + ":" + t.Effect
	}
	return t.Key + ":" + t.Effect
}

// String writes a toleration like a taint, with its seconds behind, as in key:NoExecute/300. Without
// "=" its operator is Exists.
func (t Toleration) String() string {
	text := t.Key
	if t.Operator == "Equal" {
		text += "=" + t.Value
	}
	text += ":" + t.Effect
	if t.Limited {
		text += "/" + strconv.FormatInt(t.Seconds, 10)
	}
	return text
}

// String writes an event on a line.
func (e Event) String() string {
	words := []string{"at", e.At.String(), string(e.Verb), e.Name}
	switch e.Verb {
	case Post, Network:
		for _, c := range e.Conditions {
			status := "False"
			if c.True {
				status = "True"
			}
			words = append(words, c.Type+"="+status)
		}
	case Put, Take:
		words = append(words, e.Taint.String())
	case Tolerate:
		words = append(words, e.Toleration.String())
	}
	return strings.Join(words, " ")
}

// manyWith reports whether two events are the same but for their names, and say nothing behind those.
func (e Event) manyWith(other Event) bool {
	return e.At == other.At && e.Verb == other.Verb && !hasMore[e.Verb]
}

// hasMore are the verbs behind whose name there is more.
var hasMore = map[Verb]bool{Post: true, Network: true, Put: true, Take: true, Tolerate: true}
