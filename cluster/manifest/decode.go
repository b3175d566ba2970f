package manifest

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/berthsim/berth/internal/input"
	"k8s.io/apimachinery/pkg/api/resource"
)

// A decoder reads objects of the Kubernetes API from JSON, strictly: a field that
// the type doesn't have, one that comes twice and a value of another type are
// errors, in all of the object. Only fields that are converted are kept, though,
// so that reading a large cluster takes neither the time nor the room for the
// rest.
type decoder struct {
	scanner
	names map[string]string // texts seen, so that equal ones share memory
}

// maxNames bounds the texts that are remembered. Most of what is beyond are the
// names of single objects.
const maxNames = 1 << 16

// decode reads the object in data into o, a pointer. Its error is a *FieldError.
func (d *decoder) decode(data []byte, o any) error {
	d.scanner = scanner{data: data}
	d.space()
	v := reflect.ValueOf(o)
	return d.value(schemaOf(v.Type()), v.Elem())
}

// value reads a value into v, which is of the schema's type but for pointers. If v
// is the zero Value, what is read is checked and dropped.
func (d *decoder) value(s *schema, v reflect.Value) error {
	start := d.at
	if c := d.space(); c == 'n' {
		return d.literal("null") // as if it were left out
	}
	for v.IsValid() && v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	c := d.data[min(d.at, len(d.data)-1)]
	switch s.shape {
	case structure:
		if c != '{' {
			return d.mismatch(start, "an object")
		}
		return d.structure(s, v)
	case dictionary:
		if c != '{' {
			return d.mismatch(start, "an object")
		}
		return d.dictionary(s, v)
	case list:
		if c != '[' {
			return d.mismatch(start, "a list")
		}
		return d.list(s, v)
	case text:
		if c != '"' {
			return d.mismatch(start, "a string")
		}
		key, err := d.key()
		if err == nil && v.IsValid() && v.Kind() == reflect.String {
			v.SetString(d.shared(key))
		}
		return err
	case boolean:
		switch c {
		case 't':
			if v.IsValid() {
				v.SetBool(true)
			}
			return d.literal("true")
		case 'f':
			return d.literal("false")
		}
		return d.mismatch(start, "true or false")
	case integer:
		return d.integer(start, s, v)
	}
	return d.custom(start, s, v)
}

func (d *decoder) structure(s *schema, v reflect.Value) error {
	var seen [4]uint64
	return d.object(func(key []byte) error {
		start := d.at
		f, ok := s.fields[string(key)]
		if !ok {
			problem := "has no field " + input.Quoted(string(key))
			return failure(start, problem, nearest(string(key), s))
		}
		if bit := uint64(1) << (f.number % 64); seen[f.number/64]&bit != 0 {
			return in(failure(start, "is given twice", "leave one out"), f.name)
		} else {
			seen[f.number/64] |= bit
		}
		var into reflect.Value
		if v.IsValid() && !f.ignore {
			into = v.FieldByIndex(f.index)
		}
		if err := d.value(f.value, into); err != nil {
			return in(err, f.name)
		}
		return nil
	})
}

// nearest advises on a field that a type doesn't have.
func nearest(key string, s *schema) string {
	best, least := "", len(key)/3+1
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if distance := editDistance(key, name); distance < least {
			best, least = name, distance
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "correct or remove it; Berth reads the API of Kubernetes " + spoken.String()
}

// editDistance counts the letters to change, add or remove between two words
// (Wagner and Fischer 1974); a change of case is free.
func editDistance(a, b string) int {
	if len(a) > 100 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i]|0x20 != b[j]|0x20 {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (d *decoder) dictionary(s *schema, v reflect.Value) error {
	var entries reflect.Value
	if v.IsValid() {
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		entries = v
	}
	plain, _ := any(nil).(map[string]string)
	if entries.IsValid() && entries.CanInterface() {
		plain, _ = entries.Interface().(map[string]string)
	}
	return d.object(func(key []byte) error {
		start := d.at
		switch {
		case plain != nil:
			name := d.shared(key)
			if _, ok := plain[name]; ok {
				return in(failure(start, "is given twice", "leave one out"), name)
			}
			var value string
			err := d.value(s.elem, reflect.ValueOf(&value).Elem())
			plain[name] = value
			return in(err, name)
		case !entries.IsValid():
			if err := d.value(s.elem, reflect.Value{}); err != nil {
				return in(err, string(key))
			}
			return nil
		}
		name := d.shared(key)
		at := reflect.ValueOf(name).Convert(entries.Type().Key())
		if entries.MapIndex(at).IsValid() {
			return in(failure(start, "is given twice", "leave one out"), name)
		}
		value := reflect.New(entries.Type().Elem()).Elem()
		err := d.value(s.elem, value)
		entries.SetMapIndex(at, value)
		return in(err, name)
	})
}

func (d *decoder) list(s *schema, v reflect.Value) error {
	if v.IsValid() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // an empty list is not none
	}
	return d.array(func(i int) error {
		var into reflect.Value
		if v.IsValid() {
			v.Grow(1)
			v.SetLen(i + 1)
			into = v.Index(i)
			into.SetZero()
		}
		if err := d.value(s.elem, into); err != nil {
			return in(err, i)
		}
		return nil
	})
}

func (d *decoder) integer(start int, s *schema, v reflect.Value) error {
	if c := d.data[start]; c != '-' && (c < '0' || c > '9') {
		return d.mismatch(start, "a whole number")
	}
	number, err := d.number()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(number), 10, s.typ.Bits())
	if err != nil {
		problem := "is " + string(number[:min(len(number), 60)])
		return failure(start, problem, "write a whole number of "+strconv.Itoa(s.typ.Bits())+" bits")
	}
	if v.IsValid() {
		v.SetInt(n)
	}
	return nil
}

// custom has the type read the value itself.
func (d *decoder) custom(start int, s *schema, v reflect.Value) error {
	if err := d.skip(); err != nil {
		return err
	}
	raw := d.data[start:d.at]
	if s.typ == reflect.TypeFor[resource.Quantity]() && len(raw) > maxQuantity {
		return failure(start, "is too long for an amount", "write a number with a unit, such as 500m or 1Gi")
	}
	if !v.IsValid() {
		v = reflect.New(s.typ).Elem()
	}
	if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw); err != nil {
		return failure(start, "is "+input.Quoted(string(raw))+", which is no "+s.typ.Name(), remedies[s.typ.Name()])
	}
	return nil
}

// maxQuantity is the length of an amount, in bytes, beyond which nobody means it.
// Kubernetes' own parser may take very long for some.
const maxQuantity = 64

// remedies say how what a type reads itself is written.
var remedies = map[string]string{
	"Quantity":    "write a number with a unit, such as 500m or 1Gi",
	"Time":        "write a time such as 2006-01-02T15:04:05Z",
	"MicroTime":   "write a time such as 2006-01-02T15:04:05.000000Z",
	"Duration":    "write a duration such as 30s",
	"IntOrString": "write a whole number or a string",
	"FieldsV1":    "write an object, or remove it",
}

// mismatch returns an error about a value of another type than the one wanted.
func (d *decoder) mismatch(start int, want string) error {
	d.at = start
	is := map[byte]string{'{': "an object", '[': "a list", '"': "a string", 't': "true", 'f': "false"}[d.space()]
	if is == "" {
		is = "a number"
	}
	if err := d.skip(); err != nil {
		return err // it is no JSON at all
	}
	remedy := "write " + want
	if want == "a string" {
		remedy = "put it in quotes"
	}
	return failure(start, "is "+is+", where "+want+" should be", remedy)
}

// shared returns a text, the same for equal ones.
func (d *decoder) shared(b []byte) string {
	if name, ok := d.names[string(b)]; ok {
		return name
	}
	if len(d.names) >= maxNames || d.names == nil {
		d.names = make(map[string]string, 1024)
	}
	name := string(b)
	d.names[name] = name
	return name
}
