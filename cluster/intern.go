package cluster

// A classKey identifies a class by two interned parts: everything that is the
// same for all pods of a template, and labels.
type classKey struct{ template, labels int32 }

// Intern returns the row in the table of classes for pods with c and labels, and
// makes one if there is none. Neither c nor labels may be changed afterwards: what
// was given before is known again by its address.
func (s *State) Intern(c *Class, labels Labels) ClassID {
	template := s.template(c) // before labels: a new template may make some count
	last := &s.lastOf[template]
	if last.mentioned == len(s.selectorKeys) && s.alike(last.labels, labels) {
		return last.class
	}
	key := classKey{template, s.labelSet(labels)}
	id, known := s.classByKey[key]
	if !known {
		id = ClassID(len(s.classes))
		s.classByKey[key] = id
		s.classes = append(s.classes, s.newClass(c, s.mentioned(labels)))
	}
	*last = interned{labels, len(s.selectorKeys), id}
	return id
}

// interned is what Intern was last given and said of a template, while that many
// keys were mentioned. It is no more than a short cut: most pods of a template have
// the same labels but for some that don't count.
type interned struct {
	labels    Labels
	mentioned int
	class     ClassID
}

// mostNumbered bounds how many Classes State knows by their addresses, and so
// keeps from being freed: there may be one for each pod, if nobody shares them.
const mostNumbered = 1 << 16

// numbered is a Class and the number of its template.
type numbered struct {
	class    *Class
	template int32
}

// template numbers templates: all of a Class but its labels. What a new one
// selects by counts from now on.
func (s *State) template(c *Class) int32 {
	if c != nil && c == s.lastClass.class {
		return s.lastClass.template
	}
	template, known := s.templateOf[c]
	if !known {
		s.key = appendClass(s.key[:0], c)
		if template, known = s.templates.intern(s.key); !known {
			s.lastOf = append(s.lastOf, interned{mentioned: -1})
			s.mentionClass(c)
		}
		if len(s.templateOf) == mostNumbered {
			clear(s.templateOf)
		}
		s.templateOf[c] = template
	}
	s.lastClass = numbered{c, template}
	return template
}
