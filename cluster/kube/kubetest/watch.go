package kubetest

import (
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	restwatch "k8s.io/client-go/rest/watch"
)

// watchTimeout ends a watch that names no timeoutSeconds.
const watchTimeout = 30 * time.Minute

// A stream writes watch events to one client.
type stream struct {
	resource *resource
	encoder  *restwatch.Encoder
	flush    func()
}

// newStream begins an answer in the media type that the client accepts.
func newStream(w http.ResponseWriter, q *request) (*stream, bool) {
	info, ok := negotiate(q.http.Header.Get("Accept"))
	if !ok || info.StreamSerializer == nil {
		http.Error(w, "no media type that the client accepts can be streamed", http.StatusNotAcceptable)
		return nil, false
	}
	media := info.MediaType
	if media == runtime.ContentTypeProtobuf {
		media += ";stream=watch"
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	st := &stream{
		resource: q.resource,
		encoder:  restwatch.NewEncoder(streaming.NewEncoder(info.StreamSerializer.NewFrameWriter(w), info.StreamSerializer.Serializer), info.Serializer),
		flush:    func() { _ = flush.Flush() }, // a connection that is gone ends the watch by its context
	}
	st.flush()
	return st, true
}

func (st *stream) send(event watch.EventType, o runtime.Object) error {
	if so, ok := o.(Object); ok {
		o = served(so, st.resource)
	}
	return st.encoder.Encode(&watch.Event{Type: event, Object: kinded(o, st.resource.GroupVersion())})
}

// bookmark tells the client up to where it has seen everything.
func (st *stream) bookmark(revision int64, initialEnd bool) error {
	o := st.resource.empty()
	o.SetResourceVersion(strconv.FormatInt(revision, 10))
	if initialEnd {
		o.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	return st.send(watch.Bookmark, o)
}

// record sends a write as whoever selected sees it: what comes into the selection is
// added, what leaves it is deleted.
func (st *stream) record(sel *selection, r *record) error {
	before := r.before != nil && sel.shows(r.before)
	now := r.event != watch.Deleted && sel.shows(r.object)
	switch {
	case now && !before:
		return st.send(watch.Added, r.object)
	case now:
		return st.send(watch.Modified, r.object)
	case before && r.event == watch.Deleted:
		return st.send(watch.Deleted, r.object)
	case before: // as it was when it was last seen, but with the resourceVersion of its leaving
		o := r.before.DeepCopyObject().(Object)
		o.SetResourceVersion(r.object.GetResourceVersion())
		return st.send(watch.Deleted, o)
	}
	return nil
}

// watch answers a watch until it times out, the client goes, or a fault ends it.
func (s *Server) watch(w http.ResponseWriter, q *request) (code int, err error) {
	o, err := q.listOptions()
	if err != nil {
		return 0, err
	}
	sel, err := selectionOf(q.resource, q.namespace, &o)
	if err != nil {
		return 0, err
	}
	initial := o.SendInitialEvents != nil && *o.SendInitialEvents
	if err := s.checkWatchList(q, &o); err != nil {
		return 0, err
	}
	cursor, err := revisionOf(o.ResourceVersion)
	if err != nil {
		return 0, err
	}
	s.store.mu.Lock()
	t, now := s.store.table(q.resource), s.store.revision
	var first []Object
	switch {
	case cursor > now:
		err = tooLarge(cursor, now)
	case initial || cursor == 0 && o.SendInitialEvents == nil:
		if lag := s.faults.lag(); lag > 0 && o.ResourceVersion != "" {
			cursor = max(cursor, lag)
		} else {
			cursor = now
		}
		first, err = t.at(cursor)
	case cursor == 0:
		cursor = now
	}
	s.store.mu.Unlock()
	if err != nil {
		return 0, err
	}
	faults := s.watchFaults()
	st, ok := newStream(w, q)
	if !ok {
		return http.StatusNotAcceptable, nil
	}
	for _, o := range first {
		if sel.shows(o) {
			if err := st.send(watch.Added, o); err != nil {
				return http.StatusOK, nil
			}
		}
	}
	if initial {
		if err := st.bookmark(cursor, true); err != nil {
			return http.StatusOK, nil
		}
	}
	st.flush()
	f := follower{server: s, q: q, table: t, sel: sel, stream: st, cursor: cursor, faults: faults, bookmarks: o.AllowWatchBookmarks}
	f.follow(timeoutOf(&o))
	return http.StatusOK, nil
}

// timeoutOf is how long a watch lasts.
func timeoutOf(o *metav1.ListOptions) time.Duration {
	if o.TimeoutSeconds != nil && *o.TimeoutSeconds > 0 {
		return time.Duration(*o.TimeoutSeconds) * time.Second
	}
	return watchTimeout
}

// checkWatchList refuses sendInitialEvents where it is misused or not served.
func (s *Server) checkWatchList(q *request, o *metav1.ListOptions) error {
	if o.SendInitialEvents == nil {
		return nil
	}
	if s.options.NoWatchList {
		return invalid(q.resource, "", "sendInitialEvents", "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
	}
	if o.ResourceVersionMatch != metav1.ResourceVersionMatchNotOlderThan {
		return invalid(q.resource, "", "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
	}
	if *o.SendInitialEvents && !o.AllowWatchBookmarks {
		return invalid(q.resource, "", "allowWatchBookmarks", "sendInitialEvents requires allowWatchBookmarks")
	}
	return nil
}

// A follower sends what is written to a table, from a cursor on.
type follower struct {
	server    *Server
	q         *request
	table     *table
	sel       selection
	stream    *stream
	cursor    int64
	faults    watchFaults
	bookmarks bool
}

// follow sends writes until the watch ends. It holds no lock while it writes or waits.
func (f *follower) follow(timeout time.Duration) {
	end := time.NewTimer(timeout)
	defer end.Stop()
	bookmark := time.NewTicker(f.server.options.BookmarkPeriod)
	defer bookmark.Stop()
	due, over := false, false // a bookmark is due; the watch's time is over
	for {
		var news <-chan struct{} // nil while watches are held: nothing is sent then
		held, changed := f.server.faults.held()
		if held <= 0 {
			if over {
				return
			}
			var ok bool
			if news, ok = f.round(due); !ok {
				return
			}
			due = false
		}
		resume, stop := timerOf(held)
		select {
		case <-news:
		case <-resume:
		case <-changed:
		case <-bookmark.C:
			due = true
		case <-end.C:
			over = true
		case <-f.q.http.Context().Done():
			stop()
			return
		case <-f.faults.cut:
			stop()
			panic(http.ErrAbortHandler)
		case <-f.faults.mute:
			stop()
			f.server.mute(f, end.C)
		}
		stop()
	}
}

// timerOf fires after d; never if it isn't positive.
func timerOf(d time.Duration) (c <-chan time.Time, stop func()) {
	if d <= 0 {
		return nil, func() {}
	}
	timer := time.NewTimer(d)
	return timer.C, func() { timer.Stop() }
}

// round sends what was written since the last one, and a bookmark if it is due. It
// returns what is closed at the next write; ok is false if the watch has ended.
func (f *follower) round(due bool) (news <-chan struct{}, ok bool) {
	f.server.store.mu.Lock()
	records, err := f.table.since(f.cursor)
	now, changed := f.server.store.revision, f.table.changed
	f.server.store.mu.Unlock()
	if err != nil {
		f.fail(err)
		return nil, false
	}
	for i := range records {
		if f.stream.record(&f.sel, &records[i]) != nil {
			return nil, false
		}
	}
	f.cursor = now
	if due && f.bookmarks && f.stream.bookmark(now, false) != nil {
		return nil, false
	}
	if len(records) > 0 || due {
		f.stream.flush()
	}
	return changed, true
}

// fail ends the watch with an error that tells the client why: 410 sends it to list.
func (f *follower) fail(err error) {
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		return
	}
	s := status.Status()
	if f.stream.send(watch.Error, &s) == nil {
		f.stream.flush()
	}
}
