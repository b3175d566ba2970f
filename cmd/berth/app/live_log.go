package app

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/replay"
	"github.com/berthsim/berth/traces/wire"
)

// partial is behind the name of a file that is still written.
const partial = ".partial"

// flushPeriod is how much of a log is lost at most if the program is killed.
const flushPeriod = time.Second

// A liveLog is the log of a run on a live cluster, or a recording of one, while it is written:
// beside where it is to be. A nil one writes nothing.
type liveLog struct {
	path      string
	recording bool

	mu   sync.Mutex // flushing has a goroutine of its own
	file *os.File
	to   *wire.Writer
	log  *replay.Log
	err  error // the first

	stop    chan struct{}
	stopped sync.WaitGroup
}

// startLog begins the log, if there is to be one.
func (l *live) startLog(s *cluster.State, epoch time.Time, of *api) (*liveLog, error) {
	if l.file == "" {
		return nil, nil
	}
	meta, err := l.who.Meta(s)
	if err != nil {
		return nil, exit(exitWorldFailed, err)
	}
	meta.Source, meta.Program, meta.Epoch = "kubernetes "+of.config.Host, "berth "+version(), epoch.UTC().Format(time.RFC3339Nano)
	g := &liveLog{path: l.file, recording: l.who.Verb == bench.LiveRecord, stop: make(chan struct{})}
	if g.file, err = os.OpenFile(l.file+partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666); err != nil {
		return nil, exit(exitWorldFailed, fmt.Errorf("writing a log: %w", err))
	}
	if g.to, err = wire.Create(g.file, meta, wire.Options{}); err != nil {
		return nil, exit(exitWorldFailed, errors.Join(fmt.Errorf("writing a log: %w", err), g.file.Close(), os.Remove(g.file.Name())))
	}
	g.log = replay.NewLog(g.to)
	if g.recording {
		g.log.Outside = replay.Watched()
	}
	g.stopped.Go(g.flush)
	return g, nil
}

// flush has the file hold what was recorded, again and again.
func (g *liveLog) flush() {
	tick := time.NewTicker(flushPeriod)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.mu.Lock()
			g.err = cmp.Or(g.err, g.log.Flush())
			g.mu.Unlock()
		case <-g.stop:
			return
		}
	}
}

// Record implements cluster.Recorder. Its error is that the log can't be written.
func (g *liveLog) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	if g == nil || g.recording && len(events) == 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return g.err
	}
	if !g.recording {
		return g.log.Record(s, events, ds)
	}
	came, placed := apart(events)
	if err := g.log.Record(s, came, ds); err != nil || len(placed) == 0 {
		return err
	}
	return g.log.Record(s, placed, nil)
}

// apart has pods that come with what the cluster has made of them come first, as they were
// asked for, and then be changed: who plays the workload again is to see no more than the first.
func apart(events []cluster.Event) (came, placed []cluster.Event) {
	for i := range events {
		e := events[i]
		if e.Kind == cluster.PodAdded && !asCreated(e.PodSpec) {
			spec := *e.PodSpec
			spec.On, spec.Allocation, spec.Nominated, spec.Started = "", cluster.Allocation{}, "", nil
			spec.Terminating, spec.Preempted, spec.Unready, spec.Starting = false, false, false, false
			placed = append(placed, cluster.Event{Time: e.Time, Kind: cluster.PodChanged, Pod: e.Pod, Node: e.Node, PodSpec: e.PodSpec})
			e.PodSpec = &spec
		}
		came = append(came, e)
	}
	return came, placed
}

// asCreated reports whether nothing has been made of a pod yet.
func asCreated(p *cluster.PodSpec) bool {
	return p.On == "" && p.Nominated == "" && p.Started == nil && !p.Terminating && !p.Preempted && !p.Unready && !p.Starting
}

// gap notes that something may have been missed.
func (g *liveLog) gap(kind string, from, until cluster.Time, reason string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = g.to.Gap(until, wire.Gap{From: min(from, until), Lost: -1, Reason: kind + ": " + reason})
	}
}

// name returns where the log is to be, "" for none.
func (g *liveLog) name() string {
	if g == nil {
		return ""
	}
	return g.path
}

// end finishes the log, and puts it where it is to be, also if the run has failed: it tells up
// to where. An error of its own counts if there is none yet.
func (g *liveLog) end(err *error) {
	if g == nil {
		return
	}
	close(g.stop)
	g.stopped.Wait()
	wrong := cmp.Or(g.err, g.to.Close())
	if wrong == nil {
		wrong = g.file.Sync()
	}
	wrong = cmp.Or(wrong, g.file.Close())
	if wrong == nil {
		wrong = os.Rename(g.file.Name(), g.path)
	}
	if wrong != nil && *err == nil {
		*err = exit(exitWorldFailed, fmt.Errorf("writing %s: %w", g.file.Name(), wrong))
	}
}
