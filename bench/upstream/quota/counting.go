package quota

import (
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/quota/v1/install"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	berth "github.com/berthsim/berth/quota"
)

// A book is what Berth counts of everything there is: objects of all resources, by what they are about.
// When it counts a quota anew is what upstream's filter of changes says.
type book struct {
	objects map[string]metav1.Object // by resource, namespace and name
	kinds   map[string]string        // the resource of each
	unheard []func()                 // says what is stale by what the quota controller hasn't heard of
	stale   map[string]bool          // quotas that are to be counted anew
	synced  time.Time                // when all were
}

func newBook() *book {
	return &book{objects: map[string]metav1.Object{}, kinds: map[string]string{}, stale: map[string]bool{}, synced: time.Now()}
}

var changes = install.DefaultUpdateFilter()

// put takes in that an object is there, or has changed.
func (b *ours) put(resource string, was, is metav1.Object) {
	key := resource + " " + is.GetNamespace() + "/" + is.GetName()
	b.book.objects[key], b.book.kinds[key] = is, resource
	if q, ok := is.(*v1.ResourceQuota); ok {
		b.putQuota(was, q)
	}
	b.book.unheard = append(b.book.unheard, func() {
		if was != nil && changes(version(resource), was, is) {
			b.replenish(resource, is)
		}
	})
}

// putQuota takes in a quota's spec, or a status that somebody else has written. Admission has charged it
// already if it counts itself.
func (b *ours) putQuota(was metav1.Object, is *v1.ResourceQuota) {
	key := is.Namespace + "/" + is.Name
	q := quotaOf(is)
	if was == nil {
		b.quotas[key] = q
		b.book.stale[key] = true
		return
	}
	before := was.(*v1.ResourceQuota)
	old := b.quotas[key]
	q.Enforced, q.Used = old.Enforced, old.Used
	if used(before.Status) != used(is.Status) {
		written := must(manifest.ResourceQuota(is))
		q.Enforced, q.Used = written.Enforced, written.Used
	}
	b.quotas[key] = q
	if named(old.Hard) != named(q.Hard) {
		b.book.stale[key] = true
	}
}

// gone takes in that an object isn't there any more.
func (b *ours) gone(resource string, o metav1.Object) {
	key := o.GetNamespace() + "/" + o.GetName()
	delete(b.book.objects, resource+" "+key)
	if resource == "resourcequotas" {
		delete(b.quotas, key)
		delete(b.book.stale, key)
	}
	if !slices.Contains(counted, resource) {
		return
	}
	b.book.unheard = append(b.book.unheard, func() { b.replenish(resource, o) })
}

// replenish has those quotas counted anew that limit something of objects like o.
func (b *ours) replenish(resource string, o metav1.Object) {
	x := b.conv.object(resource, o)
	for key, q := range b.quotas {
		plain := *q
		plain.Scopes = nil
		if q.Namespace == o.GetNamespace() && berth.Matches(&plain, x) {
			b.book.stale[key] = true
		}
	}
}

// look counts those quotas anew that are to be.
func (b *ours) look() {
	for _, hear := range b.book.unheard {
		hear()
	}
	b.book.unheard = nil
	for _, key := range slices.Sorted(maps.Keys(b.book.stale)) {
		b.recount(key)
	}
	clear(b.book.stale)
}

// resyncAt is when all quotas are to be counted anew.
func (b *ours) resyncAt() time.Time { return b.book.synced.Add(resync) }

func (b *ours) resync() {
	b.book.synced = time.Now()
	for _, key := range slices.Sorted(maps.Keys(b.quotas)) {
		b.recount(key)
	}
}

// recount has a quota's status say what there is.
func (b *ours) recount(key string) {
	var all []berth.Object
	for _, name := range slices.Sorted(maps.Keys(b.book.objects)) {
		o := b.conv.object(b.book.kinds[name], b.book.objects[name])
		b.wrong.object(o)
		all = append(all, *o)
	}
	q := *b.quotas[key]
	c := berth.NewController(berth.ControllerOptions{Objects: all})
	q.Enforced, q.Used = q.Hard, c.Recount(cluster.NewState(), b.wrong.quota(&q))
	b.wrong.counted(&q)
	b.quotas[key] = &q
}

// status returns what a quota's status says.
func (b *ours) status(key string) string { return statusText(b.quotas[key]) }

func statusText(q *cluster.ResourceQuota) string {
	if q == nil {
		return "is not there"
	}
	return fmt.Sprintf("hard %s used %s", named(q.Enforced), named(q.Used))
}

// used returns what is used of all quotas.
func (b *ours) used() map[string]string {
	all := map[string]string{}
	for key, q := range b.quotas {
		all[key] = named(q.Used)
	}
	return all
}
