package traces

import (
	"context"
	"errors"
	"io"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A Gap is a time of which a recording may not tell all.
type Gap struct {
	From, Until cluster.Time
	Notes       int    // how many of the recording's gaps overlap in it: a watch of a kind has its own
	Reason      string // what the one says that ended first
}

// Gaps reads of which times something is missing, in order; gaps that overlap are one. Only
// recordings know, and files that were made of them. It returns ctx's error once ctx is done.
func (t *Trace) Gaps(ctx context.Context, seed int64) ([]Gap, error) {
	if t.noted == nil {
		return nil, nil
	}
	var gaps []Gap
	s := t.noted(seed)
	for read := 1; ; read++ {
		for n, ok := NextNote(s); ok; n, ok = NextNote(s) {
			if n.What == wire.Missing {
				gaps = joined(gaps, Gap{From: n.Gap.From, Until: n.At, Notes: 1, Reason: n.Gap.Reason})
			}
		}
		_, err := s.Next()
		if errors.Is(err, io.EOF) {
			return gaps, nil
		}
		if err == nil && read%4096 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
}

// joined adds a gap that ends after all others, or with the last: it may have begun before any
// of them.
func joined(gaps []Gap, g Gap) []Gap {
	for len(gaps) > 0 {
		last := gaps[len(gaps)-1]
		if last.Until < g.From {
			break
		}
		g = Gap{From: min(last.From, g.From), Until: max(last.Until, g.Until), Notes: last.Notes + g.Notes, Reason: last.Reason}
		gaps = gaps[:len(gaps)-1]
	}
	return append(gaps, g)
}
