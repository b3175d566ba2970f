package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A Script is a list of faults that people wrote, one a line, in any order:
//
//	# an afternoon
//	at 40s crash n3,n4 for 10m
//	at 1h outage zone-a for 20m kind=partition
//	at 90m outage rack r7 for ever
//	at 2h flap n1 for 10m period=90s down=60s
//	at 3h late n2 for 1h by=45s
//	at 4h pressure n2 for 30m signal=memory
//
// As the spec of a model it is one line, with ; between faults.
type Script struct {
	File    string // where it was read, "" for a spec
	Entries []Entry
}

// An Entry is a line of a Script.
type Entry struct {
	Line   int // from 1; 0 in a spec
	At     cluster.Time
	For    cluster.Time // how long, above 0; Never for ever
	By     Domain
	Names  []string // of nodes, racks or zones
	Effect          // of an outage (By is not ByNode), any
}

// IsScript reports whether a spec is that of a Script.
func IsScript(spec string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(spec, " "), " ")
	return word == "at"
}

// ParseScript reads a script, which errors call file; or the spec of one, if file
// is "".
func ParseScript(file, text string) (*Script, error) {
	s := &Script{File: file}
	separator := "\n"
	if file == "" {
		separator = ";"
	}
	line := 0
	for one := range strings.SplitSeq(text, separator) {
		line++
		fields := fieldsOf(one)
		if len(fields) == 0 {
			continue
		}
		e, err := parseEntry(fields)
		if err != nil && file == "" {
			return nil, wrongAt(err, text, 0)
		}
		if err != nil {
			return nil, wrongAt(err, file, line)
		}
		if file != "" {
			e.Line = line
		}
		s.Entries = append(s.Entries, e)
	}
	return s, nil
}

// fieldsOf returns the words of a line but for its comment.
func fieldsOf(line string) []string {
	fields := strings.Fields(line)
	for i, f := range fields {
		if strings.HasPrefix(f, "#") {
			return fields[:i]
		}
	}
	return fields
}

// form is what a line is like, for errors.
const form = "write: at TIME KIND NODE,… for DURATION [KEY=VALUE …], or: at TIME outage [rack|zone] NAME,… for DURATION [kind=KIND …]"

func parseEntry(fields []string) (e Entry, err error) {
	if len(fields) < 6 || fields[0] != "at" {
		return e, &Error{Problem: "this is no fault", Remedy: form}
	}
	if !printable(strings.Join(fields, " ")) {
		return e, &Error{Problem: "the line has characters that can't be seen", Remedy: "leave them out"}
	}
	if e.At, err = ParseDuration(fields[1]); err != nil {
		return e, err
	}
	rest := fields[3:]
	outage := fields[2] == "outage"
	if outage {
		e.By = ByZone
		if rest[2] == "for" && (rest[0] == "rack" || rest[0] == "zone") {
			if rest[0] == "rack" {
				e.By = ByRack
			}
			rest = rest[1:]
		}
	}
	if len(rest) < 3 || rest[1] != "for" {
		return e, &Error{Problem: "it isn't said for how long", Remedy: form}
	}
	if e.Names, err = parseNames(rest[0]); err != nil {
		return e, err
	}
	if rest[2] == "ever" {
		e.For = cluster.Never
	} else if e.For, err = ParseDuration(rest[2]); err != nil {
		return e, err
	} else if e.For == 0 {
		return e, &Error{Problem: "the fault is for no time", Remedy: "give a duration above 0, or: for ever"}
	}
	e.Effect, err = parseEffect(fields[2], outage, rest[3:])
	return e, err
}

// parseEffect reads the options at the end of a line.
func parseEffect(word string, outage bool, fields []string) (Effect, error) {
	opts := &options{of: word}
	for _, f := range fields {
		key, value, found := strings.Cut(f, "=")
		if !found || key == "" || value == "" {
			return Effect{}, &Error{Problem: "no KEY=VALUE at " + quoted(f), Remedy: form}
		}
		if err := opts.add(key, expr{text: value}); err != nil {
			return Effect{}, err
		}
	}
	var e Effect
	var err error
	if outage {
		e, err = modelEffect(opts)
	} else {
		var kind Kind
		if kind, err = ParseKind(word); err == nil {
			e, err = effectOf(kind, opts)
		}
	}
	if err != nil {
		return Effect{}, err
	}
	return e, opts.rest()
}

// parseNames reads names with commas between.
func parseNames(word string) ([]string, error) {
	names := strings.Split(word, ",")
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, ";#") {
			return nil, &Error{Problem: quoted(word) + " is no list of names", Remedy: "write names with commas between, without spaces"}
		}
		if slices.Contains(names[:i], name) {
			return nil, &Error{Problem: quoted(name) + " is there twice", Remedy: "leave one out"}
		}
	}
	return names, nil
}

// String returns the line of a script that e can be had from.
func (e *Entry) String() string {
	words := []string{"at", FormatDuration(e.At), e.Kind.String()}
	opts := e.Effect.options()
	if e.By != ByNode {
		words[2] = "outage"
		opts = e.Effect.kindOptions()
		if e.By == ByRack {
			words = append(words, "rack")
		} else if first := e.Names[0]; first == "rack" || first == "zone" {
			words = append(words, "zone") // the name could be taken for that word
		}
	}
	duration := "ever"
	if e.For != cluster.Never {
		duration = FormatDuration(e.For)
	}
	words = append(words, strings.Join(e.Names, ","), "for", duration)
	return strings.Join(append(words, opts...), " ")
}

// String implements Model. As a file, a script has a line for each fault.
func (s *Script) String() string {
	lines := make([]string, len(s.Entries))
	for i := range s.Entries {
		lines[i] = s.Entries[i].String()
	}
	if len(lines) == 0 {
		return none
	}
	return strings.Join(lines, "; ")
}

// Source implements Model. Every name must be that of a node, rack or zone of the
// run.
func (s *Script) Source(run Run) (Source, error) {
	var found [ByZone + 1]map[string][]string // by domain
	var list List
	for i := range s.Entries {
		e := &s.Entries[i]
		if found[e.By] == nil {
			groups, err := run.groups(e.By)
			if err != nil {
				return nil, s.wrong(e, err)
			}
			found[e.By] = map[string][]string{}
			for _, g := range groups {
				found[e.By][g.name] = g.nodes
			}
		}
		f := Fault{At: e.At, Until: later(e.At, e.For), Effect: e.Effect}
		for _, name := range e.Names {
			nodes, ok := found[e.By][name]
			if !ok {
				return nil, s.wrong(e, &Error{
					Problem: fmt.Sprintf("there is no %v %s", e.By, quoted(name)),
					Remedy:  fmt.Sprintf("name one of the %ss there are, such as %s", e.By, quoted(run.example(e.By))),
				})
			}
			f.Nodes = append(f.Nodes, nodes...)
		}
		if f.At < run.Horizon {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return &list, nil
}

// example returns the name of the first domain of a kind.
func (r *Run) example(by Domain) string {
	for i := range r.Nodes {
		if name := by.of(&r.Nodes[i]); name != "" {
			return name
		}
	}
	return ""
}

// wrong says where an error about an entry is.
func (s *Script) wrong(e *Entry, err error) error {
	if s.File == "" {
		return wrongAt(err, s.String(), 0)
	}
	return wrongAt(err, s.File, e.Line)
}
