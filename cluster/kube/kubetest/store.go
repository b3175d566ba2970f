package kubetest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// A store holds the objects and their history under one lock, which nobody holds
// while waiting: in a synctest bubble time stands still for whoever waits for a lock.
// Objects in it never change: a write puts another in their place.
type store struct {
	mu         sync.Mutex
	revision   int64 // the resourceVersion of the last write of any resource
	uids       uint64
	seed       uint64
	taintNodes bool
	limit      int // records that a table's history keeps
	tables     map[schema.GroupResource]*table
	dry        bool // nothing is stored: a request that asks so is being served
	// written is told of each write, under the lock.
	written func(t *table, r record)
}

// A table holds the objects of one resource.
type table struct {
	*resource
	objects map[types.NamespacedName]Object
	history []record      // oldest first
	dropped int64         // the revision through which the history was compacted
	changed chan struct{} // closed at the next write
}

// A record is one write.
type record struct {
	revision int64
	event    watch.EventType // Added, Modified or Deleted
	key      types.NamespacedName
	object   Object // after the write; of what was deleted, with the deletion's resourceVersion
	before   Object // nil if it was added
}

func newStore(o Options) *store {
	st := &store{revision: 1, seed: o.Seed, limit: o.History, taintNodes: o.TaintNodesByCondition, tables: map[schema.GroupResource]*table{}}
	for _, r := range resources {
		if core := gvr("", "events"); r.GroupVersionResource == gvr("events.k8s.io", "events") {
			st.tables[r.GroupResource()] = st.tables[core.GroupResource()]
			continue
		}
		st.tables[r.GroupResource()] = &table{
			resource: r, objects: map[types.NamespacedName]Object{}, changed: make(chan struct{}), dropped: st.revision,
		}
	}
	return st
}

// table finds where the objects of r are. Both resources of events have one table.
func (st *store) table(r *resource) *table { return st.tables[r.GroupResource()] }

// keyOf is where an object is stored.
func keyOf(o Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// compareKeys is the order of lists.
func compareKeys(a, b types.NamespacedName) int {
	if a.Namespace != b.Namespace {
		if a.Namespace < b.Namespace {
			return -1
		}
		return 1
	}
	if a.Name != b.Name {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}
	return 0
}

// get returns the object as it is stored: it must not be changed.
func (t *table) get(key types.NamespacedName) (Object, error) {
	o, ok := t.objects[key]
	if !ok {
		return nil, apierrors.NewNotFound(t.GroupResource(), key.Name)
	}
	return o, nil
}

// create stores o, and gives it what every object has.
func (st *store) create(t *table, o Object) (Object, error) {
	if o.GetResourceVersion() != "" {
		return nil, apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	if o.GetName() == "" {
		if o.GetGenerateName() == "" {
			return nil, invalid(t.resource, "", "metadata.name", "name or generateName is required")
		}
		o.SetName(o.GetGenerateName() + fmt.Sprintf("%05x", hash(st.seed, "name", st.uids)&0xfffff))
	}
	key := keyOf(o)
	if _, ok := t.objects[key]; ok {
		return nil, apierrors.NewAlreadyExists(t.GroupResource(), key.Name)
	}
	st.uids++
	o.SetUID(uid(st.seed, st.uids))
	o.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	o.SetDeletionTimestamp(nil)
	o.SetDeletionGracePeriodSeconds(nil)
	o.SetSelfLink("")
	st.commit(t, watch.Added, key, o, nil)
	return o, nil
}

// update replaces the object by what change makes of a copy of it. A change that
// changes nothing is no write; one that takes the last finalizer from what was
// deleted removes it.
func (st *store) update(t *table, key types.NamespacedName, change func(Object) (Object, error)) (Object, error) {
	old, err := t.get(key)
	if err != nil {
		return nil, err
	}
	changed, err := change(old.DeepCopyObject().(Object))
	if err != nil {
		return nil, err
	}
	if equality.Semantic.DeepEqual(old, changed) {
		return old, nil
	}
	grace := changed.GetDeletionGracePeriodSeconds()
	if changed.GetDeletionTimestamp() != nil && len(changed.GetFinalizers()) == 0 && len(old.GetFinalizers()) > 0 &&
		(grace == nil || *grace == 0) {
		return st.remove(t, key, changed), nil
	}
	st.commit(t, watch.Modified, key, changed, old)
	return changed, nil
}

// remove deletes an object whose last state is o.
func (st *store) remove(t *table, key types.NamespacedName, o Object) Object {
	before := t.objects[key]
	o = o.DeepCopyObject().(Object)
	st.commit(t, watch.Deleted, key, o, before)
	return o
}

// commit makes a write: the object gets the next resourceVersion, the history a
// record, and watches wake up.
func (st *store) commit(t *table, event watch.EventType, key types.NamespacedName, o, before Object) {
	if st.dry {
		return
	}
	st.revision++
	o.SetResourceVersion(strconv.FormatInt(st.revision, 10))
	if event == watch.Deleted {
		delete(t.objects, key)
	} else {
		t.objects[key] = o
	}
	r := record{revision: st.revision, event: event, key: key, object: o, before: before}
	t.history = append(t.history, r)
	if len(t.history) >= 2*st.limit {
		t.compact(t.history[len(t.history)-st.limit-1].revision)
	}
	close(t.changed)
	t.changed = make(chan struct{})
	if st.written != nil {
		st.written(t, r)
	}
}

// compact forgets the history up to a revision, that included.
func (t *table) compact(revision int64) {
	n, _ := slices.BinarySearchFunc(t.history, revision+1, func(r record, v int64) int { return int(r.revision - v) })
	t.history = slices.Clone(t.history[n:])
	t.dropped = max(t.dropped, revision)
}

// compact forgets every history.
func (st *store) compact() {
	for _, t := range st.tables {
		t.compact(st.revision)
	}
}

// since returns the writes after a revision, or that they are forgotten.
func (t *table) since(revision int64) ([]record, error) {
	if revision < t.dropped {
		return nil, expired(revision, t.dropped)
	}
	n, _ := slices.BinarySearchFunc(t.history, revision+1, func(r record, v int64) int { return int(r.revision - v) })
	return t.history[n:len(t.history):len(t.history)], nil
}

// at returns the objects as they were at a revision, sorted, or that this is forgotten.
func (t *table) at(revision int64) ([]Object, error) {
	if revision < t.dropped {
		return nil, expired(revision, t.dropped)
	}
	past := map[types.NamespacedName]Object{}
	for i := len(t.history) - 1; i >= 0 && t.history[i].revision > revision; i-- {
		past[t.history[i].key] = t.history[i].before
	}
	objects := make([]Object, 0, len(t.objects))
	for key, o := range t.objects {
		if _, ok := past[key]; !ok {
			objects = append(objects, o)
		}
	}
	for _, o := range past {
		if o != nil {
			objects = append(objects, o)
		}
	}
	slices.SortFunc(objects, func(a, b Object) int { return compareKeys(keyOf(a), keyOf(b)) })
	return objects, nil
}

// expired is the answer to whoever asks for what was compacted.
func expired(revision, dropped int64) error {
	return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", revision, dropped))
}

// uid makes the n-th UID of a server: the same in each run.
func uid(seed, n uint64) types.UID {
	a, b := hash(seed, "uid", n), hash(seed, "uid again", n)
	return types.UID(fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff))
}

// hash mixes a seed with what a random choice is about.
func hash(seed uint64, parts ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, seed)
	for _, p := range parts {
		fmt.Fprint(h, "|", p)
	}
	x := h.Sum64() // FNV leaves the high bits of short inputs alike, so they are mixed again
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
