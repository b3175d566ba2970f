package cluster

import "slices"

// An interner numbers texts from 0, in order of first appearance.
type interner map[string]int32

func (in interner) intern(text []byte) (id int32, known bool) {
	if id, known = in[string(text)]; known {
		return id, true
	}
	id = int32(len(in))
	in[string(text)] = id
	return id, false
}

// labelSet numbers sets of labels, of which only those that are mentioned count.
func (s *State) labelSet(labels Labels) int32 {
	s.key = s.key[:0]
	for i := range labels {
		if l := &labels[i]; s.counts(l) {
			s.key = appendString(appendString(s.key, l.Key), l.Value)
		}
	}
	if len(s.key) == 0 {
		return -1
	}
	id, _ := s.labelSets.intern(s.key)
	return id
}

// alike reports whether two sets of labels are found to be the same, as far as
// labels count. It doesn't look for the same among others.
func (s *State) alike(a, b Labels) bool {
	if len(s.selectorKeys) == 0 {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || &a[0] == &b[0] {
		return true
	}
	for i := range a {
		if a[i].Key != b[i].Key || a[i].Value != b[i].Value && s.counts(&a[i]) {
			return false
		}
	}
	return true
}

// counts reports whether some selector mentions a label's key. Only such labels
// can matter to a decision; a pod's other labels, its controller's uid or its
// index, would make every pod a class of its own.
func (s *State) counts(l *Label) bool {
	_, ok := s.selectorKeys[l.Key]
	return ok
}

// mentioned returns those of labels that count.
func (s *State) mentioned(labels Labels) Labels {
	n := 0
	for i := range labels {
		if s.counts(&labels[i]) {
			n++
		}
	}
	if n == len(labels) {
		return labels
	}
	out := make(Labels, 0, n)
	for i := range labels {
		if s.counts(&labels[i]) {
			out = append(out, labels[i])
		}
	}
	return out
}

// mentionClass minds the keys by which c selects other pods.
func (s *State) mentionClass(c *Class) {
	for _, a := range []*PodAffinity{&c.Affinity, &c.AntiAffinity} {
		for i := range a.Required {
			s.mentionSelector(a.Required[i].Selector)
		}
		for i := range a.Preferred {
			s.mentionSelector(a.Preferred[i].Selector)
		}
	}
	for i := range c.Spread {
		s.mentionSelector(c.Spread[i].Selector)
		for _, key := range c.Spread[i].MatchLabelKeys {
			s.mention(key)
		}
	}
}

func (s *State) mentionSelector(sel *Selector) {
	if sel == nil {
		return
	}
	for i := range sel.Requirements {
		s.mention(sel.Requirements[i].Key)
	}
}

// mention makes labels under key count from now on: pods that have one go to the
// classes that they now belong to.
func (s *State) mention(key string) {
	if _, ok := s.selectorKeys[key]; ok {
		return
	}
	s.selectorKeys[key] = struct{}{}
	for p := range PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == Ended {
			continue
		}
		if _, has := s.Pods.Labels[p].Get(key); has {
			s.reclassify(p)
		}
	}
}

// reclassify puts p into the class that its labels now mean.
func (s *State) reclassify(p PodID) {
	c := s.Intern(s.Class(p), s.Pods.Labels[p])
	if c == s.Pods.Class[p] {
		return
	}
	n := s.Pods.Node[p]
	if n != None {
		s.note(p, n, -1)
	}
	s.Pods.Class[p] = c
	s.reclassified++
	if n != None {
		s.note(p, n, +1)
		s.touch(n)
	}
}

// Reclassified returns how often a pod has changed its class without a change of
// its own, because a new selector tells its labels from those of others.
func (s *State) Reclassified() uint64 { return s.reclassified }

// SelectedBy reports whether the service selects pods of class c.
func (c *Class) SelectedBy(service *Service) bool {
	if len(service.Selector) == 0 || service.Namespace != c.Namespace {
		return false
	}
	for _, l := range service.Selector {
		if value, ok := c.Labels.Get(l.Key); !ok || value != l.Value {
			return false
		}
	}
	return true
}

// Matches reports whether the term is about pods of class c.
func (t *PodTerm) Matches(s *State, c *Class) bool {
	return t.MatchesNamespace(s, c.Namespace) && t.Selector.Matches(c.Labels)
}

// MatchesNamespace reports whether the term is about pods of a namespace. A
// namespace that is not known has no labels.
func (t *PodTerm) MatchesNamespace(s *State, namespace string) bool {
	if slices.Contains(t.Namespaces, namespace) {
		return true
	}
	if t.NamespaceSelector == nil {
		return false
	}
	var labels Labels
	if ns := s.Namespaces.Get("", namespace); ns != nil {
		labels = ns.Labels
	}
	return t.NamespaceSelector.Matches(labels)
}
