package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// electFlags say how one of several is elected to act, by kube-scheduler's names.
type electFlags struct {
	on                     bool
	name, namespace        string // of the Lease
	lasts, deadline, retry time.Duration
}

func (f *electFlags) add(cmd *cobra.Command, lease string) {
	fl := cmd.Flags()
	fl.BoolVar(&f.on, "leader-elect", true, "act only while holding a Lease, so that of several one acts and the others stand by")
	fl.StringVar(&f.name, "leader-elect-resource-name", lease, "name of the Lease")
	fl.StringVar(&f.namespace, "leader-elect-resource-namespace", "", "its namespace (default: that of the kubeconfig's context, or of the pod)")
	fl.DurationVar(&f.lasts, "leader-elect-lease-duration", 15*time.Second, "after which a Lease that isn't renewed may be taken")
	fl.DurationVar(&f.deadline, "leader-elect-renew-deadline", 10*time.Second, "for how long a leader tries to renew before it gives up")
	fl.DurationVar(&f.retry, "leader-elect-retry-period", 2*time.Second, "between tries to take or renew the Lease")
}

// check returns what is wrong with the times. Verbs that elect nobody have none.
func (f *electFlags) check() error {
	if f.on && (f.retry <= 0 || f.deadline <= f.retry*12/10 || f.lasts <= f.deadline) {
		return exit(exitBadInput, fmt.Errorf("a Lease of %v can't be renewed within %v by tries each %v; give a lease duration above the renew deadline, and that above 1.2 retry periods",
			f.lasts, f.deadline, f.retry))
	}
	return nil
}

// errLost says that somebody else may act now.
var errLost = errors.New("the Lease was lost, so another may act now; start again to stand by")

// A tenure is a leader's time, or nobody's where none is elected.
type tenure struct {
	elector *leaderelection.LeaderElector // nil where none is elected
	lock    resourcelock.Interface
	log     *zap.Logger
	began   chan struct{}
	over    chan struct{} // closed when it may not act any more
	stop    context.CancelFunc
	holds   prometheus.Gauge
}

// stand has the verb stand for election. It doesn't wait.
func (f *electFlags) stand(of *api, log *zap.Logger, to prometheus.Registerer) (*tenure, error) {
	t := &tenure{began: make(chan struct{}), over: make(chan struct{}), stop: func() {}}
	if !f.on {
		close(t.began)
		return t, nil
	}
	namespace := f.namespace
	if namespace == "" {
		namespace = of.namespace
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, exit(exitWorldFailed, fmt.Errorf("electing a leader takes a name for this one: %w", err))
	}
	t.holds = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "leader_election_master_status", Help: "1 if this one holds the Lease.", ConstLabels: prometheus.Labels{"name": f.name},
	})
	if err := to.Register(t.holds); err != nil {
		return nil, exit(exitWorldFailed, err)
	}
	id := host + "_" + string(uuid.NewUUID())
	config := rest.CopyConfig(of.config)
	config.Timeout = f.deadline / 2 // so that a request that hangs leaves time for another
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, exit(exitBadInput, fmt.Errorf("making a client for the Lease: %w; give another kubeconfig", err))
	}
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, f.name, client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: id})
	if err != nil {
		return nil, exit(exitBadInput, fmt.Errorf("the Lease %s/%s: %w; give another name", namespace, f.name, err))
	}
	log = log.With(zap.String("lease", namespace+"/"+f.name), zap.String("as", id))
	t.lock, t.log = lock, log
	t.elector, err = leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: f.lasts, RenewDeadline: f.deadline, RetryPeriod: f.retry, Name: f.name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { t.holds.Set(1); log.Info("leading"); close(t.began) },
			OnStoppedLeading: func() {
				if t.holds.Set(0); t.leads() {
					log.Info("leading no more")
				}
			},
			OnNewLeader: func(other string) { log.Info("the leader is", zap.String("leader", other)) },
		},
	})
	if err != nil {
		return nil, exit(exitBadInput, fmt.Errorf("the Lease %s/%s: %w; give other times", namespace, f.name, err))
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	go func() {
		defer close(t.over)
		t.elector.Run(ctx)
	}()
	return t, nil
}

// await waits until the tenure has begun. It returns a context that ends with it, too, or false
// if ctx is done before.
func (t *tenure) await(ctx context.Context) (context.Context, bool) {
	select {
	case <-t.began:
	case <-ctx.Done():
		return ctx, false
	}
	if t.elector == nil {
		return ctx, true
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-t.over:
			cancel(errLost)
		case <-ctx.Done():
			cancel(nil)
		}
	}()
	return ctx, true
}

// resign ends the tenure, and gives the Lease back if it is held.
func (t *tenure) resign() {
	if t.elector == nil {
		return
	}
	select {
	case <-t.over: // lost
		return
	default:
	}
	t.stop()
	<-t.over
	if !t.elector.IsLeader() {
		return
	}
	if err := t.giveBack(); err != nil {
		t.log.Warn("the Lease was not given back, and is free only when it has run out", zap.Error(err))
	}
}

// giveBack leaves the Lease to whoever asks first. client-go's elector would do that itself, but
// also when it has lost the Lease, and then for as long as the API doesn't answer: all the while
// its leader would go on acting.
func (t *tenure) giveBack() error {
	ctx, cancel := context.WithTimeout(context.Background(), mostGivingBack)
	defer cancel()
	held, _, err := t.lock.Get(ctx)
	if err != nil || held.HolderIdentity != t.lock.Identity() {
		return err
	}
	now := metav1.Now()
	return t.lock.Update(ctx, resourcelock.LeaderElectionRecord{
		LeaseDurationSeconds: 1, AcquireTime: now, RenewTime: now, LeaderTransitions: held.LeaderTransitions,
	})
}

// mostGivingBack bounds how long a verb that was stopped tries to give its Lease back.
const mostGivingBack = 5 * time.Second

// leads reports whether the tenure has begun.
func (t *tenure) leads() bool {
	select {
	case <-t.began:
		return true
	default:
		return false
	}
}

// healthy returns an error if the Lease is held, and could not be renewed for longer than it
// lasts.
func (t *tenure) healthy() error {
	if t.elector == nil {
		return nil
	}
	return t.elector.Check(0)
}
