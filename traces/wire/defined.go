package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/berthsim/berth/cluster"
)

// kept are the definitions of one kind that can be referred to.
type kept[T any] struct {
	items []T
	sizes []int32 // of their JSON, with the byte before it
	base  uint64
	bytes int
}

func (k *kept[T]) add(item T, size int) {
	k.items, k.sizes = append(k.items, item), append(k.sizes, int32(size))
	k.bytes += size
	for len(k.items) > keptNumbers || k.bytes > keptBytes {
		var none T
		k.bytes -= int(k.sizes[0])
		k.items[0] = none // for the garbage collector: the array stays
		k.items, k.sizes, k.base = k.items[1:], k.sizes[1:], k.base+1
	}
}

// get returns what a reference refers to: nothing if it is 0.
func (k *kept[T]) get(reference uint64) (item T, ok bool) {
	if reference == 0 {
		return item, true
	}
	i := reference - 1 - k.base // wraps round if it is too old
	if i >= uint64(len(k.items)) {
		return item, false
	}
	return k.items[i], true
}

func (k *kept[T]) next() uint64 { return k.base + uint64(len(k.items)) }

// defined is what the definitions read so far say.
type defined struct {
	classes   kept[*cluster.Class]
	accounts  kept[*cluster.Account]
	labels    kept[cluster.Labels]
	nodeSpecs kept[*cluster.NodeSpec]
	objects   kept[cluster.Object]
}

// add takes in a definition and returns its number.
func (d *defined) add(kind byte, text []byte) (number uint64, err error) {
	size := len(text) + 1
	if len(text) > maxDefinition {
		return 0, fmt.Errorf("it has %d bytes, more than %d", len(text), maxDefinition)
	}
	switch kind {
	case defineClass:
		c := new(cluster.Class)
		number, err = d.classes.next(), strict(text, c)
		d.classes.add(c, size)
	case defineAccount:
		a := new(cluster.Account)
		number, err = d.accounts.next(), strict(text, a)
		d.accounts.add(a, size)
	case defineLabels:
		ls := cluster.Labels{}
		number, err = d.labels.next(), strict(text, &ls)
		d.labels.add(ls, size)
	case defineNode:
		spec := new(cluster.NodeSpec)
		if number, err = d.nodeSpecs.next(), strict(text, spec); err == nil {
			err = checkNode(spec)
		}
		d.nodeSpecs.add(spec, size)
	default:
		o := newObject(kind)
		if o == nil {
			return 0, fmt.Errorf("the kind %d isn't known", kind)
		}
		number, err = d.objects.next(), strict(text, o)
		d.objects.add(o, size)
	}
	return number, err
}

// newObject returns an empty object of a kind, nil if it isn't that of an object.
func newObject(kind byte) cluster.Object {
	switch kind {
	case defineNamespace:
		return new(cluster.Namespace)
	case defineService:
		return new(cluster.Service)
	case defineWorkload:
		return new(cluster.Workload)
	case defineBudget:
		return new(cluster.DisruptionBudget)
	case defineQuota:
		return new(cluster.ResourceQuota)
	}
	return nil
}

// strict reads one JSON value, all of whose fields must be known. null is none.
func strict(text []byte, into any) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		return errors.New("it is null")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// checkNode says what of a node no State could take in.
func checkNode(spec *cluster.NodeSpec) error {
	if spec.GPUs < 0 || spec.GPUs > cluster.MaxGPUs {
		return fmt.Errorf("the node %.60q has %d GPUs; a node has 0 to %d", spec.Name, spec.GPUs, cluster.MaxGPUs)
	}
	return checkConditions(&spec.Health.Conditions)
}

func checkConditions(cs *cluster.Conditions) error {
	for i, st := range cs {
		if st > cluster.ConditionUnknown {
			return fmt.Errorf("the condition %v has the status %d, which isn't known", cluster.NodeCondition(i), st)
		}
	}
	return nil
}
