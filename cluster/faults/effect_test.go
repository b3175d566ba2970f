package faults

import (
	"testing"

	"github.com/berthsim/berth/cluster"
)

func TestSilent(t *testing.T) {
	const s = cluster.Second
	flap := Effect{Kind: Flap, Period: 90 * s, Down: 60 * s}
	tests := []struct {
		effect Effect
		now    cluster.Time // the fault is from 100 s to 300 s
		silent bool
		until  cluster.Time
	}{
		{Effect{}, 0, false, 100 * s},
		{Effect{}, 100 * s, true, 300 * s},
		{Effect{Kind: Hang}, 299 * s, true, 300 * s},
		{Effect{Kind: Partition}, 300 * s, false, cluster.Never},
		{Effect{Kind: Late, By: s}, 0, false, 100 * s},
		{Effect{Kind: Late, By: s}, 150 * s, false, cluster.Never},
		{Effect{Kind: Pressure, Signal: "pid"}, 150 * s, false, cluster.Never},
		{flap, 99 * s, false, 100 * s},
		{flap, 100 * s, true, 160 * s},
		{flap, 159 * s, true, 160 * s},
		{flap, 160 * s, false, 190 * s},
		{flap, 190 * s, true, 250 * s},
		{flap, 280 * s, true, 300 * s},
		{flap, 300 * s, false, cluster.Never},
		{Effect{Kind: Flap, Period: 180 * s, Down: 60 * s}, 200 * s, false, 280 * s},
		{Effect{Kind: Flap, Period: 200 * s, Down: 60 * s}, 200 * s, false, cluster.Never},
	}
	for _, tt := range tests {
		f := &Fault{At: 100 * s, Until: 300 * s, Effect: tt.effect}
		if silent, until := f.Silent(tt.now); silent != tt.silent || until != tt.until {
			t.Errorf("%v at %v s: %v until %v s, want %v until %v s", tt.effect.Kind, tt.now.Seconds(), silent, until.Seconds(), tt.silent, tt.until.Seconds())
		}
	}
}

// TestSilentFollowsOn goes from change to change of a fault that never ends: each
// begins where the one before said.
func TestSilentFollowsOn(t *testing.T) {
	f := &Fault{At: 5, Until: cluster.Never, Effect: Effect{Kind: Flap, Period: 7, Down: 3}}
	now, silent := cluster.Time(5), true
	for range 100 {
		got, until := f.Silent(now)
		if got != silent || until <= now {
			t.Fatalf("at %d: %v until %d", now, got, until)
		}
		for at := now; at < until; at++ {
			if again, end := f.Silent(at); again != got || end != until {
				t.Errorf("at %d: %v until %d, want %v until %d", at, again, end, got, until)
			}
		}
		now, silent = until, !silent
	}
}
