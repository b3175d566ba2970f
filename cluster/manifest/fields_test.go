package manifest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
)

// kinds are the types that are read.
var kinds = []reflect.Type{
	reflect.TypeFor[v1.Pod](), reflect.TypeFor[v1.Node](), reflect.TypeFor[v1.Namespace](), reflect.TypeFor[v1.Service](),
	reflect.TypeFor[v1.ReplicationController](), reflect.TypeFor[appsv1.ReplicaSet](), reflect.TypeFor[appsv1.StatefulSet](), reflect.TypeFor[appsv1.Deployment](),
	reflect.TypeFor[policyv1.PodDisruptionBudget](), reflect.TypeFor[schedulingv1.PriorityClass](),
	reflect.TypeFor[v1.ResourceQuota](), reflect.TypeFor[v1.LimitRange](), reflect.TypeFor[nodev1.RuntimeClass](),
	reflect.TypeFor[v1.PersistentVolumeClaim](), reflect.TypeFor[resourcev1.ResourceClaim](), reflect.TypeFor[resourcev1.DeviceClass](),
}

// TestEveryFieldIsAccountedFor fails when Kubernetes gains a field, or loses one,
// in a type of which anything is converted.
func TestEveryFieldIsAccountedFor(t *testing.T) {
	for _, err := range tableErrors(tables, kinds...) {
		t.Error(err)
	}
	for _, table := range tables {
		for typ, fs := range table {
			for name, why := range fs {
				if why != converted && strings.TrimSpace(why) == "" {
					t.Errorf("%v.%s is ignored for no reason", typ, name)
				}
			}
		}
	}
}

// tableErrors compares tables with types as they are, beginning with roots and
// going on with what their converted fields hold.
func tableErrors(tables []map[reflect.Type]fields, roots ...reflect.Type) (errs []string) {
	found := func(format string, args ...any) { errs = append(errs, fmt.Sprintf(format, args...)) }
	reached := map[reflect.Type]bool{}
	var visit func(s *schema)
	visit = func(s *schema) {
		if s.elem != nil {
			visit(s.elem)
		}
		if s.shape != structure || reached[s.typ] {
			return
		}
		reached[s.typ] = true
		var fs fields
		for _, table := range tables {
			if table[s.typ] != nil {
				fs = table[s.typ]
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.fields)) {
			switch why, ok := fs[name]; {
			case !ok:
				found("%v.%s: say in fields*.go that it is converted, or why it is ignored", s.typ, name)
			case why == converted:
				visit(s.fields[name].value)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(fs)) {
			if s.fields[name] == nil {
				found("%v has no field %s", s.typ, name)
			}
		}
	}
	for _, root := range roots {
		visit(schemaOf(root))
	}
	for _, table := range tables {
		for typ := range table {
			if !reached[typ] {
				found("%v is in the table, and no converted field holds it", typ)
			}
		}
	}
	return errs
}

// TestTableErrors shows that the comparison finds what it is for.
func TestTableErrors(t *testing.T) {
	type inner struct {
		A string `json:"a"`
	}
	type outer struct {
		inner `json:",inline"`
		B     []*inner         `json:"b,omitempty"`
		C     map[string]inner `json:"c"`
	}
	typ, in := reflect.TypeFor[outer](), reflect.TypeFor[inner]()
	for _, tt := range []struct {
		table map[reflect.Type]fields
		want  string
	}{
		{map[reflect.Type]fields{typ: {"a": "x", "b": converted, "c": converted}, in: {"a": converted}}, ""},
		{map[reflect.Type]fields{typ: {"a": "x", "b": converted, "c": converted}}, "manifest.inner.a: say in fields*.go that it is converted, or why it is ignored"},
		{map[reflect.Type]fields{typ: {"a": "x", "b": "x"}}, "manifest.outer.c: say in fields*.go that it is converted, or why it is ignored"},
		{map[reflect.Type]fields{typ: {"a": "x", "b": "x", "c": "x", "d": "x"}}, "manifest.outer has no field d"},
		{map[reflect.Type]fields{typ: {"a": "x", "b": "x", "c": "x"}, in: {"a": "x"}}, "manifest.inner is in the table, and no converted field holds it"},
	} {
		if got := strings.Join(tableErrors([]map[reflect.Type]fields{tt.table}, typ), "\n"); got != tt.want {
			t.Errorf("with %v, found %q, want %q", tt.table, got, tt.want)
		}
	}
}

// dropIgnored sets every field that the table ignores to its zero value.
func dropIgnored(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			dropIgnored(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			dropIgnored(v.Index(i))
		}
	case reflect.Struct:
		s := schemaOf(v.Type())
		for _, f := range s.fields {
			switch at := v.FieldByIndex(f.index); {
			case f.ignore:
				at.SetZero()
			case f.ours:
				dropOthers(at)
			default:
				dropIgnored(at)
			}
		}
	}
}

// dropOthers keeps of a dictionary what is of Berth's own.
func dropOthers(v reflect.Value) {
	for _, key := range v.MapKeys() {
		if !strings.HasPrefix(key.String(), ownPrefix) {
			v.SetMapIndex(key, reflect.Value{})
		}
	}
	if v.Len() == 0 {
		v.SetZero()
	}
}
