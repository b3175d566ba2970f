package kubetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Act is what a Step of a Script does.
type Act string

// The acts: each is the method of Server of that name, beside Inject for Requests.
const (
	Requests Act = "requests" // the Step's Fault is set, for a time
	Cut      Act = "cut"      // CutWatches
	Mute     Act = "mute"     // MuteWatches, for a time
	Hold     Act = "hold"     // HoldWatches, for a time
	Forget   Act = "compact"  // Compact
	Expire   Act = "expire"   // Compact, and CutWatches: the next watches get 410
	Down     Act = "restart"  // Restart, for a time
	Silent   Act = "silence"  // Silence, for a time
	Lag      Act = "lag"      // LagLists, for a time
)

// A Step is one thing that goes wrong.
type Step struct {
	At    time.Duration // since Play
	For   time.Duration // how long, for acts that last
	Act   Act
	Fault Fault // with Requests
}

// String is one line.
func (st Step) String() string {
	s := fmt.Sprintf("%v %s", st.At, st.Act)
	if st.For > 0 {
		s += fmt.Sprintf(" for %v", st.For)
	}
	if st.Act == Requests {
		s += fmt.Sprintf(" %+v", st.Fault)
	}
	return s
}

// A Script says what goes wrong, and when.
type Script []Step

// String is a line for each step.
func (sc Script) String() string {
	var b strings.Builder
	for _, st := range sc {
		fmt.Fprintln(&b, st)
	}
	return b.String()
}

// Play does what a script says, and returns when nothing is wrong any more: after the
// last step, and the time it takes. When ctx ends first, it ends what it began.
func (s *Server) Play(ctx context.Context, sc Script) error {
	steps := slices.Clone(sc)
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.At - b.At) })
	began := time.Now()
	over := began
	var removals []func()
	defer func() {
		for _, remove := range removals {
			remove()
		}
	}()
	for _, st := range steps {
		if !s.delay(ctx, time.Until(began.Add(st.At))) {
			return ctx.Err()
		}
		if end := time.Now().Add(st.For); end.After(over) {
			over = end
		}
		if st.Act == Requests {
			remove := s.Inject(st.Fault)
			timer := time.AfterFunc(st.For, remove)
			removals = append(removals, func() { timer.Stop(); remove() })
			continue
		}
		s.act(st)
	}
	if !s.delay(ctx, time.Until(over)) {
		return ctx.Err()
	}
	return nil
}

func (s *Server) act(st Step) {
	switch st.Act {
	case Cut:
		s.CutWatches()
	case Mute:
		s.MuteWatches(st.For)
	case Hold:
		s.HoldWatches(st.For)
	case Forget:
		s.Compact()
	case Expire:
		s.Compact()
		s.CutWatches()
	case Down:
		s.Restart(st.For)
	case Silent:
		s.Silence(st.For)
	case Lag:
		s.LagLists(st.For)
	default:
		panic(fmt.Sprintf("kubetest: unknown act %q", st.Act))
	}
}

// RandomScript draws steps that begin within a time, about one every ten seconds. The
// same seed draws the same ones.
func RandomScript(seed uint64, within time.Duration) (sc Script) {
	acts := []Act{Requests, Requests, Requests, Requests, Cut, Mute, Hold, Forget, Expire, Down, Silent, Lag}
	n := int(within/(10*time.Second)) + 1
	for i := range n {
		draw := func(what string, below int) int { return int(hash(seed, "script", i, what) % uint64(below)) }
		st := Step{
			At:  time.Duration(draw("at", int(within/time.Millisecond)+1)) * time.Millisecond,
			For: time.Duration(500+draw("for", 30_000)) * time.Millisecond,
			Act: acts[draw("act", len(acts))],
		}
		if st.Act == Requests {
			st.Fault = randomFault(draw)
		}
		sc = append(sc, st)
	}
	slices.SortStableFunc(sc, func(a, b Step) int { return int(a.At - b.At) })
	return sc
}

// randomFault draws what goes wrong with requests.
func randomFault(draw func(what string, below int) int) Fault {
	verbs := []string{"", "", "create", "update", "patch", "delete", "list", "watch", "get"}
	f := Fault{Verb: verbs[draw("verb", len(verbs))], Probability: 0.1 + float64(draw("probability", 90))/100}
	switch draw("what", 8) {
	case 0:
		f.Code = 409
		if f.Verb == "" || f.Verb == "list" || f.Verb == "watch" || f.Verb == "get" {
			f.Verb = "create" // reads don't conflict
		}
	case 1:
		f.Code, f.RetryAfter = 429, time.Duration(draw("retry", 5))*time.Second
	case 2:
		f.Code = 500
	case 3:
		f.Code = 503
	case 4:
		f.Code = 504
	case 5:
		f.Reset = ResetBefore
	case 6:
		f.Reset = ResetAfter
	case 7:
		f.Latency = time.Duration(1+draw("latency", 20_000)) * time.Millisecond
	}
	return f
}
