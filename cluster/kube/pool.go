package kube

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/berthsim/berth/cluster"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// A job is a decision that is to be carried out.
type job struct {
	seq  uint64
	kind cluster.Kind
	lane string // jobs of one lane are done in order: those about one object

	namespace, name string
	uid             types.UID
	node            string
	allocation      cluster.Allocation
	detail          cluster.Detail
	posted          time.Time      // of SetConditions: when the node had been heard of
	unschedulable   bool           // of taints: whether the node was cordoned
	base            runtime.Object // of Store: what the status is written into

	began    time.Time // zero before the first try
	tries    int
	asking   bool  // it is to be found out what became of it
	last     error // of the last try
	lastCode int
}

const (
	// mostQueued is how many decisions may wait before Apply does.
	mostQueued = 4096

	requestTime  = 10 * time.Second // for one request
	firstBackoff = 50 * time.Millisecond
	mostBackoff  = 5 * time.Second

	// refusalRest is how long it takes for a refusal to be heard of, but for those of bindings
	// and evictions, after which schedulers and drains rest by themselves.
	refusalRest = time.Second
)

// A pool of workers carries out decisions: those about one object in order, others at the same
// time. A decision that has to wait for its next try keeps its place in its lane, and no worker.
type pool struct {
	sender
	inbox    *inbox
	log      *zap.Logger
	patience time.Duration

	ctx    context.Context // of requests
	cancel context.CancelFunc
	room   chan struct{} // holds a token for each decision that isn't settled

	mu      sync.Mutex
	some    sync.Cond
	lanes   map[string][]*job // whose first is ready, under way, or waits for its next try
	ready   []string
	closed  bool
	workers sync.WaitGroup
}

func newPool(c *Cluster) *pool {
	p := &pool{
		sender: sender{client: c.client, epoch: c.clock.epoch, metrics: c.metrics},
		inbox:  c.inbox, log: c.log, patience: c.opts.Patience,
		room: make(chan struct{}, mostQueued), lanes: map[string][]*job{},
	}
	p.nonce = fmt.Sprintf("%016x", rand.Uint64())
	p.some.L = &p.mu
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// start starts workers.
func (p *pool) start(workers int) {
	for range workers {
		p.workers.Go(p.work)
	}
}

// put puts a decision into line. It waits while the line is full; its error is ctx's.
func (p *pool) put(ctx context.Context, j *job) error {
	select {
	case p.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.metrics.inFlight.Inc()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lanes[j.lane] = append(p.lanes[j.lane], j)
	if len(p.lanes[j.lane]) == 1 {
		p.makeReady(j.lane)
	}
	return nil
}

// makeReady has a worker look at a lane. The caller holds p.mu.
func (p *pool) makeReady(lane string) {
	p.ready = append(p.ready, lane)
	p.some.Signal()
}

// next returns the job that is to be tried next, nil when the pool is closed.
func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) == 0 && !p.closed {
		p.some.Wait()
	}
	if p.closed {
		return nil
	}
	lane := p.ready[0]
	p.ready = p.ready[1:]
	return p.lanes[lane][0]
}

func (p *pool) work() {
	for {
		j := p.next()
		if j == nil {
			return
		}
		a, wait, done := p.try(j)
		if !done {
			time.AfterFunc(wait, func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.makeReady(j.lane)
			})
			continue
		}
		a.seq = j.seq
		p.tell(j, a)
		p.finish(j)
	}
}

// tell passes an answer on. A refusal that whoever decided may decide against at once, while what
// they know of the object is old, is kept for a while: until then the decision shows.
func (p *pool) tell(j *job, a answer) {
	if a.ok || j.kind == cluster.Bind || j.kind == cluster.RequestEviction {
		p.inbox.add(change{what: answered, answer: a})
		return
	}
	time.AfterFunc(refusalRest, func() { p.inbox.add(change{what: answered, answer: a}) })
}

// finish takes a settled job off its lane.
func (p *pool) finish(j *job) {
	p.mu.Lock()
	if rest := p.lanes[j.lane][1:]; len(rest) > 0 {
		p.lanes[j.lane] = rest
		p.makeReady(j.lane)
	} else {
		delete(p.lanes, j.lane)
	}
	p.mu.Unlock()
	p.metrics.inFlight.Dec()
	<-p.room
}

// try sends a job's requests, or asks what became of them. If that settles the job, done is
// true; if not, it is to be tried again after a while.
func (p *pool) try(j *job) (a answer, wait time.Duration, done bool) {
	if j.began.IsZero() {
		j.began = time.Now()
	}
	j.tries++
	if !j.asking {
		version, err := p.send(p.ctx, j)
		if err == nil {
			return answer{ok: true, version: version}, 0, true
		}
		j.last, j.lastCode = err, statusOf(err)
		var no *refusal
		switch {
		case errors.As(err, &no):
			return answer{code: no.code, reason: no.reason}, 0, true
		case j.lastCode == http.StatusNotFound || j.lastCode == http.StatusConflict || p.tired(j):
			j.asking = true
		case isFinal(j.lastCode):
			return answer{code: int16(j.lastCode), reason: err.Error()}, 0, true
		default:
			return answer{}, p.pause(j, err), false
		}
	}
	is, err := p.ask(p.ctx, j)
	switch {
	case err != nil: // nobody knows, so it must be asked again
		p.log.Debug("asking what became of a decision failed", zap.String("lane", j.lane), zap.Stringer("decision", j.kind), zap.Error(err))
		return answer{}, p.pause(j, err), false
	case is.done:
		return answer{ok: true, version: is.version}, 0, true
	case is.code != 0:
		return answer{code: is.code, reason: is.reason}, 0, true
	case p.tired(j):
		return answer{code: int16(j.lastCode), reason: fmt.Sprintf("given up after %v: %v", p.patience, j.last)}, 0, true
	}
	j.asking = false
	return answer{}, p.pause(j, j.last), false
}

// tired reports whether a job has been tried for so long that it isn't any more.
func (p *pool) tired(j *job) bool { return time.Since(j.began) >= p.patience }

// pause returns how long to wait before the next try: as long as the server asks for, or twice
// as long as before, and up to half as long again at random, lest all come back at once.
func (p *pool) pause(j *job, err error) time.Duration {
	wait := mostBackoff
	if j.tries < 8 {
		wait = min(firstBackoff<<(j.tries-1), mostBackoff)
	}
	if asked := retryAfter(err); asked > wait {
		wait = asked
	}
	return wait + rand.N(wait/2)
}

// close has no more jobs be tried, and waits for those under way, up to a time; then it gives
// them up, and says so.
func (p *pool) close(most time.Duration) error {
	p.mu.Lock()
	p.closed = true
	p.some.Broadcast()
	p.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		p.workers.Wait()
		close(idle)
	}()
	timer := time.NewTimer(most)
	defer timer.Stop()
	defer p.cancel()
	select {
	case <-idle:
		return nil
	case <-timer.C:
		p.cancel()
		<-idle
		return fmt.Errorf("closing the live cluster: requests were still unanswered after %v and have been given up", most)
	}
}
