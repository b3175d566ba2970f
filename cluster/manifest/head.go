package manifest

// A head is what is said of an object beside what it says.
type head struct{ apiVersion, kind string }

// found ends the reading of an object that need not be read to its end.
var found = &FieldError{Problem: "found"}

// readHead reads what type the object at an offset is of, and no further.
func readHead(data []byte, start int) (h head, err error) {
	s := &scanner{data: data, at: start}
	s.space()
	err = s.object(func(key []byte) error {
		var err error
		switch string(key) {
		case "apiVersion":
			err = s.word(&h.apiVersion)
		case "kind":
			err = s.word(&h.kind)
		default:
			err = s.skip()
		}
		if err == nil && h.apiVersion != "" && h.kind != "" {
			return found
		}
		return err
	})
	if err == found {
		return h, nil
	}
	return h, err
}

// word reads a string.
func (s *scanner) word(into *string) error {
	switch c := s.space(); {
	case c == 0:
		return s.syntax("a string")
	case c != '"':
		return failure(s.at, "an object's kind or apiVersion is no string", "put it in quotes")
	}
	text, err := s.key()
	if err == nil && *into == "" {
		*into = string(text)
	}
	return err
}

// isList reports whether the object at an offset lists others.
func isList(data []byte, start int) (bool, error) {
	s := &scanner{data: data, at: start}
	s.space()
	err := s.object(func(key []byte) error {
		if string(key) == "items" && s.space() == '[' {
			return found
		}
		return s.skip()
	})
	if err == found {
		return true, nil
	}
	return false, err
}
