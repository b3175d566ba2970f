package parity

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

// A Recording is a scenario with what upstream decided in it. Since upstream's decisions are those
// that are applied, Berth can be held against it again and again without asking upstream.
type Recording struct {
	config  []byte // of the scheduler
	entries []entry
}

// entry is one call of Berth's as a follower, or one attempt.
type entry struct {
	call    func(*Berth, runtime.Object) error
	object  runtime.Object
	attempt *lockstep.Attempt
}

// Record plays a scenario upstream and keeps what happens.
func Record(s *scenario.Scenario) (*Recording, error) {
	o, err := oracle.New(oracle.Config{Profile: s.Config})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	r := &Recording{config: s.Config}
	see := func(a lockstep.Attempt) error {
		r.entries = append(r.entries, entry{attempt: &a})
		return nil
	}
	if err := lockstep.Play(s, o, see, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Add implements lockstep.Follower.
func (r *Recording) Add(obj runtime.Object) error { return r.note((*Berth).Add, obj) }

// Update implements lockstep.Follower.
func (r *Recording) Update(obj runtime.Object) error { return r.note((*Berth).Update, obj) }

// Delete implements lockstep.Follower.
func (r *Recording) Delete(obj runtime.Object) error { return r.note((*Berth).Delete, obj) }

func (r *Recording) note(call func(*Berth, runtime.Object) error, obj runtime.Object) error {
	r.entries = append(r.entries, entry{call: call, object: obj})
	return nil
}

// Compare holds Berth against the recording, up to the first pod with a mismatch.
func (r *Recording) Compare() (Comparison, error) {
	var c Comparison
	b, err := Configured(r.config)
	if err != nil {
		return c, err
	}
	for _, e := range r.entries {
		if e.attempt != nil {
			err = c.Visit(b, *e.attempt)
		} else {
			err = e.call(b, e.object)
		}
		if err != nil || len(c.Mismatches) > 0 {
			return c, err
		}
	}
	return c, nil
}
