package tally_test

import (
	"flag"
	"testing"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/lockstep"
	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/bench/upstream/tally"
)

var (
	seed = flag.Uint64("seed", 1, "seed of the generated scenarios")
	pods = flag.Int("pods", 2000, "number of attempts to place a pod")
)

// TestEveryClass plays generated scenarios and wants every class of outcome, so that a comparison with
// them compares everything there is.
func TestEveryClass(t *testing.T) {
	all := tally.New()
	for i := uint64(0); all.Pods < *pods; i++ {
		one, err := play(i)
		if err != nil {
			t.Fatalf("seed %d, index %d: %v", *seed, i, err)
		}
		all.Merge(one)
	}
	all.Write(t.Output())
	if missing := all.Missing(tally.Expected); len(missing) > 0 {
		t.Errorf("%d attempts of seed %d never met %q", all.Pods, *seed, missing)
	}
}

func play(index uint64) (*tally.Tally, error) {
	s := generate.Scenario(*seed, index, generate.Options{})
	o, err := oracle.New(oracle.Config{Profile: s.Config})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	c := tally.New()
	c.Weigh(o.Weights("default-scheduler"))
	err = lockstep.Play(s, o, func(a lockstep.Attempt) error {
		c.Add(a)
		return nil
	})
	return c, err
}
