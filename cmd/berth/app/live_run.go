package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// A live is a verb that runs on a live cluster until it is stopped.
type live struct {
	app   *app
	flags *liveFlags
	who   *bench.Live
	needs kube.Needs
	mix   cluster.Mix // what pods to expect

	// begin returns who decides and who looks on.
	begin func(ctx context.Context, on *stage) (*crew, error)

	file string // of the log or recording, "" for none
	log  *zap.Logger
}

// A stage is what a run is made with.
type stage struct {
	epoch    time.Time // what cluster.Time 0 stands for
	cluster  *kube.Cluster
	state    *cluster.State
	registry prometheus.Registerer
	log      *zap.Logger
}

// A crew is who decides in a run, and who looks on.
type crew struct {
	controllers []cluster.Controller
	recorders   cluster.Recorders
}

// run runs the verb until ctx is done, its time is over or it fails.
func (l *live) run(ctx context.Context) error {
	l.log = l.app.liveLog()
	defer func() { _ = l.log.Sync() }() // standard error can't always be synced
	of, err := l.app.connect(l.flags, l.who.Verb)
	if err != nil {
		return err
	}
	if l.flags.lasts > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, l.flags.lasts, errTime)
		defer cancel()
	}
	f := newFront()
	if err := f.listen(l.flags.address, l.log); err != nil {
		return err
	}
	defer f.close()
	elects := l.flags.elect
	elects.on = elects.on && !l.flags.dryRun
	tenure, err := elects.stand(of, l.log, f.registry)
	if err != nil {
		return err
	}
	f.tenure.Store(tenure)
	defer tenure.resign()
	during, ok := tenure.await(ctx)
	if !ok {
		return stopped(ctx)
	}
	return l.act(during, of, f)
}

// patience is after how long without the API's lists a warning is due.
const patience = 10 * time.Second

// act decides until ctx is done.
func (l *live) act(ctx context.Context, of *api, f *front) (err error) {
	epoch := time.Now()
	s := cluster.NewState()
	s.Seed, s.Mix = l.flags.seed, l.mix
	file, err := l.startLog(s, epoch, of)
	if err != nil {
		return err
	}
	defer file.end(&err)
	c, err := kube.New(s, kube.Options{
		Config: of.config, Epoch: epoch, ReadOnly: l.flags.dryRun || l.who.Verb == bench.LiveRecord,
		Needs: l.needs, Log: l.log, Metrics: f.registry, Gap: file.gap,
	})
	if err != nil {
		return exit(exitWorldFailed, err)
	}
	synced := c.Synced
	f.synced.Store(&synced)
	on, err := l.begin(ctx, &stage{epoch, c, s, f.registry, l.log})
	if err != nil {
		return err
	}
	report := newReport(l, epoch)
	l.log.Info("began", zap.String("verb", l.who.Verb), zap.String("api", of.config.Host), zap.String("version", version()), zap.Bool("dryRun", l.flags.dryRun))
	late := time.AfterFunc(patience, func() {
		if !c.Synced() {
			l.log.Warn("not all lists have come from the API yet", zap.String("api", of.config.Host), zap.Duration("after", patience))
		}
	})
	defer late.Stop()
	err = l.play(ctx, c, s, on, append(cluster.Recorders{file, report}, on.recorders...))
	if err == nil && report.rounds == 0 && errors.Is(context.Cause(ctx), errTime) {
		err = exit(exitWorldFailed, fmt.Errorf("%s has not listed all that was asked for in %v; see whether it is reached, and allows it (deploy/ has roles)", of.config.Host, l.flags.lasts))
	}
	if wrong := c.Close(); wrong != nil {
		l.log.Warn("requests were given up", zap.Error(wrong))
	}
	l.log.Info("ended", zap.Int("rounds", report.rounds), zap.Int("decisions", report.decisions), zap.String("digest", report.digest.Sum()))
	if wrong := report.end(file.name()); err == nil {
		err = wrong
	}
	return err
}

// play runs the loop. Its error has an exit status, and is nil if the verb was to stop.
func (l *live) play(ctx context.Context, c *kube.Cluster, s *cluster.State, on *crew, rec cluster.Recorder) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l.log.Error("a plugin failed", zap.Any("cause", cause), zap.ByteString("stack", debug.Stack()))
			err = exit(exitWorldFailed, fmt.Errorf("a plugin failed: %v; the log says where", cause))
		}
	}()
	err = cluster.Run(ctx, c, s, rec, on.controllers...)
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return stopped(ctx)
	}
	return exit(exitWorldFailed, err)
}
