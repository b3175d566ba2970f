package traces

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// Gaps that are joined cover the times that they covered one by one, and no two of them touch.
func TestJoinedGaps(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	const times = 40
	for range 2000 {
		var covered [times]bool
		var single []Gap
		for range 1 + draw.IntN(8) {
			from := draw.IntN(times)
			until := from + draw.IntN(min(10, times-from))
			for at := from; at <= until; at++ {
				covered[at] = true
			}
			single = append(single, Gap{From: cluster.Time(2 * from), Until: cluster.Time(2*until + 1), Notes: 1})
		}
		slices.SortFunc(single, func(a, b Gap) int { return cmp.Compare(a.Until, b.Until) }) // as recordings have them
		var gaps []Gap
		for _, g := range single {
			gaps = joined(gaps, g)
		}
		var now [times]bool
		notes, before := 0, cluster.Time(-1)
		for _, g := range gaps {
			if g.From <= before || g.Until < g.From {
				t.Fatalf("of %v there are %v, which aren't apart", single, gaps)
			}
			before = g.Until
			notes += g.Notes
			for at := g.From / 2; at <= g.Until/2; at++ {
				now[at] = true
			}
		}
		if now != covered || notes != len(single) {
			t.Fatalf("of %v there are %v", single, gaps)
		}
	}
}

// Who stops needn't wait for a long recording, and other formats know of no gaps.
func TestGapsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	from := open(t, "synthetic:gpu?mode=time&nodes=10&pods=5000")
	if gaps, err := from.Gaps(ctx, 1); gaps != nil || err != nil {
		t.Errorf("of no recording: %v, %v", gaps, err)
	}
	file := ownFileOf(t, wire.Meta{Kind: wire.Dataset}, from.Events(3))
	if _, err := open(t, file).Gaps(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("once it is stopped: %v", err)
	}
}
