package replay

import "github.com/berthsim/berth/cluster"

// rows are where pods, or nodes, of a log are in a State, by their numbers. One that has gone
// is known until something else is in its row, as long as somebody may speak of it.
type rows[T ~int32] struct {
	of   map[T]place[T]
	held []T // the number of what is in a row, or was the last
}

// A place is a row, and whether what it is of has gone.
type place[T ~int32] struct {
	row  T
	gone bool
}

func newRows[T ~int32]() rows[T] { return rows[T]{of: map[T]place[T]{}} }

// come notes that something is in a row now.
func (rs *rows[T]) come(number, row T) {
	if int(row) < len(rs.held) {
		delete(rs.of, rs.held[row])
	}
	rs.held = at(rs.held, int(row), number)
	rs.of[number] = place[T]{row: row}
}

// leave notes that something has gone, or is about to.
func (rs *rows[T]) leave(number T) {
	p := rs.of[number]
	p.gone = true
	rs.of[number] = p
}

// live returns the row of what hasn't gone.
func (rs *rows[T]) live(number T) (row T, ok bool) {
	p, ok := rs.of[number]
	return p.row, ok && !p.gone
}

// row returns the row of what was there and isn't forgotten, None otherwise.
func (rs *rows[T]) row(number T) T {
	if p, ok := rs.of[number]; ok {
		return p.row
	}
	return cluster.None
}
