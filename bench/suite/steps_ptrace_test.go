//go:build ptrace

package suite

import (
	"runtime"
	"testing"

	"github.com/berthsim/berth/plugins"
)

// mustStepper returns a stepper, and fails the test where there can be none.
func mustStepper(t *testing.T) *stepper {
	t.Helper()
	st, err := newStepper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.close)
	return st
}

var sink [1000]int

//go:noinline
func turns(n int) {
	for i := range n {
		sink[i] += i
	}
}

// TestVerifyStepsAreExact checks that counts are proportional to what is done, and do not depend
// on what else happens.
func TestVerifyStepsAreExact(t *testing.T) {
	st := mustStepper(t)
	stop := make(chan bool)
	defer close(stop)
	go func() { // keeps the other threads busy
		for {
			select {
			case <-stop:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	count := func(n int) uint64 {
		steps, err := st.counted(&probe{run: func() { turns(n) }})
		if err != nil {
			t.Fatal(err)
		}
		return steps
	}
	few, twice, many := count(100), count(100), count(1000)
	if few != twice || many-few < 900*3 || many-few > 900*20 || (many-few)%900 != 0 {
		t.Errorf("100 turns take %d and %d instructions, 1000 take %d", few, twice, many)
	}
}

// TestVerifyStepsOfPlugins checks that what a plugin does is counted within a percent.
func TestVerifyStepsOfPlugins(t *testing.T) {
	st := mustStepper(t)
	r, err := newRack(plugins.All, stepNodes[1], false)
	if err != nil {
		t.Fatal(err)
	}
	for _, pb := range r.probes {
		if pb.plugin != "TaintToleration" || pb.point == "normalize" {
			continue
		}
		once, err := st.counted(pb)
		if err != nil {
			t.Fatal(err)
		}
		again, err := st.counted(pb)
		if err != nil {
			t.Fatal(err)
		}
		if once < 100 || max(once, again)-min(once, again) > once/100 {
			t.Errorf("%s takes %d instructions at %s, and then %d", pb.plugin, once, pb.point, again)
		}
	}
}
