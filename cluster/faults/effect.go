package faults

import (
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A Kind is a way in which a node fails.
type Kind uint8

// The kinds of faults. A heartbeat is a renewal of the node's lease, or a report
// of its status.
const (
	// Crash: the node is down. Heartbeats stop, containers die; it comes back
	// as after a reboot.
	Crash Kind = iota
	// Hang: the kubelet does nothing. Heartbeats stop, containers go on.
	Hang
	// Partition: the API can't be reached from the node. As seen from there it
	// hangs, but the kubelet goes on with what it knew, and containers with it.
	Partition
	// Flap: the node hangs again and again for a short time.
	Flap
	// Late: heartbeats arrive some time after they were sent.
	Late
	// Pressure: the kubelet finds that a resource runs out.
	Pressure
	// Shutdown: the node is shut down in good order. It says that it isn't ready,
	// ends its pods as its kubelet is configured to, and is off then, as after a
	// Crash.
	Shutdown
)

var kindNames = []string{"crash", "hang", "partition", "flap", "late", "pressure", "shutdown"}

// String returns the kind as specs have it: "crash".
func (k Kind) String() string { return kindNames[k] }

// An Effect is what a fault does to its nodes. The zero Effect is a Crash.
type Effect struct {
	Kind   Kind
	Period cluster.Time // of Flap: from the beginning of a silence to that of the next
	Down   cluster.Time // of Flap: how long a silence is; above 0, below Period
	By     cluster.Time // of Late: how long heartbeats take; above 0
	Signal string       // of Pressure: what runs out, one of Signals
}

// Signals are what a kubelet may run out of, in the words of node conditions
// (MemoryPressure, DiskPressure, PIDPressure).
var Signals = []string{"memory", "disk", "pid"}

// Silent reports whether heartbeats of the fault's nodes fail to come at a time,
// and until when that stays so as far as this fault goes.
func (f *Fault) Silent(now cluster.Time) (silent bool, until cluster.Time) {
	switch {
	case now < f.At:
		return false, f.At
	case now >= f.Until, f.Kind == Late, f.Kind == Pressure, f.Kind == Shutdown:
		return false, cluster.Never
	case f.Kind != Flap:
		return true, f.Until
	}
	within := (now - f.At) % f.Period
	if within < f.Down {
		return true, min(f.Until, later(now, f.Down-within))
	}
	next := later(now, f.Period-within)
	if next >= f.Until {
		next = cluster.Never
	}
	return false, next
}

// options lists e's parameters, each as key=value.
func (e Effect) options() []string {
	switch e.Kind {
	case Flap:
		return []string{"period=" + FormatDuration(e.Period), "down=" + FormatDuration(e.Down)}
	case Late:
		return []string{"by=" + FormatDuration(e.By)}
	case Pressure:
		return []string{"signal=" + e.Signal}
	}
	return nil
}

// ParseKind returns the kind that a word names: what String returns.
func ParseKind(word string) (Kind, error) {
	i := slices.Index(kindNames, word)
	if i < 0 {
		return 0, &Error{Problem: "there is no kind of fault " + quoted(word), Remedy: "write one of " + strings.Join(kindNames, ", ")}
	}
	return Kind(i), nil
}

// effectOf takes the parameters of a fault of some kind from opts.
func effectOf(kind Kind, opts *options) (e Effect, err error) {
	e.Kind = kind
	switch kind {
	case Flap:
		if e.Period, err = opts.duration("period"); err != nil {
			return e, err
		}
		if e.Down, err = opts.duration("down"); err == nil && e.Down >= e.Period {
			err = &Error{Problem: "down is not shorter than period", Remedy: "leave the node some time between silences"}
		}
	case Late:
		e.By, err = opts.duration("by")
	case Pressure:
		e.Signal, err = opts.choice("signal", Signals)
	}
	return e, err
}
