package traces

import (
	"errors"
	"fmt"
	"io"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A Note is what a trace says beside its events, and no run is told by itself: what a pod
// was seen to use, where it ran and how long it had waited, what befell nodes, and of what
// time something is missing. Pods and nodes have the numbers of the stream that the note
// is in, as package wire gives them.
type Note struct {
	What wire.What // Sample, Placed, Struck or Missing
	At   cluster.Time

	Usage     wire.Usage     // of Sample
	Placement wire.Placement // of Placed
	Fault     *wire.Fault    // of Struck; not to be changed
	Gap       *wire.Gap      // of Missing; not to be changed
}

// Write writes the note.
func (n *Note) Write(w *wire.Writer) error {
	switch n.What {
	case wire.Sample:
		return w.Usage(n.At, n.Usage)
	case wire.Placed:
		return w.Placement(n.At, &n.Placement)
	case wire.Struck:
		return w.Fault(n.At, n.Fault)
	case wire.Missing:
		return w.Gap(n.At, *n.Gap)
	}
	return fmt.Errorf("there is no note of the kind %d", n.What)
}

// Noting is a Stream with notes.
type Noting interface {
	Stream

	// Note returns the next note that stands between the event that Next returned last and
	// the one that it returns next, and false after the last of these. Next passes over
	// those that nobody asked for; an error is Next's to return.
	Note() (n Note, ok bool)
}

// NextNote is the method Note of a stream that has it; others have no notes.
func NextNote(s Stream) (n Note, ok bool) {
	if noting, has := s.(Noting); has {
		return noting.Note()
	}
	return Note{}, false
}

// An item is one of what streams with notes consist of: an event, or a note.
type item struct {
	event cluster.Event
	note  *Note // nil if it is an event
}

// time returns when the item is.
func (i *item) time() cluster.Time {
	if i.note != nil {
		return i.note.At
	}
	return i.event.Time
}

// nextItem returns the next event of a stream, or a note before it.
func nextItem(s Stream) (item, error) {
	if n, ok := NextNote(s); ok {
		note := n
		return item{note: &note}, nil
	}
	e, err := s.Next()
	return item{event: e}, err
}

// An itemStream makes a Stream with notes of what yields items; after an error it is not
// asked again.
type itemStream struct {
	next func() (item, error)
	held item
	has  bool // whether held, or err, is what comes next
	err  error
}

func (s *itemStream) look() {
	if !s.has {
		s.held, s.err = s.next()
		s.has = true
	}
}

// Note implements Noting.
func (s *itemStream) Note() (n Note, ok bool) {
	s.look()
	if s.err != nil || s.held.note == nil {
		return Note{}, false
	}
	s.has = false
	return *s.held.note, true
}

// Next implements Stream.
func (s *itemStream) Next() (cluster.Event, error) {
	for {
		s.look()
		if s.err != nil {
			return cluster.Event{}, s.err
		}
		s.has = false
		if s.held.note == nil {
			return s.held.event, nil
		}
	}
}

// noted returns a stream with notes that come in order of time: those of a time follow its
// events. What comes gets its number.
func noted(events Stream, notes func() (Note, bool)) Stream {
	var numbers numbering
	var event cluster.Event
	var err error
	note, has := notes()
	ahead := false
	return &itemStream{next: func() (item, error) {
		if !ahead {
			if event, err = events.Next(); err == nil && comes(event.Kind) {
				numbers.come(&event, true)
			}
			ahead = true
		}
		if ended := errors.Is(err, io.EOF); has && (ended || err == nil && note.At < event.Time) {
			n := note
			note, has = notes()
			return item{note: &n}, nil
		}
		ahead = err != nil
		return item{event: event}, err
	}}
}

// inOrder yields the notes of several lists, each in order of time.
func inOrder(lists ...func() (Note, bool)) func() (Note, bool) {
	ahead, has := make([]Note, len(lists)), make([]bool, len(lists))
	for i, next := range lists {
		ahead[i], has[i] = next()
	}
	return func() (Note, bool) {
		first := -1
		for i := range lists {
			if has[i] && (first < 0 || ahead[i].At < ahead[first].At) {
				first = i
			}
		}
		if first < 0 {
			return Note{}, false
		}
		n := ahead[first]
		ahead[first], has[first] = lists[first]()
		return n, true
	}
}

// samples yields what pods used as notes.
func samples(used []Used) func() (Note, bool) {
	return func() (Note, bool) {
		if len(used) == 0 {
			return Note{}, false
		}
		n := Note{What: wire.Sample, At: used[0].At, Usage: used[0].Usage}
		used = used[1:]
		return n, true
	}
}

// those yields notes that are there already.
func those(notes []Note) func() (Note, bool) {
	return func() (Note, bool) {
		if len(notes) == 0 {
			return Note{}, false
		}
		n := notes[0]
		notes = notes[1:]
		return n, true
	}
}
