package traces

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

// all returns the entries in one slice.
func (l *list[T]) all() []T {
	entries := make([]T, 0, l.count)
	for _, piece := range l.pieces {
		entries = append(entries, piece[:min(pieceSize, l.count-len(entries))]...)
	}
	return entries
}
