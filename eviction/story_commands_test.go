package eviction_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/eviction"
	"github.com/cockroachdb/datadriven"
)

// commands are what a story is told in. To have another, add it here; most put something
// into the story that happens at st.now, and say nothing.
var commands = map[string]func(st *story, d *datadriven.TestData) (out string, err error){
	"settings": settings, "policy": choosePolicy,
	"kubelets": setKubelets, "nodes": addNodes, "pods": addPods, "budget": addBudget,
	"fail": fail, "restore": restore, "taint": putTaint, "untaint": takeTaint, "drain": drainNode,
	"advance": advance, "show": show,
}

// settings rate=0.1 grace=50s … changes what isn't to be upstream's default.
func settings(st *story, d *datadriven.TestData) (string, error) {
	for _, arg := range d.CmdArgs {
		number, err := strconv.ParseFloat(arg.Vals[0], 32)
		switch arg.Key {
		case "rate":
			st.settings.Rate = float32(number)
		case "secondary":
			st.settings.SecondaryRate = float32(number)
		case "large":
			st.settings.LargeZone = int(number)
		case "grace":
			var grace time.Duration
			grace, err = time.ParseDuration(arg.Vals[0])
			st.settings.Grace = cluster.Time(grace)
		default:
			return "", fmt.Errorf("there is no setting %s", arg.Key)
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// policy NAME chooses an eviction policy.
func choosePolicy(st *story, d *datadriven.TestData) (_ string, err error) {
	st.policy, err = eviction.Find(eviction.Policies, d.CmdArgs[0].Key)
	return "", err
}

// nodes a b c1..12 zone=west memory=8192Mi adds nodes.
func addNodes(st *story, d *datadriven.TestData) (string, error) {
	labels := map[string]string{}
	capacity := cluster.Amounts{cluster.PodSlots: 10}
	var names []string
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "zone":
			labels[faults.ZoneLabel] = arg.Vals[0]
			continue
		case "memory":
			amount, err := mebibytes(arg.Vals[0])
			if err != nil {
				return "", err
			}
			capacity[cluster.Memory] = amount
			continue
		}
		list, err := expand(arg.Key)
		if err != nil {
			return "", err
		}
		names = append(names, list...)
	}
	for _, name := range names {
		st.arrive = append(st.arrive, cluster.Event{Time: st.now, Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: name, Labels: cluster.MakeLabels(labels), Capacity: capacity, Created: st.now,
		}})
	}
	if st.zones == nil {
		st.zones = map[string][]string{}
	}
	st.zones[labels[faults.ZoneLabel]] = append(st.zones[labels[faults.ZoneLabel]], names...)
	return "", nil
}

// expand returns the names that a1..3 stands for: a1, a2, a3.
func expand(text string) ([]string, error) {
	from, to, ranged := strings.Cut(text, "..")
	if !ranged {
		return []string{text}, nil
	}
	digits := len(from) - len(strings.TrimRight(from, "0123456789"))
	prefix := from[:len(from)-digits]
	first, err := strconv.Atoi(from[len(prefix):])
	if err != nil {
		return nil, fmt.Errorf("%s is no range of names", text)
	}
	last, err := strconv.Atoi(to)
	if err != nil {
		return nil, fmt.Errorf("%s is no range of names", text)
	}
	var names []string
	for i := first; i <= last; i++ {
		names = append(names, fmt.Sprintf("%s%0*d", prefix, digits, i))
	}
	return names, nil
}

// pods adds those of the lines below, "NAME key=value …": on=NODE; owner=KIND/NAME;
// app=LABEL; tolerate=SECONDS both taints of nodes that aren't ready, 300 unless it is
// said otherwise, as admission has it; tolerate=ever, as a DaemonSet's pod; tolerate=never;
// stop=DURATION until it has ended once it is told to, 1s unless it is said otherwise;
// priority=N; memory=AMOUNT that it asks for; use=(AMOUNT,AGE:AMOUNT,…) that it uses.
func addPods(st *story, d *datadriven.TestData) (string, error) {
	for line := range strings.SplitSeq(strings.TrimSpace(d.Input), "\n") {
		name, args, err := datadriven.ParseLine(line)
		if err != nil {
			return "", err
		}
		names, err := expand(name)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			spec, err := st.podOf(name, args)
			if err != nil {
				return "", err
			}
			st.arrive = append(st.arrive, cluster.Event{Time: st.now, Kind: cluster.PodAdded, PodSpec: spec})
		}
	}
	return "", nil
}

func (st *story) podOf(name string, args []datadriven.CmdArg) (*cluster.PodSpec, error) {
	class := &cluster.Class{Namespace: "default"}
	spec := &cluster.PodSpec{Name: name, Class: class, Run: cluster.Never, Stop: cluster.Second, Grace: 30 * cluster.Second}
	tolerate := "300"
	for _, arg := range args {
		value := arg.Vals[0]
		switch arg.Key {
		case "on":
			spec.On = value
		case "app":
			spec.Labels = cluster.MakeLabels(map[string]string{"app": value})
		case "owner":
			class.Owner.Kind, class.Owner.Name, _ = strings.Cut(value, "/")
		case "tolerate":
			tolerate = value
		case "priority":
			priority, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return nil, err
			}
			class.Priority = int32(priority)
		case "memory":
			amount, err := mebibytes(value)
			if err != nil {
				return nil, err
			}
			class.Requests = cluster.Amounts{cluster.Memory: amount}
		case "use":
			if err := st.memory.use(name, arg.Vals); err != nil {
				return nil, err
			}
		case "stop":
			stop, err := time.ParseDuration(value)
			if err != nil {
				return nil, err
			}
			spec.Stop = cluster.Time(stop)
		default:
			return nil, fmt.Errorf("there is no %s of a pod", arg.Key)
		}
	}
	if tolerate == "never" {
		return spec, nil
	}
	for _, key := range []string{cluster.TaintNotReady, cluster.TaintUnreachable} {
		t := cluster.Toleration{Key: key, Exists: true, Effect: cluster.NoExecute}
		if tolerate != "ever" {
			seconds, err := strconv.ParseInt(tolerate, 10, 64)
			if err != nil {
				return nil, err
			}
			t.Seconds = &seconds
		}
		class.Tolerations = append(class.Tolerations, t)
	}
	return spec, nil
}

// budget APP allowed=N has a budget over the pods of an app allow so many disruptions;
// with min=N, that many have to be healthy, and the disruption controller counts.
func addBudget(st *story, d *datadriven.TestData) (string, error) {
	app := d.CmdArgs[0].Key
	number, err := strconv.ParseInt(d.CmdArgs[1].Vals[0], 10, 32)
	if err != nil {
		return "", err
	}
	b := &cluster.DisruptionBudget{
		Namespace: "default", Name: app,
		Selector: &cluster.Selector{Requirements: []cluster.Requirement{{Key: "app", Op: cluster.In, Values: []string{app}}}},
	}
	switch key := d.CmdArgs[1].Key; key {
	case "allowed":
		b.Allowed = int32(number)
	case "min":
		b.MinAvailable, b.Generation = &cluster.IntOrPercent{Value: int32(number)}, 1
		st.counted = true
	default:
		return "", fmt.Errorf("there is no %s of a budget", key)
	}
	st.acts = append(st.acts, act{st.now, func(s *cluster.State) { s.Store(b) }})
	return "", nil
}

// drain NODE has a user run kubectl drain.
func drainNode(st *story, d *datadriven.TestData) (string, error) {
	st.drains = append(st.drains, eviction.Maintenance{Node: d.CmdArgs[0].Key, At: st.now})
	return "", nil
}

// named returns the nodes that arguments name: a, b1..3, or zone=west.
func (st *story) named(args []datadriven.CmdArg) (names []string, err error) {
	for _, arg := range args {
		list := st.zones[strings.Join(arg.Vals, "")]
		if arg.Key != "zone" {
			if list, err = expand(arg.Key); err != nil {
				return nil, err
			}
		}
		names = append(names, list...)
	}
	return names, nil
}

// fail [crash|partition|shutdown] NODES has nodes hang from now on, or fail otherwise, and says when they renewed
// their leases last: what follows depends on that.
func fail(st *story, d *datadriven.TestData) (string, error) {
	args, kind := d.CmdArgs, faults.Hang
	switch args[0].Key {
	case "crash":
		args, kind = args[1:], faults.Crash
	case "partition":
		args, kind = args[1:], faults.Partition
	case "shutdown":
		args, kind = args[1:], faults.Shutdown
	}
	names, err := st.named(args)
	if err != nil {
		return "", err
	}
	s, _, err := st.play(st.now)
	if err != nil {
		return "", err
	}
	first, last := cluster.Never, cluster.Time(0)
	for _, name := range names {
		n, ok := s.Nodes.Named(name)
		if !ok {
			return "", fmt.Errorf("there is no node %s", name)
		}
		at, _ := s.Nodes.Health[n].Lease.Latest(st.now)
		first, last = min(first, at), max(last, at)
		st.faults = append(st.faults, &faults.Fault{At: st.now, Until: cluster.Never, Nodes: []string{name}, Effect: faults.Effect{Kind: kind}})
	}
	if len(names) == 1 {
		return fmt.Sprintf("%s renewed its lease last at %.3f\n", names[0], first.Seconds()), nil
	}
	return fmt.Sprintf("%s renewed their leases last from %.3f to %.3f\n", few(names), first.Seconds(), last.Seconds()), nil
}

// restore NODES has what befell nodes end.
func restore(st *story, d *datadriven.TestData) (string, error) {
	names, err := st.named(d.CmdArgs)
	if err != nil {
		return "", err
	}
	for _, f := range st.faults {
		if f.Until == cluster.Never && slices.Contains(names, f.Nodes[0]) {
			f.Until = st.now
		}
	}
	return "", nil
}

// taint NODE KEY:EFFECT has a user put a taint.
func putTaint(st *story, d *datadriven.TestData) (string, error) {
	return st.retaint(d, func(s *cluster.State, n cluster.NodeID, t cluster.Taint) { s.AddTaint(n, t) })
}

// untaint NODE KEY:EFFECT has a user take it off.
func takeTaint(st *story, d *datadriven.TestData) (string, error) {
	return st.retaint(d, func(s *cluster.State, n cluster.NodeID, t cluster.Taint) { s.RemoveTaint(n, t) })
}

func (st *story) retaint(d *datadriven.TestData, do func(*cluster.State, cluster.NodeID, cluster.Taint)) (string, error) {
	key, effect, _ := strings.Cut(d.CmdArgs[1].Key, ":")
	effects := map[string]cluster.Effect{"NoSchedule": cluster.NoSchedule, "NoExecute": cluster.NoExecute}
	if effects[effect] == cluster.NoEffect {
		return "", fmt.Errorf("%s is no taint", d.CmdArgs[1].Key)
	}
	node, t := d.CmdArgs[0].Key, cluster.Taint{Key: key, Effect: effects[effect]}
	st.acts = append(st.acts, act{st.now, func(s *cluster.State) {
		if n, ok := s.Nodes.Named(node); ok {
			do(s, n, t)
		}
	}})
	return "", nil
}

// advance DURATION has time go on, and says what happens.
func advance(st *story, d *datadriven.TestData) (string, error) {
	by, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		return "", err
	}
	return st.advance(cluster.Time(by))
}

// show says where pods are now, and which nodes are tainted.
func show(st *story, _ *datadriven.TestData) (string, error) {
	s, _, err := st.play(st.now)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, n := range s.Nodes.Live() {
		fmt.Fprint(&b, s.Nodes.Name[n], ":")
		for _, t := range s.Nodes.Taints[n] {
			fmt.Fprint(&b, " ", taintName(t))
		}
		for p := range s.PodsOn(n) {
			fmt.Fprintf(&b, " %s (%v)", s.Pods.Name[p], s.Pods.Phase[p])
		}
		fmt.Fprintln(&b)
	}
	return b.String(), nil
}
