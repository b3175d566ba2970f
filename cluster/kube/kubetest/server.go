package kubetest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Options choose what a Server is like. The zero value is a healthy server.
type Options struct {
	Seed uint64 // of UIDs, generated names, and of chance in faults
	// History is how many writes of each resource a watch may be behind; 0 is 10,000.
	History int
	// BookmarkPeriod is the time between bookmarks; 0 is a minute.
	BookmarkPeriod time.Duration
	// NoWatchList refuses sendInitialEvents, as servers without the feature WatchList do.
	NoWatchList bool
	// TaintNodesByCondition is the admission plugin of that name: a new node is tainted
	// as not ready until a node lifecycle controller removes the taint. It is on in real
	// servers, and off here, so that a scheduler can be tested without that controller.
	TaintNodesByCondition bool
}

// A Server is a Kubernetes API in memory. Its methods may be called at any time, by
// any goroutine.
type Server struct {
	options  Options
	store    *store
	audit    audit
	faults   faults
	listener *pipeListener
	server   *http.Server
	serving  sync.WaitGroup // connections and listeners
	kubelets kubelets
	conns    conns
	ctx      context.Context // ends at Close
	cancel   context.CancelFunc
}

// New starts a server with the namespaces that each cluster has. Close ends it.
func New(o Options) *Server {
	if o.History == 0 {
		o.History = 10_000
	}
	if o.BookmarkPeriod == 0 {
		o.BookmarkPeriod = time.Minute
	}
	s := &Server{options: o, store: newStore(o), listener: newPipeListener()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.faults.init()
	s.audit.server = s
	s.store.written = s.written
	for _, name := range []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease} {
		if err := s.Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			panic(err) // nothing is there yet that it could conflict with
		}
	}
	s.server = &http.Server{
		Handler: s, ConnState: s.connState, ConnContext: s.conns.add,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
	}
	s.serving.Go(func() { _ = s.server.Serve(s.listener) }) // it ends when Close closes the listener
	return s
}

// connState counts connections, so that Close can wait for them.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.serving.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.drop(c)
		s.serving.Done()
	}
}

// Config returns how client-go reaches the server, in this process, without a limit of
// requests per second. It works inside a synctest bubble if New was called in it.
func (s *Server) Config() *rest.Config {
	return &rest.Config{
		Host: "http://kubetest",
		QPS:  -1,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if s.faults.down() {
				return nil, refused()
			}
			return s.listener.dial(ctx)
		},
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
	}
}

// Close ends all connections and kubelets, and waits until their goroutines are done.
// What was stored can still be read.
func (s *Server) Close() {
	s.cancel()
	_ = s.server.Close() // says only that a listener was closed before
	s.kubelets.wait()
	s.serving.Wait()
}

// ServeHTTP implements http.Handler: the API, with the faults that are set.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, ok := parseRequest(r)
	if !ok {
		if s.awake(r.Context()) {
			s.discover(w, r)
		}
		return
	}
	var err error
	if q.body, err = io.ReadAll(r.Body); err != nil {
		panic(http.ErrAbortHandler) // the client went before it had said what it wants
	}
	entry := s.audit.begin(q)
	fault := s.faults.choose(s.options.Seed, q)
	ctx := q.patience()
	if !s.awake(ctx) || !s.delay(ctx, fault.Latency) || fault.Reset == ResetBefore {
		s.audit.end(entry, 0, true)
		panic(http.ErrAbortHandler)
	}
	if fault.Code != 0 {
		a := fault.answer(q)
		s.audit.end(entry, a.code, false)
		a.write(w, r, q.resource.GroupVersion())
		return
	}
	if q.verb == "watch" {
		s.audit.end(entry, http.StatusOK, false)
		if code, err := s.watch(w, q); err != nil {
			a := statusOf(err)
			a.write(w, r, q.resource.GroupVersion())
			s.audit.end(entry, a.code, false)
		} else {
			s.audit.end(entry, code, false)
		}
		return
	}
	a, err := s.serve(q)
	if err != nil {
		a = statusOf(err)
	}
	lost := fault.Reset == ResetAfter
	s.audit.end(entry, a.code, lost)
	if lost {
		panic(http.ErrAbortHandler)
	}
	a.write(w, r, q.resource.GroupVersion())
}

// patience ends when a request needn't be served any more: a read when its client goes,
// a write when the server ends. For what a client wrote and then gave up on may still
// be in the buffers of a server that is slow, and take effect later.
func (q *request) patience() context.Context {
	if q.verb == "get" || q.verb == "list" || q.verb == "watch" {
		return q.http.Context()
	}
	return q.http.Context().Value(connKey{}).(context.Context)
}

// serve answers all but watches.
func (s *Server) serve(q *request) (answer, error) {
	if q.resource.namespaced && q.namespace == "" && q.verb != "list" && q.verb != "deletecollection" {
		return answer{}, apierrors.NewMethodNotSupported(q.resource.GroupResource(), q.verb+" without a namespace")
	}
	switch q.verb {
	case "get":
		s.store.mu.Lock()
		o, err := s.store.table(q.resource).get(q.key())
		s.store.mu.Unlock()
		if err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, served(o, q.resource)}, nil
	case "list":
		return s.listAnswer(q)
	case "create":
		return s.post(q)
	case "update":
		return s.put(q)
	case "patch":
		return s.patch(q)
	case "delete":
		return s.remove(q)
	}
	return s.removeAll(q)
}

func (s *Server) listAnswer(q *request) (answer, error) {
	o, err := q.listOptions()
	if err != nil {
		return answer{}, err
	}
	sel, err := selectionOf(q.resource, q.namespace, &o)
	if err != nil {
		return answer{}, err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	list, err := s.store.list(s.store.table(q.resource), q.resource, sel, o, s.faults.lag())
	return answer{http.StatusOK, list}, err
}

// removeAll answers deletecollection.
func (s *Server) removeAll(q *request) (answer, error) {
	o, err := q.listOptions()
	if err != nil {
		return answer{}, err
	}
	sel, err := selectionOf(q.resource, q.namespace, &o)
	if err != nil {
		return answer{}, err
	}
	options, err := q.deleteOptions()
	if err != nil {
		return answer{}, err
	}
	t := s.store.table(q.resource)
	err = s.locked(q, func() error {
		all, err := t.at(s.store.revision)
		if err != nil {
			return err
		}
		for _, o := range all {
			if sel.shows(o) {
				if _, err := s.store.delete(t, keyOf(o), options); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return answer{http.StatusOK, &metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusOK}}, err
}

// locked runs a write of q under the lock, and says in the audit log that it is q's.
func (s *Server) locked(q *request, write func() error) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.audit.actor, s.audit.number, s.store.dry = q.http.UserAgent(), q.number, q.dryRun()
	defer func() { s.audit.actor, s.audit.number, s.store.dry = "", 0, false }()
	return write()
}

// written is told of each write, under the lock.
func (s *Server) written(t *table, r record) {
	s.audit.write(t, r)
	s.kubelets.see(t, r)
}
