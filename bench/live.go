package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/replay"
	"github.com/berthsim/berth/cluster/workload"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces/wire"
)

// Live says who decides on a live cluster: all that is needed to decide the same again, on
// another machine. It is one of schedule, lifecycle and record, by what it has.
type Live struct {
	Verb string `json:"verb"` // one of the constants below; record decides nothing

	// Policy is schedule's: a list of plugins, or the name of a file with a
	// KubeSchedulerConfiguration, whose content is Config.
	Policy string `json:"policy,omitempty"`
	Config string `json:"config,omitempty"`

	// Name is the schedulerName of the pods that a list of plugins is for. A configuration
	// has its own names.
	Name string `json:"name,omitempty"`

	Eviction string `json:"eviction,omitempty"` // lifecycle's policy and settings, as eviction.Open reads them
}

// The verbs.
const (
	LiveSchedule  = "schedule"
	LiveLifecycle = "lifecycle"
	LiveRecord    = "record"
	LiveCertify   = "certify" // schedule, lifecycle, and pods in the place of others
)

// liveKey is where a log's metadata hold Live, as JSON.
const liveKey = "live"

// NewSchedule returns the Live of a policy, as OpenPolicy has it, for pods whose schedulerName
// is name; a configuration must be given none. The error says what is wrong with either.
func NewSchedule(plugins []*scheduler.Plugin, policy, name string) (*Live, error) {
	l := &Live{Verb: LiveSchedule, Policy: policy, Name: name}
	if IsConfigFile(policy) {
		content, err := os.ReadFile(policy)
		if err != nil {
			return nil, fmt.Errorf("policy %q: %w; name a file with a KubeSchedulerConfiguration", policy, err)
		}
		if name != "" {
			return nil, fmt.Errorf("%s says itself which schedulerNames its profiles are for; leave --name out", policy)
		}
		l.Config = string(content)
	}
	_, err := l.policy(plugins)
	return l, err
}

// policy opens what decides about pods.
func (l *Live) policy(plugins []*scheduler.Plugin) (*Policy, error) {
	if l.Config != "" {
		return readPolicy(plugins, l.Policy, []byte(l.Config))
	}
	return OpenPolicy(plugins, l.Policy)
}

// Scheduler returns the options of schedule's Scheduler, with profiles of its own. Extenders
// are asked until ctx is done.
func (l *Live) Scheduler(ctx context.Context, plugins []*scheduler.Plugin) (scheduler.Options, error) {
	p, err := l.policy(plugins)
	if err != nil {
		return scheduler.Options{}, err
	}
	how, err := p.Options(ctx)
	if err == nil && l.Name != "" {
		how.Profiles = map[string]*scheduler.Profile{schedulerName(l.Name): how.Profiles[""]}
	}
	return how, err
}

// Controllers returns who decides, in the order in which cluster.Run is to have them.
func (l *Live) Controllers(ctx context.Context, opts *Options) ([]cluster.Controller, error) {
	switch l.Verb {
	case LiveSchedule:
		how, err := l.Scheduler(ctx, opts.Plugins)
		if err != nil {
			return nil, err
		}
		return []cluster.Controller{scheduler.NewScheduler(how)}, nil
	case LiveLifecycle:
		policy, settings, err := eviction.Open(evictions(opts.Evictions), l.Eviction)
		if err != nil {
			return nil, err
		}
		return eviction.Controllers(settings, policy), nil
	case LiveRecord:
		return nil, nil
	case LiveCertify:
		return l.certified(ctx, opts)
	}
	return nil, fmt.Errorf("nobody is known who decides by %q; use the version of Berth that wrote the log", l.Verb)
}

// certified returns those that decide in a run that is to be certified.
func (l *Live) certified(ctx context.Context, opts *Options) (all []cluster.Controller, err error) {
	for _, verb := range []string{LiveLifecycle, LiveSchedule} {
		one := *l
		one.Verb = verb
		some, err := one.Controllers(ctx, opts)
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); verb == LiveLifecycle {
			all = append(all, workload.NewReplicasMarked(workload.NameMark))
		}
	}
	return all, nil
}

// Meta returns what the log of a run of s on a live cluster says of itself.
func (l *Live) Meta(s *cluster.State) (wire.Meta, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return wire.Meta{}, fmt.Errorf("logging a run: %w", err)
	}
	meta := replay.Meta(s)
	if l.Verb == LiveRecord {
		meta.Kind = wire.Recording
	}
	meta.More = map[string]string{liveKey: string(text)}
	return meta, nil
}

// named returns by what it was decided, for people.
func (l *Live) named() string {
	switch l.Verb {
	case LiveSchedule:
		return l.Policy
	case LiveLifecycle:
		return l.Eviction
	case LiveCertify:
		return l.Policy + ", eviction " + l.Eviction
	}
	return "none: nothing was decided"
}

// liveOf returns who decided in a log, nil if it is not one of a live cluster.
func liveOf(meta *wire.Meta) (*Live, error) {
	text, ok := meta.More[liveKey]
	if !ok {
		return nil, nil
	}
	l := &Live{}
	return l, json.Unmarshal([]byte(text), l)
}

// replayLive plays the log of a live cluster, by another policy than its own if that is not "".
func replayLive(ctx context.Context, l *Live, policy string, from *wire.Reader, opts *Options) (*Replayed, error) {
	if policy != "" {
		if l.Verb != LiveSchedule {
			return nil, invalid("policy", policy, "nothing was scheduled in this log, but %s ran; leave --policies out", l.Verb)
		}
		other, err := NewSchedule(opts.Plugins, policy, "")
		if err != nil {
			return nil, err
		}
		if other.Config == "" {
			other.Name = l.Name
		}
		l = other
	}
	controllers, err := l.Controllers(ctx, opts)
	if err != nil {
		return nil, err
	}
	s := cluster.NewState()
	r := replay.New(s, from)
	digest, count := cluster.NewDigest(), &roundCount{}
	if err := cluster.Run(ctx, r, s, opts.beside(digest, count), controllers...); err != nil {
		return nil, err
	}
	return &Replayed{
		Meta: from.Meta(), Policy: l.named(), Rounds: count.rounds, Decisions: count.decisions, Digest: digest.Sum(),
		End: s.Now, Difference: r.Difference(), Metrics: map[string]float64{},
	}, nil
}
