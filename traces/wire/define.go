package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/berthsim/berth/cluster"
)

// The kinds of definitions. Each has numbers of its own, from 0, but that all objects share
// theirs.
const (
	defineClass   = 1
	defineAccount = 2
	defineLabels  = 3
	defineNode    = 4

	defineNamespace = 5
	defineService   = 6
	defineWorkload  = 7
	defineBudget    = 8
	defineQuota     = 9
)

var definitionNames = [...]string{
	defineClass: "class", defineAccount: "account", defineLabels: "labels", defineNode: "node",
	defineNamespace: "Namespace", defineService: "Service", defineWorkload: "Workload",
	defineBudget: "DisruptionBudget", defineQuota: "ResourceQuota",
}

// numbers are those of the definitions of one kind that can be referred to, by where what they
// define lies (K), or else by what it says.
type numbers[K comparable] struct {
	byKey  map[K]uint64
	byText map[string]uint64
	texts  []string // of definitions base and on
	base   uint64
	bytes  int // of texts

	lastKey K
	last    uint64 // its number, if known
	known   bool
}

// find returns the number of what lies at key, if it has one that still counts.
func (ns *numbers[K]) find(key K) (n uint64, ok bool) {
	if ns.known && key == ns.lastKey && ns.last >= ns.base {
		return ns.last, true
	}
	if n, ok = ns.byKey[key]; ok && n >= ns.base {
		ns.lastKey, ns.last, ns.known = key, n, true
		return n, true
	}
	return 0, false
}

// number returns the number of what lies at key and says text, and whether it is a new one.
func (ns *numbers[K]) number(key K, text []byte) (n uint64, fresh bool) {
	if n, fresh = ns.byText[string(text)]; !fresh {
		if ns.byText == nil {
			ns.byText = map[string]uint64{}
		}
		n = ns.base + uint64(len(ns.texts))
		own := string(text)
		ns.texts, ns.byText[own] = append(ns.texts, own), n
		ns.bytes += len(own)
		for len(ns.texts) > keptNumbers || ns.bytes > keptBytes {
			delete(ns.byText, ns.texts[0])
			ns.bytes -= len(ns.texts[0])
			ns.texts, ns.base = ns.texts[1:], ns.base+1
		}
	}
	if ns.byKey == nil || len(ns.byKey) >= keptNumbers {
		ns.byKey = map[K]uint64{}
	}
	ns.byKey[key] = n
	ns.lastKey, ns.last, ns.known = key, n, true
	return n, !fresh
}

// A set of labels lies where its first does.
type labelsAt struct {
	first *cluster.Label
	count int
}

// A definer numbers what events refer to, and has what is new be defined.
type definer struct {
	classes  numbers[*cluster.Class]
	accounts numbers[*cluster.Account]
	labels   numbers[labelsAt]
	nodes    numbers[*cluster.NodeSpec]
	objects  numbers[cluster.Object]
	text     []byte // reused

	// define is told of each definition before what refers to it. The text is valid until it
	// returns.
	define func(kind byte, number uint64, text []byte) error
}

// refer returns a reference to what lies at key: its number and 1.
func refer[K comparable](d *definer, ns *numbers[K], kind byte, key K, value any) (uint64, error) {
	if n, ok := ns.find(key); ok {
		return n + 1, nil
	}
	text, err := appendJSON(d.text[:0], value)
	if err != nil {
		return 0, fmt.Errorf("writing a %s: %w", definitionNames[kind], err)
	}
	d.text = text
	if len(text) > maxDefinition {
		return 0, fmt.Errorf("a %s of %d bytes is larger than the format allows, %d", definitionNames[kind], len(text), maxDefinition)
	}
	if bytes.Contains(text, []byte(`\ufffd`)) && !readsBack(text, value) {
		return 0, fmt.Errorf("a %s has a string that isn't UTF-8: %.60q", definitionNames[kind], text)
	}
	n, fresh := ns.number(key, append([]byte{kind}, text...))
	if fresh {
		return n + 1, d.define(kind, n, text)
	}
	return n + 1, nil
}

// readsBack reports whether JSON lost nothing of a value.
func readsBack(text []byte, value any) bool {
	back := reflect.New(reflect.TypeOf(value))
	err := json.Unmarshal(text, back.Interface())
	return err == nil && reflect.DeepEqual(back.Elem().Interface(), value)
}

// References to nil are 0.

func (d *definer) class(c *cluster.Class) (uint64, error) {
	if c == nil {
		return 0, nil
	}
	return refer(d, &d.classes, defineClass, c, c)
}

func (d *definer) account(a *cluster.Account) (uint64, error) {
	if a == nil {
		return 0, nil
	}
	return refer(d, &d.accounts, defineAccount, a, a)
}

func (d *definer) labelSet(ls cluster.Labels) (uint64, error) {
	if ls == nil {
		return 0, nil
	}
	var at labelsAt
	if len(ls) > 0 {
		at = labelsAt{&ls[0], len(ls)}
	}
	return refer(d, &d.labels, defineLabels, at, ls)
}

func (d *definer) node(spec *cluster.NodeSpec) (uint64, error) {
	if spec == nil {
		return 0, nil
	}
	return refer(d, &d.nodes, defineNode, spec, spec)
}

func (d *definer) object(o cluster.Object) (uint64, error) {
	if o == nil {
		return 0, nil
	}
	kind, ok := kindOf(o)
	if !ok {
		return 0, fmt.Errorf("the format knows no %T", o)
	}
	return refer(d, &d.objects, kind, o, o)
}

// kindOf returns the kind of an object's definition.
func kindOf(o cluster.Object) (kind byte, ok bool) {
	switch o := o.(type) {
	case *cluster.Namespace:
		return defineNamespace, o != nil
	case *cluster.Service:
		return defineService, o != nil
	case *cluster.Workload:
		return defineWorkload, o != nil
	case *cluster.DisruptionBudget:
		return defineBudget, o != nil
	case *cluster.ResourceQuota:
		return defineQuota, o != nil
	}
	return 0, false
}
