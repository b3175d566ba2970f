//go:build linux

package lab

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A FaultKind is one way in which something breaks, or is mended.
type FaultKind string

// The faults. Those of a node want its name.
const (
	KillKubelet      FaultKind = "kill-kubelet"      // SIGKILL, and it stays away; containers go on
	StartKubelet     FaultKind = "start-kubelet"     // undoes KillKubelet
	Partition        FaultKind = "partition"         // cuts the node's link
	Heal             FaultKind = "heal"              // undoes Partition, FillMemory and FillDisk
	Reboot           FaultKind = "reboot"            // power off, and on again
	FillMemory       FaultKind = "fill-memory"       // takes the node's memory, but for Fault.Leave
	FillDisk         FaultKind = "fill-disk"         // takes the node's disk, but for Fault.Leave
	StopAPIServer    FaultKind = "stop-apiserver"    // SIGKILL, and it stays away
	RestartAPIServer FaultKind = "restart-apiserver" // stops it if it runs, and starts it
)

// A FaultInfo describes a kind of fault.
type FaultInfo struct {
	Kind FaultKind
	Doc  string
	Node bool      // it is one of a node
	undo FaultKind // what ends it; "" if nothing can
}

// FaultKinds are all faults, in the order in which people read them.
func FaultKinds() []FaultInfo {
	return []FaultInfo{
		{KillKubelet, "kill a node's kubelet, which stays away; its containers go on", true, StartKubelet},
		{StartKubelet, "start the kubelet again", true, ""},
		{Partition, "cut a node off the network", true, Heal},
		{Heal, "connect the node again, and give back its memory and disk", true, ""},
		{Reboot, "take a node's power away, and give it back", true, ""},
		{FillMemory, "take a node's memory, but for --leave", true, Heal},
		{FillDisk, "take a node's disk, but for --leave", true, Heal},
		{StopAPIServer, "kill kube-apiserver, which stays away", false, RestartAPIServer},
		{RestartAPIServer, "kill kube-apiserver if it runs, and start it", false, ""},
	}
}

// A Fault is one fault.
type Fault struct {
	Kind  FaultKind
	Node  string        // of faults of a node
	For   time.Duration // undo it after this time, or switch a rebooted node on; 0 leaves it, or reboots at once
	Leave int64         // bytes that FillMemory and FillDisk leave
}

// info finds a kind's description, and says what is wrong with the fault.
func (f Fault) info() (FaultInfo, error) {
	kinds := FaultKinds()
	i := slices.IndexFunc(kinds, func(k FaultInfo) bool { return k.Kind == f.Kind })
	if i < 0 {
		var names []FaultKind
		for _, k := range kinds {
			names = append(names, k.Kind)
		}
		return FaultInfo{}, fmt.Errorf("there is no fault %q; choose one of %v", f.Kind, names)
	}
	k := kinds[i]
	switch {
	case k.Node && f.Node == "":
		return FaultInfo{}, fmt.Errorf("%s wants the name of a node", f.Kind)
	case !k.Node && f.Node != "":
		return FaultInfo{}, fmt.Errorf("%s is no fault of a node; leave out %q", f.Kind, f.Node)
	case f.For < 0:
		return FaultInfo{}, fmt.Errorf("a fault can't last %v", f.For)
	case f.For > 0 && k.undo == "" && f.Kind != Reboot:
		return FaultInfo{}, fmt.Errorf("%s doesn't last; leave out the time", f.Kind)
	case f.Leave < 0:
		return FaultInfo{}, fmt.Errorf("%s can't leave %d bytes", f.Kind, f.Leave)
	}
	return k, nil
}

// Fault breaks something. With a time, it returns after that, when it has undone it; if ctx ends
// first, it undoes it at once.
func (l *Lab) Fault(ctx context.Context, f Fault) error {
	k, err := f.info()
	if err != nil {
		return input(err)
	}
	if f.Kind == Reboot {
		return l.reboot(ctx, f)
	}
	if err := l.locked(ctx, func() error { return l.inflict(ctx, f) }); err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	if f.For == 0 {
		return nil
	}
	waited := pause(ctx, f.For)
	undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	f.Kind = k.undo
	if err := l.locked(undoing, func() error { return l.inflict(undoing, f) }); err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	return waited
}

// inflict does what a fault says, but for its time.
func (l *Lab) inflict(ctx context.Context, f Fault) error {
	switch f.Kind {
	case StopAPIServer:
		return l.stopAPIServer(ctx)
	case RestartAPIServer:
		if err := l.stopAPIServer(ctx); err != nil {
			return err
		}
		if err := l.startAPIServer(); err != nil {
			return err
		}
		return l.awaitAPIServer(ctx)
	}
	n, err := l.node(f.Node)
	if err != nil {
		return err
	}
	ask := func(command string) error {
		_, err := l.Config.runtime(n.Runtime).Ask(ctx, l, n, command)
		return err
	}
	switch f.Kind {
	case KillKubelet:
		return ask("stop kubelet")
	case StartKubelet:
		return ask("start kubelet")
	case Partition:
		return l.network.SetPort(n.Index, false)
	case Heal:
		if err := l.network.SetPort(n.Index, true); err != nil {
			return err
		}
		return ask("release")
	case FillMemory:
		return ask("fill memory " + strconv.FormatInt(f.Leave, 10))
	case FillDisk:
		return ask("fill disk " + strconv.FormatInt(f.Leave, 10))
	default:
		panic("lab: fault " + string(f.Kind) + " is in the table, and nobody knows how to make it")
	}
}

// stopAPIServer kills kube-apiserver, as a crash would. etcd and its clients go on.
func (l *Lab) stopAPIServer(ctx context.Context) error {
	killing, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return l.group(apiServer).Kill(killing)
}

// reboot takes a node's power away, waits, and gives it back, also if ctx ends meanwhile.
func (l *Lab) reboot(ctx context.Context, f Fault) error {
	n, err := l.node(f.Node)
	if err != nil {
		return err
	}
	err = l.locked(ctx, func() error { return l.stopNode(ctx, n) })
	if err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	waited := pause(ctx, f.For)
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = l.locked(starting, func() error { return l.Config.runtime(n.Runtime).Start(starting, l, n) })
	if err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	return waited
}
