package kube

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Needs says which resources are watched, a bit for each.
type Needs uint16

// What can be watched. Workloads are ReplicationControllers, ReplicaSets, Deployments and
// StatefulSets; Leases are those of nodes.
const (
	Pods Needs = 1 << iota
	Nodes
	Leases
	Budgets
	Quotas
	Workloads
	Namespaces
	Services
)

// Options say which API a Cluster is of, and how it is treated.
type Options struct {
	Config *rest.Config // of the API; its QPS and Burst bound requests: 0 is client-go's 5 and 10, which is little
	Epoch  time.Time    // the instant that cluster.Time 0 stands for; zero: when New is called

	// ReadOnly has nothing be written: a decision stays under way until a watch shows what
	// came of its object.
	ReadOnly bool

	Needs    Needs                 // which resources are watched; 0 is Pods and Nodes
	Workers  int                   // most requests at a time, fewer if Config.QPS is small; 0 is 48
	Patience time.Duration         // after which a decision that neither answer nor watch has settled is asked about; 0 is 30 s
	Log      *zap.Logger           // nil: silent
	Metrics  prometheus.Registerer // nil: none

	// Gap is told that a watch was lost, and that something may have been missed between two
	// times; nil: nobody is. It is called from within Next.
	Gap func(kind string, from, until cluster.Time, reason string)
}

const (
	// defaultWorkers is by measurement (docs/performance.md): what a server takes at once bounds
	// how fast pods are bound, and kube-scheduler doesn't bound it.
	defaultWorkers  = 48
	defaultPatience = 30 * time.Second

	// mostSilent is how long a watch may say nothing before Synced doubts it. API servers send
	// a bookmark about every minute.
	mostSilent = 3 * time.Minute

	// mostClosing bounds how long Close waits for requests under way.
	mostClosing = 15 * time.Second
)

// Cluster is a cluster.Cluster that is a Kubernetes API. Next and Apply are for one goroutine;
// the other methods are for any.
type Cluster struct {
	opts    Options
	log     *zap.Logger
	clock   clock
	client  kubernetes.Interface
	events  kubernetes.Interface // for Events, lest they take requests a second from decisions
	inbox   *inbox
	feeds   []*feed
	tr      *translator
	pool    *pool
	metrics *metrics

	start    sync.Once
	watching context.Context // ends when Close is called
	stop     context.CancelFunc
	watches  sync.WaitGroup
	listed   bool            // every list has come; of Next alone
	out      []cluster.Event // the last batch
}

// New returns a Cluster whose events are for s, which must be empty. It starts nothing: the
// first call of Next does. Its error says what is wrong with the options.
func New(s *cluster.State, o Options) (*Cluster, error) {
	if o.Config == nil {
		return nil, errors.New("a live cluster needs a configuration of its API: give Options.Config, as clientcmd or rest.InClusterConfig make it")
	}
	if o.Needs == 0 {
		o.Needs = Pods | Nodes
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	o.Workers = min(o.Workers, mostWaiting(o.Config.QPS))
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	config := rest.CopyConfig(o.Config)
	if config.ContentType == "" && config.AcceptContentTypes == "" {
		config.ContentType = "application/vnd.kubernetes.protobuf"
		config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the Kubernetes API: %w", err)
	}
	events, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the Kubernetes API: %w", err)
	}
	c := &Cluster{opts: o, log: o.Log, clock: newClock(o.Epoch), client: client, events: events}
	c.metrics, err = newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("registering metrics of the live cluster: %w", err)
	}
	c.inbox = newInbox(c.clock)
	c.feeds = feedsOf(c)
	c.tr = newTranslator(c.clock.epoch, c.log, c.metrics)
	c.tr.dry = o.ReadOnly
	c.pool = newPool(c)
	return c, nil
}

// mostWaiting is how many requests may be made at a time if so many are allowed a second: that a
// request waits to be let through is part of its time, of which half is to be left for the answer.
func mostWaiting(qps float32) int {
	switch {
	case qps < 0:
		return math.MaxInt // there is no limit
	case qps == 0:
		qps = rest.DefaultQPS
	}
	return max(1, int(min(float64(qps)*(requestTime/2).Seconds(), math.MaxInt32)))
}

// Next implements cluster.Cluster. The first call starts the watches, and returns when every
// list has come: nodes and objects come before pods. Its error is ctx's.
func (c *Cluster) Next(ctx context.Context, deadline cluster.Time) (cluster.Time, []cluster.Event, error) {
	c.start.Do(c.run)
	c.tr.learn(c.out)
	c.out = c.out[:0]
	if !c.listed {
		if err := c.awaitLists(ctx); err != nil {
			return c.tr.now, nil, err
		}
	}
	for {
		before, awaited := c.tr.now, deadline > c.clock.now()
		if err := c.inbox.wait(ctx, deadline); err != nil {
			return c.tr.now, nil, err
		}
		c.out = c.tr.translate(c.inbox, c.clock.now())
		c.tellGaps()
		now := c.tr.now
		switch {
		case len(c.out) > 0:
			c.metrics.count(c.out)
			c.metrics.waiting.Set(float64(c.inbox.length()))
		case now < deadline:
			continue // what came was no news
		case awaited:
			// It is a moment later, but what is to happen at the deadline happens then.
			c.tr.now = max(before, deadline)
		}
		return c.tr.now, c.out, nil
	}
}

// awaitLists waits until every resource has been listed.
func (c *Cluster) awaitLists(ctx context.Context) error {
	for !c.allListed() {
		if err := c.inbox.signalled(ctx); err != nil {
			return err
		}
	}
	c.inbox.sortLists()
	c.listed = true
	return nil
}

func (c *Cluster) allListed() bool {
	for _, f := range c.feeds {
		if !f.listed.Load() {
			return false
		}
	}
	return true
}

// tellGaps passes on what the last changes said of lost watches.
func (c *Cluster) tellGaps() {
	for _, g := range c.tr.gaps {
		c.metrics.relists.WithLabelValues(g.kind).Inc()
		c.log.Warn("a watch was lost, and something may have been missed",
			zap.String("kind", g.kind), zap.Duration("from", time.Duration(g.from)), zap.Duration("until", time.Duration(g.until)), zap.String("reason", g.reason))
		if c.opts.Gap != nil {
			c.opts.Gap(g.kind, g.from, g.until, g.reason)
		}
	}
	c.tr.gaps = c.tr.gaps[:0]
}

// Apply implements cluster.Cluster: it puts requests into line, and waits only if the line is
// long. Its error is ctx's.
func (c *Cluster) Apply(ctx context.Context, ds []cluster.Decision) error {
	c.tr.learn(c.out)
	c.out = c.out[:0]
	for i := range ds {
		j := c.tr.decide(&ds[i])
		if j == nil || c.opts.ReadOnly {
			continue
		}
		if err := c.pool.put(ctx, j); err != nil {
			return err
		}
	}
	if c.tr.owes() {
		c.inbox.poke()
	}
	return nil
}

// Synced reports whether every list has come and no watch has been silent for long: what is
// known is not old.
func (c *Cluster) Synced() bool {
	now := c.clock.now()
	for _, f := range c.feeds {
		if !f.listed.Load() || now-cluster.Time(f.heard.Load()) > cluster.Time(mostSilent) {
			return false
		}
	}
	return true
}

// run starts the watches and the workers.
func (c *Cluster) run() {
	c.watching, c.stop = context.WithCancel(context.Background())
	for _, f := range c.feeds {
		c.watches.Go(func() { f.run(c.watching) })
	}
	if !c.opts.ReadOnly {
		c.pool.start(c.opts.Workers)
	}
}

// Close stops the watches and waits for requests under way, though not for ever; none begins
// any more. It returns an error if some had to be given up, of which nobody knows then what
// came of them.
func (c *Cluster) Close() error {
	started := true
	c.start.Do(func() { started = false })
	if !started {
		return nil
	}
	err := c.pool.close(mostClosing)
	c.stop()
	c.watches.Wait()
	return err
}
