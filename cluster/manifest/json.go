package manifest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// A scanner reads JSON from front to back. Its methods fail with a *FieldError
// that knows the offset.
type scanner struct {
	data  []byte
	at    int
	depth int
	// more, unless it is nil, is called at the end of data. It may drop what is
	// before at, and puts more behind it, or returns false. Offsets change then.
	more func() bool
}

// maxDepth is how deep values may nest: encoding/json takes as many levels.
const maxDepth = 10000

// failure returns an error about what is at an offset.
func failure(offset int, problem, remedy string) error {
	return &FieldError{Problem: problem, Remedy: remedy, offset: offset + 1}
}

// syntax returns an error about the next byte.
func (s *scanner) syntax(want string) error {
	if s.at >= len(s.data) {
		return s.cut(s.at, "the text ends where "+want+" should be")
	}
	problem := fmt.Sprintf("there is %q where %s should be", rune(s.data[s.at]), want)
	return failure(s.at, problem, "correct the file")
}

// cut returns an error about data that ends too early.
func (s *scanner) cut(offset int, problem string) error {
	return &FieldError{Problem: problem, Remedy: "give the whole file", offset: offset + 1, cut: true}
}

// grow gets more data.
func (s *scanner) grow() bool { return s.more != nil && s.more() }

// space skips white space and returns the byte behind it, 0 at the end. Half of
// what kubectl prints is indentation, so it looks at eight bytes at a time.
func (s *scanner) space() byte {
	const spaces = 0x2020202020202020
	data, at := s.data, s.at
	for at < len(data) {
		c := data[at]
		if c > ' ' {
			s.at = at
			return c
		}
		switch c {
		case ' ', '\n', '\t', '\r':
			at++
		default:
			s.at = at
			return c
		}
		for at+8 <= len(data) && binary.LittleEndian.Uint64(data[at:]) == spaces {
			at += 8
		}
	}
	s.at = at
	if s.grow() {
		return s.space()
	}
	return 0
}

// take skips white space and then c, if it is there.
func (s *scanner) take(c byte) bool {
	if s.space() == c && s.at < len(s.data) {
		s.at++
		return true
	}
	return false
}

// object calls member at each value of an object, with its key.
func (s *scanner) object(member func(key []byte) error) error {
	if !s.take('{') {
		return s.syntax("an object")
	}
	if err := s.deeper(); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	if s.take('}') {
		return nil
	}
	for {
		s.space()
		key, err := s.key()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return s.syntax("a colon")
		}
		s.space()
		if err := member(key); err != nil {
			return err
		}
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return s.syntax("a comma or the end of the object")
		}
	}
}

// array calls element at each value of an array.
func (s *scanner) array(element func(i int) error) error {
	if !s.take('[') {
		return s.syntax("an array")
	}
	if err := s.deeper(); err != nil {
		return err
	}
	defer func() { s.depth-- }()
	if s.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		s.space()
		if err := element(i); err != nil {
			return err
		}
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return s.syntax("a comma or the end of the array")
		}
	}
}

func (s *scanner) deeper() error {
	s.depth++
	if s.depth > maxDepth {
		return failure(s.at, "values nest too deep", "give a Kubernetes object")
	}
	return nil
}

// key reads a string and returns what it means. The result is valid until the
// data changes.
func (s *scanner) key() ([]byte, error) {
	raw, escaped, err := s.text()
	if err != nil || !escaped {
		return raw, err
	}
	return unescape(raw), nil
}

// text reads a string and returns what is between its quotes, and whether any of
// it is escaped. It checks escapes and that the text is UTF-8.
func (s *scanner) text() (raw []byte, escaped bool, err error) {
	if s.at >= len(s.data) || s.data[s.at] != '"' {
		return nil, false, s.syntax("a string")
	}
	data, start := s.data, s.at+1
	var high byte
	for i := start; i < len(data); i++ {
		c := data[i]
		high |= c
		switch {
		case c == '"':
			raw = data[start:i]
			if high >= utf8.RuneSelf && !utf8.Valid(raw) {
				return nil, false, failure(s.at, "a string is not UTF-8", "save the file as UTF-8")
			}
			s.at = i + 1
			return raw, escaped, nil
		case c == '\\':
			n := escapeLength(data[i:])
			if n < 0 {
				n = len(data) - i
			}
			if n == 0 {
				return nil, false, failure(i, "a string has a backslash that escapes nothing", "write \\\\ for a backslash")
			}
			escaped = true
			i += n - 1
		case c < ' ':
			return nil, false, failure(i, "a string has a control character", "escape it")
		}
	}
	if s.grow() {
		return s.text()
	}
	s.at = len(data)
	return nil, false, s.cut(start-1, "a string does not end")
}

// escapeLength returns the length of the escape that b begins with, 0 if it is
// none, and -1 if b ends within it.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return -1
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		for _, c := range b[2:min(len(b), 6)] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return 0
			}
		}
		if len(b) < 6 {
			return -1
		}
		return 6
	}
	return 0
}

// unescape returns what a string means that text has checked.
func unescape(raw []byte) []byte {
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		panic(fmt.Sprintf("manifest: %s: %v", quoted, err)) // text lets nothing through that is no string
	}
	return []byte(text)
}

// number reads a number and returns how it is written.
func (s *scanner) number() ([]byte, error) {
	data, start, i := s.data, s.at, s.at
	digits := func() bool {
		from := i
		for i < len(data) && data[i] >= '0' && data[i] <= '9' {
			i++
		}
		return i > from
	}
	is := func(options string) bool {
		for j := range len(options) {
			if i < len(data) && data[i] == options[j] {
				i++
				return true
			}
		}
		return false
	}
	is("-")
	ok := is("0") || digits()
	if ok && is(".") {
		ok = digits()
	}
	if ok && is("eE") {
		is("+-")
		ok = digits()
	}
	if i == len(data) && s.grow() {
		return s.number()
	}
	s.at = i
	if !ok {
		return nil, s.syntax("a digit")
	}
	return data[start:i], nil
}

// literal reads null, true or false.
func (s *scanner) literal(word string) error {
	rest := s.data[s.at:]
	switch {
	case len(rest) >= len(word) && string(rest[:len(word)]) == word:
		s.at += len(word)
		return nil
	case len(rest) < len(word) && string(rest) == word[:len(rest)]:
		if s.grow() {
			return s.literal(word)
		}
		return s.cut(s.at, "the text ends within "+word)
	}
	return s.syntax("a value")
}

// skip reads a value of any kind.
func (s *scanner) skip() error {
	switch c := s.space(); {
	case c == '{':
		return s.object(func([]byte) error { return s.skip() })
	case c == '[':
		return s.array(func(int) error { return s.skip() })
	case c == '"':
		_, _, err := s.text()
		return err
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.number()
		return err
	}
	return s.syntax("a value")
}

// locate returns the offset of the value that a path leads to in a JSON value,
// or of the last one on the way that is there.
func locate(data []byte, path []any) int {
	s := &scanner{data: data}
	s.space()
	found := s.at
	for _, step := range path {
		at := -1
		stop := func() error { at = s.at; return failure(at, "found", "") }
		var err error
		switch step := step.(type) {
		case string:
			err = s.object(func(key []byte) error {
				if string(key) == step {
					return stop()
				}
				return s.skip()
			})
		case int:
			err = s.array(func(i int) error {
				if i == step {
					return stop()
				}
				return s.skip()
			})
		}
		if err == nil || at < 0 {
			return found
		}
		found, s.at = at, at
	}
	return found
}
