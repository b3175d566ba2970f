package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/berthsim/berth/internal/input"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A decoder reads objects of the Kubernetes API from JSON, strictly: a field that
// the type doesn't have, one that comes twice and a value of another type are
// errors, in all of the object. Only fields that are converted are kept, though,
// so that reading a large cluster takes neither the time nor the room for the
// rest.
type decoder struct {
	scanner
	names  map[string]string // texts seen, so that equal ones share memory
	spares map[reflect.Type]reflect.Value
}

// maxNames bounds the texts that are remembered. Most of what is beyond are the
// names of single objects.
const maxNames = 1 << 16

// decode reads the object at an offset of data into o, a pointer, and returns
// where it ends. Its error is a *FieldError.
func (d *decoder) decode(data []byte, start int, o any) (end int, err error) {
	d.scanner = scanner{data: data, at: start}
	v := reflect.ValueOf(o)
	err = d.value(schemaOf(v.Type()), v.Elem())
	return d.at, err
}

// value reads a value into v, which is of the schema's type but for pointers. If v
// is the zero Value, what is read is checked and dropped.
func (d *decoder) value(s *schema, v reflect.Value) error {
	c, start := d.space(), d.at
	if c == 'n' {
		return d.literal("null") // as if it were left out
	}
	for v.IsValid() && v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
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
		read := d.value
		if f.ours && into.IsValid() {
			read = d.own
		}
		if err := read(f.value, into); err != nil {
			return in(err, f.name)
		}
		return nil
	})
}

// own is value for a dictionary of texts of which only those are kept whose keys are of Berth's
// own: annotations are many, and long.
func (d *decoder) own(s *schema, v reflect.Value) error {
	switch c, start := d.space(), d.at; c {
	case 'n':
		return d.literal("null")
	case '{':
	default:
		return d.mismatch(start, "an object")
	}
	return d.object(func(key []byte) error {
		if !bytes.HasPrefix(key, []byte(ownPrefix)) {
			if err := d.value(s.elem, reflect.Value{}); err != nil {
				return in(err, string(key))
			}
			return nil
		}
		name, text := d.shared(key), reflect.New(s.elem.typ).Elem()
		if err := d.value(s.elem, text); err != nil {
			return in(err, name)
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(reflect.ValueOf(name), text)
		return nil
	})
}

// nearest advises on a field that a type doesn't have.
func nearest(key string, s *schema) string {
	best, least := "", len(key)/4+1
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
	if !v.IsValid() {
		return d.object(func(key []byte) error {
			name := d.shared(key)
			if err := d.value(s.elem, v); err != nil {
				return in(err, name)
			}
			return nil
		})
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	if m, ok := v.Interface().(map[string]string); ok {
		return d.texts(m)
	}
	value := reflect.New(v.Type().Elem()).Elem()
	return d.object(func(key []byte) error {
		start, name := d.at, d.shared(key)
		at := reflect.ValueOf(name).Convert(v.Type().Key())
		if v.MapIndex(at).IsValid() {
			return in(failure(start, "is given twice", "leave one out"), name)
		}
		value.SetZero()
		if err := d.value(s.elem, value); err != nil {
			return in(err, name)
		}
		v.SetMapIndex(at, value)
		return nil
	})
}

// texts is dictionary for what most dictionaries are.
func (d *decoder) texts(m map[string]string) error {
	return d.object(func(key []byte) error {
		start, name := d.at, d.shared(key)
		if _, ok := m[name]; ok {
			return in(failure(start, "is given twice", "leave one out"), name)
		}
		switch d.space() {
		case '"':
			value, err := d.key()
			m[name] = d.shared(value)
			return in(err, name)
		case 'n':
			m[name] = ""
			return in(d.literal("null"), name)
		}
		return in(d.mismatch(start, "a string"), name)
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
	if c := d.space(); c != '-' && (c < '0' || c > '9') {
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
	if !v.IsValid() {
		v = d.spare(s.typ)
	}
	var err error
	switch into := v.Addr().Interface().(type) {
	case *resource.Quantity:
		if !sane(raw) {
			return failure(start, "is no amount that anybody means", remedies["Quantity"])
		}
		err = into.UnmarshalJSON(raw)
	case *metav1.Time:
		into.Time, err = parseTime(raw)
	case json.Unmarshaler:
		err = into.UnmarshalJSON(raw)
	}
	if err != nil {
		return failure(start, "is "+input.Quoted(string(raw))+", which is no "+s.typ.Name(), remedies[s.typ.Name()])
	}
	return nil
}

// spare returns a value to read into that nobody looks at.
func (d *decoder) spare(t reflect.Type) reflect.Value {
	if d.spares == nil {
		d.spares = map[reflect.Type]reflect.Value{}
	}
	v, ok := d.spares[t]
	if !ok {
		v = reflect.New(t).Elem()
		d.spares[t] = v
	}
	return v
}

// parseTime reads a time as metav1.Time does, in less time.
func parseTime(raw []byte) (time.Time, error) {
	if raw[0] != '"' {
		return time.Time{}, errors.New("no string")
	}
	return time.Parse(time.RFC3339, string(raw[1:len(raw)-1]))
}

// sane reports whether an amount may be left to Kubernetes' own code, which takes
// for ever over 1e999999999.
func sane(raw []byte) bool {
	if len(raw) > 64 {
		return false
	}
	i := bytes.IndexAny(raw, "eE")
	if i < 0 {
		return true
	}
	exponent := bytes.TrimLeft(raw[i+1:], "+-0")
	n := 0
	for n < len(exponent) && exponent[n] >= '0' && exponent[n] <= '9' {
		n++
	}
	return n <= 2
}

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
