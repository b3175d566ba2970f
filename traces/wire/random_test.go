package wire

import (
	"math/rand/v2"
	"reflect"

	"github.com/berthsim/berth/cluster"
)

// fill puts something at random into every exported field of v, and of what it holds. whole
// leaves nothing empty or nil.
func fill(rng *rand.Rand, v reflect.Value, whole bool) {
	switch v.Interface().(type) {
	case cluster.ConditionStatus:
		v.SetUint(1 + rng.Uint64N(3))
		return
	case cluster.Effect:
		v.SetUint(1 + rng.Uint64N(3))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(someText(rng, whole))
	case reflect.Bool:
		v.SetBool(whole || rng.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		shift := 64 - v.Type().Bits() + rng.IntN(v.Type().Bits()-1)
		v.SetInt(int64(rng.Uint64())>>shift | 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rng.Uint64()>>(64-v.Type().Bits()) | 1)
	case reflect.Array:
		for i := range v.Len() {
			fill(rng, v.Index(i), whole)
		}
	case reflect.Slice:
		n := rng.IntN(4) - 1
		if whole {
			n = 1 + rng.IntN(2)
		}
		if n < 0 {
			return // nil is not the same as empty
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(rng, v.Index(i), whole)
		}
	case reflect.Pointer:
		if whole || rng.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rng, v.Elem(), whole)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(rng, v.Field(i), whole)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(rng, key, whole)
		fill(rng, value, whole)
		v.SetMapIndex(key, value)
	default:
		panic("the test can't fill a " + v.Type().String())
	}
}

var texts = []string{"a", "node-1", `<&>"\ufffd\`, "é 世界 \u2028", "\ufffd", "line\nline", "app.kubernetes.io/name", "\x00\x7f"}

func someText(rng *rand.Rand, whole bool) string {
	if !whole && rng.IntN(4) == 0 {
		return ""
	}
	return texts[rng.IntN(len(texts))] + texts[rng.IntN(len(texts))]
}

// filled returns a T with something at random in every field.
func filled[T any](rng *rand.Rand, whole bool) *T {
	x := new(T)
	fill(rng, reflect.ValueOf(x).Elem(), whole)
	if spec, ok := any(x).(*cluster.NodeSpec); ok {
		spec.GPUs = 1 + rng.IntN(cluster.MaxGPUs)
	}
	return x
}

// A cast are the definitions that random records are about, so that some come again.
type cast struct {
	rng      *rand.Rand
	classes  []*cluster.Class
	accounts []*cluster.Account
	labels   []cluster.Labels
	nodes    []*cluster.NodeSpec
	objects  []cluster.Object
}

func newCast(rng *rand.Rand) *cast {
	c := &cast{rng: rng, accounts: []*cluster.Account{nil}, labels: []cluster.Labels{nil, {}}}
	for i := range 6 {
		whole := i%2 == 0
		c.classes = append(c.classes, filled[cluster.Class](rng, whole))
		c.accounts = append(c.accounts, filled[cluster.Account](rng, whole))
		c.labels = append(c.labels, *filled[cluster.Labels](rng, whole))
		c.nodes = append(c.nodes, filled[cluster.NodeSpec](rng, whole))
		c.objects = append(c.objects, filled[cluster.Namespace](rng, whole), filled[cluster.Service](rng, whole),
			filled[cluster.Workload](rng, whole), filled[cluster.DisruptionBudget](rng, whole), filled[cluster.ResourceQuota](rng, whole))
	}
	return c
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func (c *cast) podSpec() *cluster.PodSpec {
	spec := &cluster.PodSpec{Class: pick(c.rng, c.classes), Account: pick(c.rng, c.accounts), Labels: pick(c.rng, c.labels)}
	rest := filled[cluster.PodSpec](c.rng, c.rng.IntN(2) == 0)
	rest.Class, rest.Account, rest.Labels = spec.Class, spec.Account, spec.Labels
	if c.rng.IntN(3) == 0 {
		rest.Run = cluster.Never
	}
	return rest
}

// A tale is a random list of records that a file can have.
type tale struct {
	*cast
	records              []Record
	pods, created, nodes int
	now, outside         cluster.Time
}

// newTale makes n records at least, in rounds or not.
func newTale(rng *rand.Rand, n int) *tale {
	t := &tale{cast: newCast(rng), now: cluster.Time(rng.Int64N(100)) - 50}
	t.outside = t.now
	for len(t.records) < n {
		if rng.IntN(3) == 0 {
			t.now += cluster.Time(rng.Int64N(1000))
		}
		switch rng.IntN(5) {
		case 0:
			events, decisions := rng.IntN(5), rng.IntN(4)
			t.add(Record{What: Round, Time: t.now, Batch: Batch{events, decisions}})
			for range events {
				t.event()
			}
			for range decisions {
				t.add(Record{What: Decided, Time: t.now, Decision: t.decision()})
			}
		case 1:
			t.other()
		default:
			t.event()
		}
	}
	return t
}

func (t *tale) add(r Record) { t.records = append(t.records, r) }

// pod returns the number of a pod that has come, None if there is none.
func (t *tale) pod() cluster.PodID {
	if t.created > 0 && t.rng.IntN(3) == 0 {
		return cluster.PodID(2*t.rng.IntN(t.created) + 1)
	}
	if t.pods == 0 {
		return cluster.None
	}
	return cluster.PodID(2 * t.rng.IntN(t.pods))
}

func (t *tale) node() cluster.NodeID { return cluster.NodeID(t.rng.IntN(t.nodes+1) - 1) }

func (t *tale) decision() cluster.Decision {
	d := cluster.Decision{Kind: cluster.Bind + cluster.Kind(t.rng.IntN(12)), Pod: t.pod(), Node: t.node()}
	d.GPUs = cluster.GPUSet(t.rng.Uint64() >> t.rng.IntN(64))
	switch d.Kind {
	case cluster.AddTaint, cluster.RemoveTaint:
		d.Detail = *filled[cluster.Taint](t.rng, false)
	case cluster.SetConditions:
		d.Detail = *filled[cluster.StatusChange](t.rng, false)
	case cluster.Evict, cluster.RequestEviction, cluster.Finalise:
		if t.rng.IntN(2) == 0 {
			d.Detail = cluster.Cause(someText(t.rng, false))
		}
	case cluster.Create:
		d.Detail = t.podSpec()
	case cluster.Store:
		o := cluster.Stored{To: pick(t.rng, t.objects)}
		if t.rng.IntN(2) == 0 {
			o.From = pick(t.rng, t.objects)
		}
		d.Detail = o
	}
	return d
}

// event adds an event of any kind, from outside if it can be and chance has it.
func (t *tale) event() {
	kind := cluster.PodEnded + cluster.Kind(t.rng.IntN(int(cluster.PodRefused)))
	if t.nodes == 0 {
		kind = cluster.NodeAdded
	} else if t.pods == 0 && isAboutPod(kind) {
		kind = cluster.PodAdded
	}
	e := cluster.Event{Time: t.now - cluster.Time(t.rng.Int64N(20)), Kind: kind, Pod: cluster.None, Node: cluster.None}
	switch kind {
	case cluster.NodeAdded:
		e.Node, e.NodeSpec = cluster.NodeID(t.nodes), pick(t.rng, t.nodes0())
		t.nodes++
	case cluster.NodeRemoved, cluster.NodeHeard, cluster.NodeChanged:
		e.Node = cluster.NodeID(t.rng.IntN(t.nodes))
		if kind == cluster.NodeHeard {
			e.Health = filled[cluster.NodeHealth](t.rng, false)
		}
		if kind == cluster.NodeChanged {
			e.NodeSpec = pick(t.rng, t.nodes0())
		}
	case cluster.ObjectSet, cluster.ObjectRemoved:
		e.Object = pick(t.rng, t.objects)
	case cluster.PodChanged:
		e.Pod, e.PodSpec = t.pod(), t.podSpec()
	case cluster.PodBound, cluster.PodTold, cluster.PodEnded, cluster.PodReady:
		e.Pod, e.Node = t.pod(), t.node()
		e.Ready = kind == cluster.PodReady && t.rng.IntN(2) == 0
		if kind == cluster.PodEnded {
			e.Reason = someText(t.rng, false)
		}
	case cluster.Rejected:
		e.Decision, e.Code, e.Reason = t.decision(), int16(t.rng.Uint32()), someText(t.rng, false)
		e.Pod, e.Node = e.Decision.Pod, e.Decision.Node
	case cluster.PodRefused:
		e.PodSpec, e.Code, e.Reason = t.podSpec(), int16(t.rng.Uint32()), someText(t.rng, false)
	case cluster.PodAdded:
		e.PodSpec = t.podSpec()
	}
	t.place(e)
}

func (t *tale) nodes0() []*cluster.NodeSpec { return t.cast.nodes }

// place adds an event as one from outside or as an outcome.
func (t *tale) place(e cluster.Event) {
	canBe := mayBeOutside(e.Kind) && !(isAboutPod(e.Kind) && !outside(e.Pod))
	if e.Kind != cluster.NodeAdded && (!canBe || t.rng.IntN(2) == 0) {
		if e.Kind == cluster.PodAdded {
			e.Pod = cluster.PodID(2*t.created + 1)
			t.created++
		}
		t.add(Record{What: Outcome, Time: e.Time, Event: e})
		return
	}
	e.Time = max(e.Time, t.outside)
	t.outside = e.Time
	switch e.Kind {
	case cluster.PodAdded:
		e.Pod = cluster.PodID(2 * t.pods)
		t.pods++
	case cluster.PodRefused:
		t.pods++
	}
	t.add(Record{What: Workload, Time: e.Time, Event: e})
}

// other adds a record that is neither an event nor a decision.
func (t *tale) other() {
	p := t.pod()
	switch t.rng.IntN(4) {
	case 0:
		if p != cluster.None {
			t.add(Record{What: Sample, Time: t.now, Usage: Usage{p, t.rng.Int64() >> t.rng.IntN(63), t.rng.Int64() >> t.rng.IntN(63)}})
		}
	case 1:
		t.add(Record{What: Missing, Time: t.now, Gap: Gap{From: t.now - cluster.Time(t.rng.Int64N(500)), Lost: t.rng.Int64N(5) - 1, Reason: someText(t.rng, false)}})
	case 2:
		f := filled[Fault](t.rng, false)
		if len(f.Nodes) == 0 {
			f.Nodes = nil
		}
		t.add(Record{What: Struck, Time: t.now, Fault: f})
	case 3:
		if p != cluster.None {
			t.add(Record{What: Placed, Time: t.now, Placement: Placement{p, t.node(), cluster.Time(t.rng.Int64N(9)) - 1, cluster.Allocation{GPUs: cluster.GPUSet(t.rng.Uint64())}}})
		}
	}
}
