package manifest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// A shape is what JSON a type takes.
type shape uint8

const (
	structure  shape = iota // an object with given fields
	dictionary              // an object with any keys
	list
	text
	boolean
	integer
	custom // whatever the type's UnmarshalJSON takes
)

// A schema says what JSON a Go type takes, its pointers aside.
type schema struct {
	typ    reflect.Type
	shape  shape
	fields map[string]*field // of a structure
	elem   *schema           // of a dictionary or a list
}

// A field is a field of a structure.
type field struct {
	name   string
	number int   // among the fields
	index  []int // as reflect.Value.FieldByIndex takes it
	value  *schema
	ignore bool // the table of fields says why
	ours   bool // only what is of Berth's own is kept
}

// schemas are those of all types that were asked for, each once: Kubernetes'
// types refer to each other. The table of fields and the types are constants, so
// that it makes no difference who asks first.
var schemas = struct {
	sync.Mutex
	byType map[reflect.Type]*schema
}{byType: map[reflect.Type]*schema{}}

// schemaOf returns the schema of a type.
func schemaOf(t reflect.Type) *schema {
	schemas.Lock()
	defer schemas.Unlock()
	return makeSchema(t)
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func makeSchema(t reflect.Type) *schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := schemas.byType[t]; ok {
		return s
	}
	s := &schema{typ: t}
	schemas.byType[t] = s // before its fields, which may lead back to it
	switch {
	case reflect.PointerTo(t).Implements(unmarshaler):
		s.shape = custom
	case t.Kind() == reflect.Struct:
		s.shape, s.fields = structure, map[string]*field{}
		s.addFields(t, nil, reasons(t))
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		s.shape, s.elem = dictionary, makeSchema(t.Elem())
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		s.shape = text // base64, which nothing here reads
	case t.Kind() == reflect.Slice:
		s.shape, s.elem = list, makeSchema(t.Elem())
	case t.Kind() == reflect.String:
		s.shape = text
	case t.Kind() == reflect.Bool:
		s.shape = boolean
	case t.Kind() == reflect.Int32 || t.Kind() == reflect.Int64:
		s.shape = integer
	default:
		panic(fmt.Sprintf("manifest: no schema for %v", t)) // Kubernetes has no other types
	}
	return s
}

// addFields adds the fields of a struct, which is embedded in s at a prefix.
func (s *schema) addFields(t reflect.Type, prefix []int, reasons fields) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int{}, prefix...), i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" && options == "inline" || f.Anonymous && name == "" {
			s.addFields(f.Type, index, reasons)
			continue
		}
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		s.fields[name] = &field{
			name: name, number: len(s.fields), index: index, value: makeSchema(f.Type),
			ignore: reasons[name] != converted && reasons[name] != ours, ours: reasons[name] == ours,
		}
	}
}
