package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/replay"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
	"github.com/berthsim/berth/traces/wire"
)

// experimentKey is where a log's metadata hold the experiment of its one run, as JSON.
const experimentKey = "experiment"

// logName names the log of the run in a slot.
func logName(slot int) string { return fmt.Sprintf("run-%03d.berth", slot) }

// A logFile is the log of a run while it goes on: beside where it is to be.
type logFile struct {
	path string
	file *os.File
	to   *wire.Writer
	log  *replay.Log
}

// startLog begins the log of a run of s.
func startLog(dir string, j *job, s *cluster.State, program string) (*logFile, error) {
	alone, err := json.Marshal(j.alone)
	if err != nil {
		return nil, fmt.Errorf("logging a run: %w", err)
	}
	meta := replay.Meta(s)
	meta.Source, meta.SourceHash, meta.Program = j.point.Trace, j.trace.Hash, "berth "+program
	meta.More = map[string]string{experimentKey: string(alone)}
	l := &logFile{path: filepath.Join(dir, logName(j.slot))}
	if l.file, err = os.Create(l.path + ".partial"); err != nil {
		return nil, fmt.Errorf("logging a run: %w", err)
	}
	if l.to, err = wire.Create(l.file, meta, wire.Options{}); err != nil {
		l.drop()
		return nil, fmt.Errorf("logging a run: %w", err)
	}
	l.log = replay.NewLog(l.to)
	return l, nil
}

// drop gives up the log of a run that failed.
func (l *logFile) drop() {
	l.file.Close()
	os.Remove(l.file.Name())
}

// keep ends the log of a run, and puts it where it is to be.
func (l *logFile) keep() error {
	err := l.to.Close()
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = l.file.Close()
	}
	if err == nil {
		err = os.Rename(l.file.Name(), l.path)
	}
	if err != nil {
		l.drop()
		return fmt.Errorf("logging a run: %w", err)
	}
	return nil
}

// end keeps the log of a run unless that has failed.
func (l *logFile) end(err *error) {
	if *err != nil {
		l.drop()
		return
	}
	*err = l.keep()
}

// CheckLogDir returns nil if logs may be put into a folder: there is none of that name, or it
// holds nothing but logs.
func CheckLogDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't write logs to %s: %w; give another folder", dir, err)
	}
	for _, e := range entries {
		if ok, _ := filepath.Match("run-*.berth*", e.Name()); !ok {
			return fmt.Errorf("can't write logs to %s: it holds %s, which is no log; give a folder that is new or holds logs alone", dir, e.Name())
		}
	}
	return nil
}

// makeLogDir makes the folder, and takes earlier logs out of it.
func makeLogDir(dir string) error {
	if err := CheckLogDir(dir); err != nil {
		return err
	}
	old, _ := filepath.Glob(filepath.Join(dir, "run-*.berth*"))
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("taking out earlier logs: %w", err)
		}
	}
	return os.MkdirAll(dir, 0o777)
}

// A Replayed is what came of playing a log again.
type Replayed struct {
	Meta       *wire.Meta
	Policy     string             // under which it was played
	Rounds     int                // that were played
	Decisions  int                // that were made
	Digest     string             // of them
	End        cluster.Time       // of the last round
	Difference *replay.Difference // nil if everything was decided as then
	Metrics    map[string]float64
}

// A roundCount is a Recorder that counts.
type roundCount struct{ rounds, decisions int }

// Record implements cluster.Recorder. It returns no error.
func (c *roundCount) Record(_ *cluster.State, _ []cluster.Event, ds []cluster.Decision) error {
	c.rounds++
	c.decisions += len(ds)
	return nil
}

// Replay plays the log of a run again, with what decided in it then, but for the policy if
// that is not "". It ends where something is decided that the log hasn't.
func Replay(ctx context.Context, path, policy string, opts Options) (*Replayed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &traces.Error{File: path, Problem: "can't be read: " + err.Error(), Remedy: "give a log that berth compare --log has written"}
	}
	defer f.Close()
	from, err := wire.NewReader(f, wire.ReadOptions{Name: path})
	if err != nil {
		return nil, err
	}
	live, err := liveOf(from.Meta())
	switch {
	case err != nil:
		return nil, &traces.Error{File: path, Problem: "who decided can't be read: " + err.Error(), Remedy: "use the version of Berth that wrote the log"}
	case live != nil:
		return replayLive(ctx, live, policy, from, &opts)
	}
	var x Experiment
	text, ok := from.Meta().More[experimentKey]
	if !ok || from.Meta().Kind != wire.Run {
		return nil, &traces.Error{File: path, Problem: "it is no log of a run, but a " + from.Meta().Kind, Remedy: "play it by berth compare --trace, or give a log that berth compare --log has written"}
	}
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		return nil, &traces.Error{File: path, Problem: "its experiment can't be read: " + err.Error(), Remedy: "write the log again"}
	}
	if policy != "" {
		x.Axes.Policy = []string{policy}
	}
	j, err := x.only(&opts)
	if err != nil {
		return nil, err
	}
	return replayJob(ctx, j, from, &opts)
}

// beside returns recorders, and the one that is to watch a replay.
func (o *Options) beside(rs ...cluster.Recorder) cluster.Recorders {
	if o.Watch != nil {
		rs = append(rs, o.Watch)
	}
	return rs
}

// replayJob plays a log.
func replayJob(ctx context.Context, j *job, from *wire.Reader, opts *Options) (*Replayed, error) {
	s := cluster.NewState()
	r := replay.New(s, from)
	how, err := j.regime.policy(j.policy).Options(ctx)
	if err != nil {
		return nil, err
	}
	how.Service = cluster.Time(j.service)
	digest, measure, count := cluster.NewDigest(), newMeasure(s.Mix), &roundCount{}
	controllers := append(j.regime.controllers(j.weather.controllers()), scheduler.NewScheduler(how))
	if err := cluster.Run(ctx, r, s, opts.beside(digest, measure, count), controllers...); err != nil {
		return nil, err
	}
	return &Replayed{
		Meta: from.Meta(), Policy: j.point.Policy, Rounds: count.rounds, Decisions: count.decisions, Digest: digest.Sum(),
		End: s.Now, Difference: r.Difference(), Metrics: measure.metrics(s, true),
	}, nil
}

// only returns the one run of an experiment that has no more, without its trace.
func (x *Experiment) only(opts *Options) (*job, error) {
	if err := x.Validate(opts.Plugins, opts.Evictions...); err != nil {
		return nil, err
	}
	policies, err := x.policies(opts.Plugins)
	if err != nil {
		return nil, err
	}
	regimes, err := x.regimes(opts.Plugins)
	if err != nil {
		return nil, err
	}
	p := x.points()[0]
	weather := &weather{Storm: x.Storm}
	if err := weather.openPolicy(p, opts); err != nil {
		return nil, err
	}
	return &job{point: p, policy: policies[p.Policy], weather: weather, regime: regimes[p.Quota], service: x.Service, work: x.Storm.Work}, nil
}
