// Package generate makes scenarios for differential tests of the scheduler: clusters and pods, as
// Kubernetes objects, that use every field the default plugins read, with sharp corners.
//
// Objects are such as an API server stores: defaulted, with match label keys merged into selectors
// and requests filled in from limits; a test holds them against the API server's own validation.
// What upstream's plugins accept beyond that is made only with Options.Loose.
//
// Everything is a function of a seed and an index, or of given bytes. Amounts come from small sets of
// round numbers most of the time, so that "exactly enough" and "equal" happen often: an oracle that
// never sees a boundary can't tell < from <=.
package generate

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	v1 "k8s.io/api/core/v1"

	"github.com/berthsim/berth/bench/upstream/scenario"
)

// Options limits what is generated. The zero value is what the differential tests use.
type Options struct {
	// Nodes is the number of nodes; 0 draws it, from 5 to 300, above 100 for every third index.
	Nodes int
	// Pods is the number of pods that arrive to be scheduled; 0 means 30.
	Pods int
	// Loose allows what an API server rejects and upstream's plugins still give an answer to:
	// tolerations with operator Equal and an empty key, preferred node affinity of weight 0, required
	// node affinity with a bound that isn't a label's value, and pods without a priority.
	Loose bool
}

// Scenario generates the scenario of an index in the run of a seed.
func Scenario(seed, index uint64, o Options) *scenario.Scenario {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, index)), options: o, index: index}
	g.scenario.Comment = []string{fmt.Sprintf("Generated: seed %d, index %d.", seed, index)}
	return g.generate()
}

// FromBytes generates a small scenario whose draws are taken from the bytes, for fuzzing: a changed
// byte changes a draw. When the bytes are used up, draws follow from their hash.
func FromBytes(data []byte, o Options) *scenario.Scenario {
	source := &byteSource{data: data}
	hash := fnv.New64a()
	hash.Write(data)
	source.rest = rand.NewPCG(hash.Sum64(), uint64(len(data)))
	g := &generator{Rand: rand.New(source), options: o}
	if g.options.Nodes == 0 {
		g.options.Nodes = g.between(1, 12)
	}
	if g.options.Pods == 0 {
		g.options.Pods = g.between(1, 12)
	}
	g.index = g.Uint64()
	g.scenario.Comment = []string{fmt.Sprintf("Generated: bytes %x.", data)}
	return g.generate()
}

// byteSource draws from bytes, two a draw: enough to choose among what the generator has to choose
// from, and short enough for a fuzzer to find its way.
type byteSource struct {
	data []byte
	rest *rand.PCG
}

// Uint64 implements rand.Source.
func (b *byteSource) Uint64() uint64 {
	if len(b.data) < 2 {
		return b.rest.Uint64()
	}
	v := binary.LittleEndian.Uint16(b.data)
	b.data = b.data[2:]
	// rand.Rand uses the high bits for some draws and the low bits for others.
	return uint64(v)<<48 | uint64(v)<<32 | uint64(v)<<16 | uint64(v)
}

// generator makes one scenario.
type generator struct {
	*rand.Rand
	options  Options
	index    uint64
	scenario scenario.Scenario
	dials    dials
	size     int // nodes at first

	namespaces []string
	shapes     []shape
	workloads  []*workload
	nodes      []string
	latest     map[string]*v1.Node // their latest state
	ports      map[string]bool     // of the host that pods took at first, by node
	nodeSerial int
	podSerial  int
	budgets    int
	pods       []scenario.Ref // all that were added, gone or not
}

func (g *generator) generate() *scenario.Scenario {
	g.size = g.drawSize()
	g.dials = g.drawDials()
	g.addNamespaces()
	g.addNodes()
	g.config()
	g.addWorkloads()
	g.addBudgets()
	g.fillNodes()
	g.addNominees()
	g.arrivals()
	return &g.scenario
}

func (g *generator) step(s scenario.Step) { g.scenario.Steps = append(g.scenario.Steps, s) }

// chance is true with probability p.
func (g *generator) chance(p float64) bool { return g.Float64() < p }

// between draws from lo to hi, both included.
func (g *generator) between(lo, hi int) int { return lo + g.IntN(hi-lo+1) }

// pick draws one of the values.
func pick[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

// pickSome draws a subset in the given order; it may be empty.
func pickSome[T any](g *generator, p float64, values ...T) []T {
	var some []T
	for _, v := range values {
		if g.chance(p) {
			some = append(some, v)
		}
	}
	return some
}

// pointer points to a copy of v.
func pointer[T any](v T) *T { return &v }
