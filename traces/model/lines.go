package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/berthsim/berth/internal/input"
)

// A walk goes through a text of JSON beside the type that it will be read into.
// It finds what package json lets pass: keys that nothing has, keys that stand
// twice or in other letters, null, and what follows the end. It notes the line of
// everything, so that whoever finds a value wrong can say where it stands.
type walk struct {
	file    string
	content []byte
	in      *json.Decoder
	lines   map[string]int // by path: jobs[3].run

	counted, line int // newlines before an offset
}

// decode reads content into what to points to.
func decode(file string, content []byte, to any) (*walk, error) {
	w := &walk{file: file, content: content, in: json.NewDecoder(bytes.NewReader(content)), lines: map[string]int{}, line: 1}
	w.in.UseNumber()
	if err := w.value("", reflect.TypeOf(to).Elem()); err != nil {
		return nil, err
	}
	if _, err := w.in.Token(); !errors.Is(err, io.EOF) {
		return nil, w.here("something follows the end", "remove it")
	}
	err := json.Unmarshal(content, to)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return nil, w.at(w.lineAt(int(wrong.Offset)), fmt.Sprintf("%s is a %s", strings.TrimPrefix(wrong.Field, "Model."), wrong.Value), "give a value as docs/models.md has it: "+wrong.Type.Kind().String())
	}
	if err != nil {
		return nil, w.at(0, input.Quoted(err.Error()), "give a model as docs/models.md has it")
	}
	return w, nil
}

// lineAt returns the line of an offset. It counts on from that asked for last.
func (w *walk) lineAt(offset int) int {
	if offset = min(offset, len(w.content)); offset < w.counted {
		w.counted, w.line = 0, 1
	}
	w.line += bytes.Count(w.content[w.counted:offset], []byte{'\n'})
	w.counted = offset
	return w.line
}

// here returns the error that something is wrong where the walk is.
func (w *walk) here(problem, remedy string) error {
	return w.at(w.lineAt(int(w.in.InputOffset())), problem, remedy)
}

func (w *walk) at(line int, problem, remedy string) error {
	return &input.Error{File: w.file, Line: line, Problem: problem, Remedy: remedy}
}

// wrong returns the error that what stands at a path is wrong.
func (w *walk) wrong(path, problem, remedy string) error {
	for at := path; ; at = at[:max(strings.LastIndexAny(at, ".["), 0)] {
		if line, ok := w.lines[at]; ok || at == "" {
			return w.at(line, path+" "+problem, remedy)
		}
	}
}

// token returns the next token.
func (w *walk) token() (json.Token, error) {
	t, err := w.in.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, w.here("the text ends early", "fetch or write the file again")
	case errors.As(err, &syntax):
		return nil, w.at(w.lineAt(int(syntax.Offset)), "not JSON: "+input.Quoted(err.Error()), "give a model as berth trace fit writes it")
	case err != nil:
		return nil, w.here("not JSON: "+input.Quoted(err.Error()), "give a model as berth trace fit writes it")
	}
	return t, nil
}

// value walks through a value of a type.
func (w *walk) value(path string, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, err := w.token()
	if err != nil {
		return err
	}
	w.lines[path] = w.lineAt(int(w.in.InputOffset()))
	if token == nil {
		return w.here(called(path)+" is null", "leave it out, or give a value")
	}
	delim, _ := token.(json.Delim)
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		if delim != '{' {
			return w.here(called(path)+" is no object", "write {…}")
		}
		return w.object(path, t)
	case reflect.Slice, reflect.Array:
		if delim != '[' {
			return w.here(called(path)+" is no list", "write […]")
		}
		return w.list(path, t)
	}
	if delim != 0 {
		return w.here(called(path)+" is an object or list", "give a single value")
	}
	return nil
}

func called(path string) string {
	if path == "" {
		return "the model"
	}
	return path
}

// list walks through what follows an opening bracket.
func (w *walk) list(path string, t reflect.Type) error {
	n := 0
	for ; w.in.More(); n++ {
		if err := w.value(path+"["+strconv.Itoa(n)+"]", t.Elem()); err != nil {
			return err
		}
	}
	if t.Kind() == reflect.Array && n != t.Len() {
		return w.here(fmt.Sprintf("%s has %d values", path, n), fmt.Sprintf("give %d", t.Len()))
	}
	_, err := w.token()
	return err
}

// object walks through what follows an opening brace.
func (w *walk) object(path string, t reflect.Type) error {
	seen := map[string]bool{}
	for w.in.More() {
		token, err := w.token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return w.here("a key is no text", "write \"key\": value")
		}
		if seen[key] {
			return w.here(input.Quoted(key)+" stands twice", "remove one")
		}
		seen[key] = true
		of, names := fieldType(t, key)
		if of == nil {
			return w.here("there is no "+input.Quoted(key)+" in "+called(path), "write one of "+names)
		}
		if err := w.value(strings.TrimPrefix(path+"."+key, "."), of); err != nil {
			return err
		}
	}
	_, err := w.token()
	return err
}

// fieldType returns the type of what stands under a key; nil, and the keys that
// there are, if there is no such key.
func fieldType(t reflect.Type, key string) (of reflect.Type, names string) {
	if t.Kind() == reflect.Map {
		return t.Elem(), ""
	}
	var known []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			if of, names := fieldType(f.Type, key); of != nil {
				return of, ""
			} else {
				known = append(known, names)
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		if name == key {
			return f.Type, ""
		}
		known = append(known, name)
	}
	return nil, strings.Join(known, ", ")
}
