package kubetest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Reset is when a connection breaks. The zero value is never.
type Reset int

const (
	// ResetBefore breaks it before the request takes effect.
	ResetBefore Reset = iota + 1
	// ResetAfter breaks it after that: the answer is lost.
	ResetAfter
)

// A Fault is what goes wrong with requests that match it. What is empty matches all.
type Fault struct {
	Verb        string // as in RBAC
	Resource    string
	Subresource string // "-" matches requests of none
	UserAgent   string
	Probability float64 // of a request that matches; 0 is always
	Times       int     // it ends after so many requests; 0 never

	Latency    time.Duration // waited before anything else
	Code       int           // an answer instead of doing anything: 409, 429, 500, 503, 504
	RetryAfter time.Duration // with Code 429, 500, 503 or 504; in whole seconds
	Reset      Reset
}

// answer is the Status that a fault's code stands for.
func (f *Fault) answer(q *request) answer {
	seconds := int((f.RetryAfter + time.Second - 1) / time.Second)
	var err *apierrors.StatusError
	switch r := q.resource.GroupResource(); f.Code {
	case http.StatusConflict:
		err = apierrors.NewConflict(r, q.name, errors.New("the object has been modified (a fault of kubetest)"))
	case http.StatusTooManyRequests:
		err = apierrors.NewTooManyRequests("too many requests (a fault of kubetest)", seconds)
	case http.StatusInternalServerError:
		err = apierrors.NewInternalError(errors.New("a fault of kubetest"))
	case http.StatusServiceUnavailable:
		err = apierrors.NewServiceUnavailable("a fault of kubetest")
	case http.StatusGatewayTimeout:
		err = apierrors.NewTimeoutError("a fault of kubetest", seconds)
	default:
		err = apierrors.NewGenericServerResponse(f.Code, q.verb, r, q.name, "a fault of kubetest", seconds, true)
	}
	if seconds > 0 {
		if err.ErrStatus.Details == nil {
			err.ErrStatus.Details = &metav1.StatusDetails{}
		}
		err.ErrStatus.Details.RetryAfterSeconds = int32(seconds)
	}
	return statusOf(err)
}

func (f *Fault) matches(q *request) bool {
	is := func(want, got string) bool { return want == "" || want == got || want == "-" && got == "" }
	return is(f.Verb, q.verb) && is(f.Resource, q.resource.Resource) && is(f.Subresource, q.subresource) && is(f.UserAgent, q.http.UserAgent())
}

// faults is what is wrong with a server now.
type faults struct {
	mu          sync.Mutex
	set         []*active
	injected    int               // faults so far
	asked       map[string]uint64 // requests of a kind so far
	changed     chan struct{}     // closed when silence or holding begins or is ended
	silentUntil time.Time
	heldUntil   time.Time
	downUntil   time.Time
	lagRevision int64
	lagUntil    time.Time
	watches     watchFaults
}

// An active fault is one that is set.
type active struct {
	Fault
	number int // in the order of setting
	used   int
}

// watchFaults reach the watches that are open when they happen.
type watchFaults struct {
	cut  chan struct{}
	mute chan struct{}
	// muted is how long a mute watch stays open; it is written before mute is closed.
	muted *time.Duration
}

func newWatchFaults() watchFaults {
	return watchFaults{cut: make(chan struct{}), mute: make(chan struct{}), muted: new(time.Duration)}
}

func (f *faults) init() {
	f.asked, f.changed, f.watches = map[string]uint64{}, make(chan struct{}), newWatchFaults()
}

// SetFaults replaces the faults of requests. Without arguments there are none.
func (s *Server) SetFaults(fs ...Fault) {
	s.faults.mu.Lock()
	s.faults.set, s.faults.injected = nil, 0
	s.faults.mu.Unlock()
	for _, f := range fs {
		s.Inject(f)
	}
}

// Inject adds a fault of requests. The function that it returns takes it away.
func (s *Server) Inject(f Fault) (remove func()) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	a := &active{Fault: f, number: s.faults.injected}
	s.faults.injected++
	s.faults.set = append(s.faults.set, a)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.set = slices.DeleteFunc(s.faults.set, func(b *active) bool { return a == b })
	}
}

// choose draws what goes wrong with a request: of each fault that matches, in order,
// until one answers or resets. The draw depends on the seed, the fault, who asks what
// of which object, and how often that was asked before: not on how requests of others
// are interleaved with it, so that a schedule of faults repeats as far as it can.
func (f *faults) choose(seed uint64, q *request) (chosen Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.set) == 0 {
		return chosen
	}
	kind := q.http.UserAgent() + " " + q.verb + " " + q.resource.Resource + "/" + q.subresource + " " + q.key().String()
	f.asked[kind]++
	for _, fault := range f.set {
		if !fault.matches(q) || fault.Times > 0 && fault.used >= fault.Times {
			continue
		}
		draw := float64(hash(seed, "fault", fault.number, kind, f.asked[kind])>>11) / (1 << 53)
		if fault.Probability > 0 && draw >= fault.Probability {
			continue
		}
		fault.used++
		chosen.Latency += fault.Latency
		if fault.Code != 0 || fault.Reset != 0 {
			chosen.Code, chosen.RetryAfter, chosen.Reset = fault.Code, fault.RetryAfter, fault.Reset
			break
		}
	}
	return chosen
}

// delay waits for d; false if ctx ends first.
func (s *Server) delay(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// awake waits until the server is not silent; false if ctx ends first.
func (s *Server) awake(ctx context.Context) bool {
	for {
		s.faults.mu.Lock()
		d, changed := time.Until(s.faults.silentUntil), s.faults.changed
		s.faults.mu.Unlock()
		if d <= 0 {
			return true
		}
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-changed:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// Silence makes the server accept connections and requests for d, but answer nothing,
// as a process that is stopped; then it answers what is still waiting. 0 ends it.
func (s *Server) Silence(d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.silentUntil = time.Now().Add(d)
	s.faults.tell()
}

// tell wakes whoever waits for the end of a fault. The lock is held.
func (f *faults) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// HoldWatches makes watches say nothing for d, and go on from there: clients see the
// past, while what they write takes effect, as with a watch cache that is behind. 0
// ends it.
func (s *Server) HoldWatches(d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.heldUntil = time.Now().Add(d)
	s.faults.tell()
}

// held is for how long watches say nothing yet, and what is closed if that changes.
func (f *faults) held() (time.Duration, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	until := f.heldUntil
	if f.silentUntil.After(until) {
		until = f.silentUntil
	}
	return time.Until(until), f.changed
}

// LagLists makes lists and initial events that allow any state (resourceVersion "0", or
// not older than one) show, for d, that of now, as a server does whose watch cache is
// behind. 0 ends it.
func (s *Server) LagLists(d time.Duration) {
	s.store.mu.Lock()
	revision := s.store.revision
	s.store.mu.Unlock()
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.lagRevision, s.faults.lagUntil = revision, time.Now().Add(d)
}

// lag is the revision that lists show, or 0 for the newest.
func (f *faults) lag() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Now().Before(f.lagUntil) {
		return f.lagRevision
	}
	return 0
}

// CutWatches breaks the connections of all watches that are open.
func (s *Server) CutWatches() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	close(s.faults.watches.cut)
	s.faults.watches = newWatchFaults()
}

// MuteWatches makes all watches that are open say nothing any more. Their connections
// break after d (a client's health check of connections finds it out), or without a
// word at the watch's own end.
func (s *Server) MuteWatches(d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	*s.faults.watches.muted = d
	close(s.faults.watches.mute)
	s.faults.watches = newWatchFaults()
}

func (s *Server) watchFaults() watchFaults {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.watches
}

// mute holds a watch open, and breaks it in the end.
func (s *Server) mute(f *follower, end <-chan time.Time) {
	broken := time.NewTimer(*f.faults.muted)
	defer broken.Stop()
	select {
	case <-broken.C:
	case <-end:
	case <-f.faults.cut:
	case <-f.q.http.Context().Done():
	}
	panic(http.ErrAbortHandler)
}

// Compact forgets the history: a watch from any earlier resourceVersion, and a list
// that goes on from one, get 410.
func (s *Server) Compact() {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.compact()
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.lagUntil = time.Time{}
}

// Restart ends the server's process and starts it again after d: all connections
// break, new ones are refused meanwhile, and the history is forgotten, as a watch cache
// is. What was stored stays.
func (s *Server) Restart(d time.Duration) {
	s.faults.mu.Lock()
	s.faults.downUntil = time.Now().Add(d)
	s.faults.silentUntil, s.faults.heldUntil = time.Time{}, time.Time{}
	s.faults.tell()
	s.faults.mu.Unlock()
	s.Compact()
	s.conns.closeAll()
}

// down reports whether connections are refused.
func (f *faults) down() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.downUntil)
}

// unreachableUntil is when who can't reach the server now may try again.
func (f *faults) unreachableUntil() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silentUntil.After(f.downUntil) {
		return f.silentUntil
	}
	return f.downUntil
}
