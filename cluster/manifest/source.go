package manifest

import (
	"cmp"
	"strings"
)

// A source is JSON that is, or was made from, a file.
type source struct {
	file string
	data []byte
	line func(offset int) int
	more func(keep int) bool // drops what is before keep and makes data longer; nil if data is all
	skip int                 // objects at the front that have been read already
}

// scanner returns a scanner at an offset that reads beyond data.
func (src *source) scanner(at int) *scanner {
	s := &scanner{data: src.data, at: at}
	if src.more != nil {
		s.more = func() bool {
			ok := src.more(s.at)
			s.data, s.at = src.data, 0
			return ok
		}
	}
	return s
}

// whole calls read with the offset at which s is, again and again with more of the
// file as long as that ends too early for it.
func (r *reader) whole(src *source, s *scanner, read func(start int) (end int, err error)) error {
	for {
		r.cut = false
		end, err := read(s.at)
		if err == nil {
			s.at = end
			return nil
		}
		if !r.cut || !s.grow() {
			return err
		}
	}
}

// value reads an object or a list of objects at an offset, and returns where it
// ends.
func (r *reader) value(src *source, start int) (end int, err error) {
	s := src.scanner(start)
	list := false
	err = r.whole(src, s, func(start int) (end int, err error) {
		if list, err = isList(src.data, start); err != nil {
			return 0, r.fail(src, start, "", err)
		}
		if list {
			return start, nil
		}
		h, err := readHead(src.data, start)
		if err != nil {
			return 0, r.fail(src, start, "", err)
		}
		return r.object(src, start, h)
	})
	if err != nil || !list {
		return s.at, err
	}
	return r.list(src, s.at)
}

// list reads a list of objects as it is met: what kind of list it is, kubectl says
// behind them.
func (r *reader) list(src *source, start int) (end int, err error) {
	s := src.scanner(start)
	var of head
	err = s.object(func(key []byte) error {
		switch string(key) {
		case "items":
			// The items of a PodList are pods, whether or not they say so.
			of.kind = strings.TrimSuffix(of.kind, "List")
			end, err := r.elements(src, s.at, of)
			s.data, s.at = src.data, end
			return err
		case "apiVersion":
			return s.word(&of.apiVersion)
		case "kind":
			return s.word(&of.kind)
		}
		return s.skip()
	})
	if err != nil {
		return 0, r.fail(src, s.at, "", err)
	}
	return s.at, nil
}

// elements reads the items of a list, which are of a kind if they don't say which,
// and returns where the list ends.
func (r *reader) elements(src *source, start int, of head) (end int, err error) {
	s := src.scanner(start)
	err = s.array(func(int) error {
		if src.skip > 0 {
			src.skip--
			return s.skip()
		}
		return r.whole(src, s, func(start int) (end int, err error) {
			h, err := readHead(src.data, start)
			if err != nil {
				return 0, r.fail(src, start, "", err)
			}
			if h.kind != "List" {
				h.apiVersion, h.kind = cmp.Or(h.apiVersion, of.apiVersion), cmp.Or(h.kind, of.kind)
				return r.object(src, start, h)
			}
			inner := &scanner{data: src.data, at: start}
			if err := inner.skip(); err != nil {
				return 0, r.fail(src, start, "", err)
			}
			// It is all there, so it need not be read piece by piece.
			return r.value(&source{file: src.file, data: src.data, line: src.line}, start)
		})
	})
	if err != nil {
		return 0, r.fail(src, s.at, "", err)
	}
	return s.at, nil
}
