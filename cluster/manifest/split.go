package manifest

import "bytes"

// A part is a piece of a YAML file that can be parsed by itself.
type part struct {
	text []byte
	line int // of its first line
}

// documents splits a YAML file where a line begins a document, so that only one
// is in memory as a tree at a time.
func documents(content []byte) (parts []part) {
	start, line, first := 0, 1, 1
	empty := true // only comments and directives so far
	at := 0
	for l := range bytes.Lines(content) {
		begins := isMarker(l)
		if begins && !empty {
			parts = append(parts, part{content[start:at], first})
			start, first = at, line
		}
		empty = empty && !begins && (isBlank(l) || l[0] == '%')
		at += len(l)
		line++
	}
	return append(parts, part{content[start:], first})
}

// isMarker reports whether a line begins a document.
func isMarker(l []byte) bool {
	rest, ok := bytes.CutPrefix(l, []byte("---"))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// isBlank reports whether a line has nothing but space or a comment.
func isBlank(l []byte) bool {
	l = bytes.TrimSpace(l)
	return len(l) == 0 || l[0] == '#'
}

// listItems splits a document that lists objects as kubectl prints them:
//
//	apiVersion: v1
//	items:
//	- apiVersion: v1
//	  ...
//	kind: List
//
// into its items and the rest, in which the list is empty and lines are as they
// were. It returns ok false for a document that is written in another way.
func listItems(doc part) (rest part, items []part, ok bool) {
	from, to := -1, -1 // where the items begin and end
	at, line, lastLine := 0, doc.line, 0
	for l := range bytes.Lines(doc.text) {
		column0 := l[0] != ' ' && l[0] != '\t' && !isBlank(l)
		switch {
		case from < 0:
			if bytes.HasPrefix(l, []byte("items:")) && isBlank(l[len("items:"):]) {
				from = at + len(l)
			}
		case to >= 0 || !column0:
		case l[0] == '-' && !isMarker(l):
			if len(items) == 0 {
				from = at
			} else {
				items[len(items)-1].text = doc.text[lastLine:at]
			}
			items = append(items, part{line: line})
			lastLine = at
		default:
			to = at
		}
		at += len(l)
		line++
	}
	if len(items) == 0 {
		return rest, nil, false
	}
	if to < 0 {
		to = len(doc.text)
	}
	items[len(items)-1].text = doc.text[lastLine:to]
	text := append([]byte(nil), doc.text[:from]...)
	text = append(text, bytes.Repeat([]byte("\n"), bytes.Count(doc.text[from:to], []byte("\n")))...)
	text = append(text, doc.text[to:]...)
	return part{text, doc.line}, items, true
}
