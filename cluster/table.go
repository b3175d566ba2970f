package cluster

// A Table holds objects beside nodes and pods, by namespace and name, in order
// of arrival. Everything outside this package only reads it.
type Table[T any] struct {
	// Epoch differs whenever the content differs.
	Epoch uint64

	rows []tableRow[T]
	at   map[string]int
}

type tableRow[T any] struct {
	key    string
	object *T
}

// Key joins a namespace and a name. Objects without a namespace have the key
// "/name".
func Key(namespace, name string) string { return namespace + "/" + name }

// Get returns the object of a key, nil if there is none.
func (t *Table[T]) Get(namespace, name string) *T {
	return t.find(Key(namespace, name))
}

// find returns the object of a key, nil if there is none.
func (t *Table[T]) find(key string) *T {
	if i, ok := t.at[key]; ok {
		return t.rows[i].object
	}
	return nil
}

// All calls yield for each object, in order of arrival.
func (t *Table[T]) All() func(yield func(*T) bool) {
	return func(yield func(*T) bool) {
		for _, row := range t.rows {
			if !yield(row.object) {
				return
			}
		}
	}
}

// Len returns the number of objects.
func (t *Table[T]) Len() int { return len(t.rows) }

// set adds an object, or puts it in place of that with its key.
func (t *Table[T]) set(key string, object *T) {
	t.Epoch++
	if i, ok := t.at[key]; ok {
		t.rows[i].object = object
		return
	}
	if t.at == nil {
		t.at = map[string]int{}
	}
	t.at[key] = len(t.rows)
	t.rows = append(t.rows, tableRow[T]{key, object})
}

// remove takes an object out, if it is there.
func (t *Table[T]) remove(key string) {
	i, ok := t.at[key]
	if !ok {
		return
	}
	t.Epoch++
	t.rows = append(t.rows[:i], t.rows[i+1:]...)
	delete(t.at, key)
	for ; i < len(t.rows); i++ {
		t.at[t.rows[i].key] = i
	}
}
