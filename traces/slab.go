package traces

import (
	"sort"
	"strconv"
	"strings"
)

// Pods, tasks and jobs come by the million, so that what is kept of each is made many
// at a time.

// A nameMaker makes names of parts, and cuts them from long strings.
type nameMaker struct {
	text strings.Builder
	from int // where the current name begins
}

// Bytes of the strings that names are cut from, and as much of them as is left free
// rather than that one be copied.
const (
	nameChunk   = 1 << 14
	longestName = 1 << 8
)

// begin begins a name with a text.
func (m *nameMaker) begin(text string) *nameMaker {
	if m.text.Cap()-m.text.Len() < longestName {
		m.text = strings.Builder{}
		m.text.Grow(nameChunk)
	}
	m.from = m.text.Len()
	return m.add(text)
}

// add goes on with a text.
func (m *nameMaker) add(text string) *nameMaker {
	m.text.WriteString(text)
	return m
}

// number goes on with a number, in decimal.
func (m *nameMaker) number(n int64) *nameMaker {
	var digits [20]byte
	m.text.Write(strconv.AppendInt(digits[:0], n, 10))
	return m
}

// name returns the name.
func (m *nameMaker) name() string { return m.text.String()[m.from:] }

// A numberSet holds numbers and the lines that they are on. They mostly come in
// ascending order, which takes no more than a look at the last.
type numberSet struct {
	rising list[numberOn]
	others map[int64]int // those that came after a larger one
}

type numberOn struct {
	n    int64
	line int
}

// add adds n, unless it is there: then it returns the line that it is on.
func (s *numberSet) add(n int64, line int) (before int, twice bool) {
	if s.rising.count == 0 || s.rising.at(s.rising.count-1).n < n {
		s.rising.add(numberOn{n, line})
		return 0, false
	}
	at := sort.Search(s.rising.count, func(i int) bool { return s.rising.at(i).n >= n })
	if on := s.rising.at(at); on.n == n {
		return on.line, true
	}
	if before, twice = s.others[n]; twice {
		return before, true
	}
	if s.others == nil {
		s.others = map[int64]int{}
	}
	s.others[n] = line
	return 0, false
}

// A list grows by pieces of a fixed size, so that millions of entries are never copied
// to make room, and hardly more room is made than is needed. The zero value is empty.
type list[T any] struct {
	pieces []*[pieceSize]T
	last   *[pieceSize]T // of pieces
	count  int
}

// pieceSize is how many entries a piece has: a power of two, so that a piece of batches
// is no large object to the allocator.
const pieceSize = 1 << 9

// add adds an entry behind the others.
func (l *list[T]) add(entry T) {
	i := l.count % pieceSize
	if i == 0 {
		l.last = new([pieceSize]T)
		l.pieces = append(l.pieces, l.last)
	}
	l.last[i] = entry
	l.count++
}

// at returns the i-th entry, which may be changed.
func (l *list[T]) at(i int) *T { return &l.pieces[i/pieceSize][i%pieceSize] }
