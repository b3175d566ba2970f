package manifest

import (
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// mutate makes the change to what is converted under v that left others come
// before: another value, or none, or one more. It returns where, or "" if there are
// not that many changes; left then has become less by how many there are.
func mutate(v reflect.Value, path string, left *int) string {
	hit := func() bool { *left--; return *left == -1 }
	if q, ok := v.Interface().(resource.Quantity); ok {
		return mutateQuantity(v, q, path, hit)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			if hit() {
				v.Set(reflect.New(v.Type().Elem()))
				return path + " made"
			}
			return ""
		}
		if hit() {
			v.SetZero()
			return path + " nil"
		}
		return mutate(v.Elem(), path, left)
	case reflect.Struct:
		return mutateFields(v, path, left)
	case reflect.Slice:
		return mutateSlice(v, path, left)
	case reflect.Map:
		return mutateMap(v, path, left)
	case reflect.String:
		for _, to := range []string{"", v.String() + "2", "a", "Always"} {
			if v.String() != to && hit() {
				v.SetString(to)
				return path + " " + to
			}
		}
	case reflect.Bool:
		if hit() {
			v.SetBool(!v.Bool())
			return path
		}
	case reflect.Int32, reflect.Int64:
		for _, to := range []int64{0, v.Int() + 1, -v.Int()} {
			if v.Int() != to && hit() {
				v.SetInt(to)
				return path
			}
		}
	}
	return ""
}

// mutateQuantity makes a quantity another, or writes it in another way.
func mutateQuantity(v reflect.Value, q resource.Quantity, path string, hit func() bool) string {
	set := func(to resource.Quantity) { v.Set(reflect.ValueOf(to)) }
	for _, to := range []string{"0", "17", "1m", "-1"} {
		if hit() {
			set(resource.MustParse(to))
			return path + " " + to
		}
	}
	if hit() {
		q = q.DeepCopy()
		q.ToDec()
		set(q)
		return path + " as decimal"
	}
	if hit() {
		text := q.String()
		q = resource.MustParse(text)
		_ = q.String() // which it keeps
		set(q)
		return path + " written out"
	}
	return ""
}

func mutateFields(v reflect.Value, path string, left *int) string {
	s := schemaOf(v.Type())
	if s.shape != structure {
		return ""
	}
	byNumber := make([]*field, len(s.fields))
	for _, f := range s.fields {
		byNumber[f.number] = f
	}
	for _, f := range byNumber {
		if f.ignore {
			continue
		}
		if at := mutate(v.FieldByIndex(f.index), strings.TrimPrefix(path+"."+f.name, "."), left); at != "" {
			return at
		}
	}
	return ""
}

func mutateSlice(v reflect.Value, path string, left *int) string {
	hit := func() bool { *left--; return *left == -1 }
	if hit() {
		v.SetZero()
		return path + " gone"
	}
	if hit() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return path + " empty"
	}
	if hit() {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		return path + " with a zero"
	}
	if v.Len() > 0 && hit() {
		v.Set(reflect.Append(v.Slice3(0, v.Len(), v.Len()), v.Index(0)))
		return path + " with the first again"
	}
	for i := range v.Len() {
		if at := mutate(v.Index(i), path, left); at != "" {
			return at
		}
	}
	return ""
}

func mutateMap(v reflect.Value, path string, left *int) string {
	hit := func() bool { *left--; return *left == -1 }
	if hit() {
		v.SetZero()
		return path + " gone"
	}
	if hit() {
		to := reflect.MakeMap(v.Type())
		for _, key := range v.MapKeys() {
			to.SetMapIndex(key, v.MapIndex(key))
		}
		to.SetMapIndex(reflect.ValueOf("another").Convert(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		v.Set(to)
		return path + " with another"
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		if hit() {
			v.SetMapIndex(key, reflect.Value{})
			return path + "." + key.String() + " gone"
		}
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		if at := mutate(value, path+"."+key.String(), left); at != "" {
			v.SetMapIndex(key, value)
			return at
		}
	}
	return ""
}
