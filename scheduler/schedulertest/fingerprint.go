package schedulertest

import (
	"hash/maphash"
	"math"
	"reflect"

	"github.com/berthsim/berth/cluster"
)

// Fingerprint returns a number that differs if anything differs that a plugin
// can read of s, and so can write to by mistake: every exported column, and the
// classes of the pods. It finds the columns by reflection, so that a new one is
// not forgotten.
func Fingerprint(s *cluster.State) uint64 {
	h := hash(14695981039346656037)
	h.value(reflect.ValueOf(s).Elem())
	h.add(s.Version())
	h.add(uint64(s.Mark()))
	h.add(uint64(s.Pending()))
	addAll(&h, s.Nodes.Live())
	for _, n := range s.Nodes.Live() {
		for p := range s.PodsOn(n) {
			h.add(uint64(p))
		}
	}
	seen := make([]bool, s.Classes())
	for p, c := range s.Pods.Class {
		if s.Pods.Phase[p] != cluster.Ended && !seen[c] {
			seen[c] = true
			h.value(reflect.ValueOf(s.ClassByID(c)).Elem())
		}
	}
	return uint64(h)
}

// A hash takes in numbers, in the manner of FNV-1a but 64 bits at a time. Each
// step is one to one both in the hash so far and in the number, so that a
// difference in one place always shows.
type hash uint64

// textSeed makes fingerprints differ from one process to the next, which does
// not matter, and texts cost little.
var textSeed = maphash.MakeSeed()

func (h *hash) add(x uint64) {
	*h = (*h ^ hash(x)) * 1099511628211
	*h ^= *h >> 32
}

func addAll[T ~int32 | ~int64 | ~uint64](h *hash, xs []T) {
	h.add(uint64(len(xs)))
	for _, x := range xs {
		h.add(uint64(x))
	}
}

// value takes in what others can reach from v: exported fields, elements, and
// what pointers point to. Functions and maps are passed over.
func (h *hash) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			h.add(1)
		} else {
			h.add(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.add(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		h.add(v.Uint())
	case reflect.Float32, reflect.Float64:
		h.add(math.Float64bits(v.Float()))
	case reflect.String:
		h.add(maphash.String(textSeed, v.String()))
	case reflect.Slice, reflect.Array:
		h.elements(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanInterface() {
				h.value(f)
			}
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			h.value(v.Elem())
		}
	}
}

// elements takes in a slice or an array. The columns that there are most of go
// without reflection, which costs ten times as much.
func (h *hash) elements(v reflect.Value) {
	if v.Len() > 0 && v.CanAddr() { // a pointer in an interface costs no allocation
		switch xs := v.Addr().Interface().(type) {
		case *cluster.Amounts:
			addAll(h, *xs)
			return
		case *[]int64:
			addAll(h, *xs)
			return
		case *[]int32:
			addAll(h, *xs)
			return
		case *[]uint64:
			addAll(h, *xs)
			return
		}
	}
	h.add(uint64(v.Len()))
	for i := range v.Len() {
		h.value(v.Index(i))
	}
}
