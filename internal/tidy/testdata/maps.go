// Package maps goes over maps.
package maps

import (
	"maps"
	"reflect"
	"slices"
	"sync"
)

type table map[string]int

func ranges(m map[string]int, t table, s []int) (sum int) {
	for _, v := range m { // want: ranges over a map
		sum += v
	}
	for k := range t { // want: ranges over a map
		sum += len(k)
	}
	for range m { // want: ranges over a map
		sum++
	}
	for _, v := range s {
		sum += v
	}
	for i := range 10 {
		sum += i
	}
	return sum
}

type tables interface{ table | map[string]int }

func generic[M ~map[K]int, K comparable, T tables, S ~[]int](m M, t T, s S) (sum int) {
	for _, v := range m { // want: ranges over a map
		sum += v
	}
	for _, v := range t { // want: ranges over a map
		sum += v
	}
	for _, v := range s {
		sum += v
	}
	return sum
}

func functions(m map[string]int, s *sync.Map, v reflect.Value) any {
	for k := range maps.Keys(m) { // want: uses maps.Keys
		_ = k
	}
	for k, v := range maps.All(m) { // want: uses maps.All
		_, _ = k, v
	}
	values := maps.Values[map[string]int] // want: uses maps.Values
	_ = values
	_ = slices.Collect(maps.Keys(m))             // want: uses maps.Keys
	_ = slices.Sorted(maps.Values(m))            // want: uses maps.Values
	s.Range(func(k, v any) bool { return true }) // want: uses (*sync.Map).Range
	_ = v.MapKeys()                              // want: uses (reflect.Value).MapKeys
	for range v.Seq() {                          // want: uses (reflect.Value).Seq
	}
	for range v.Seq2() { // want: uses (reflect.Value).Seq2
	}
	for i := v.MapRange(); i.Next(); { // want: uses (reflect.Value).MapRange
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		_ = k
	}
	return maps.Clone(m)
}
