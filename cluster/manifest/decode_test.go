package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// TestDecodesAsKubernetesDoes fills in objects at random, writes them as
// Kubernetes does, reads them back both ways, and compares what is converted.
func TestDecodesAsKubernetesDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, typ := range kinds {
		for i := range 60 {
			f := filler{data: make([]byte, 30+rng.IntN(20000)), all: i == 0}
			for j := range f.data {
				f.data[j] = byte(rng.Uint32())
			}
			o := reflect.New(typ)
			f.fill(o.Elem())
			checkDecode(t, o)
		}
	}
}

func checkDecode(t *testing.T, o reflect.Value) {
	t.Helper()
	text, err := json.MarshalIndent(o.Interface(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := reflect.New(o.Type().Elem())
	if err := json.Unmarshal(text, want.Interface()); err != nil {
		t.Fatal(err)
	}
	dropIgnored(want.Elem())
	got := reflect.New(o.Type().Elem())
	var d decoder
	end, err := d.decode(text, 0, got.Interface())
	if err != nil || end != len(text) {
		t.Fatalf("read %d of %d bytes of %s: %v", end, len(text), text, err)
	}
	if !equality.Semantic.DeepEqual(got.Interface(), want.Interface()) {
		t.Errorf("from %s\ngot  %+v\nwant %+v", text, got, want)
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`{"spec": {"nodeNam": "a"}}`, `spec has no field "nodeNam"; did you mean nodeName?`},
		{`{"spec": {"nodename": "a"}}`, `spec has no field "nodename"; did you mean nodeName?`},
		{`{"spec": {"entirelyNew": 1}}`, `spec has no field "entirelyNew"; correct or remove it; Berth reads the API of Kubernetes 1.36.3`},
		{`{"spec": {"securityContext": {"runAsRoot": 1}}}`, `spec.securityContext has no field "runAsRoot"; correct or remove it; Berth reads the API of Kubernetes 1.36.3`},
		{`{"spec": {"nodeName": 5}}`, `spec.nodeName is a number, where a string should be; put it in quotes`},
		{`{"spec": {"dnsPolicy": true}}`, `spec.dnsPolicy is true, where a string should be; put it in quotes`},
		{`{"spec": {"hostNetwork": "yes"}}`, `spec.hostNetwork is a string, where true or false should be; write true or false`},
		{`{"spec": {"containers": {}}}`, `spec.containers is an object, where a list should be; write a list`},
		{`{"spec": []}`, `spec is a list, where an object should be; write an object`},
		{`{"spec": {"nodeSelector": [1]}}`, `spec.nodeSelector is a list, where an object should be; write an object`},
		{`{"spec": {"nodeSelector": {"a/b": 1}}}`, `spec.nodeSelector["a/b"] is a number, where a string should be; put it in quotes`},
		{`{"spec": {"priority": "5"}}`, `spec.priority is a string, where a whole number should be; write a whole number`},
		{`{"spec": {"priority": 1.5}}`, `spec.priority is 1.5; write a whole number of 32 bits`},
		{`{"spec": {"priority": 4294967296}}`, `spec.priority is 4294967296; write a whole number of 32 bits`},
		{`{"spec": {"overhead": {"cpu": "1x"}}}`, `spec.overhead.cpu is "\"1x\"", which is no Quantity; write a number with a unit, such as 500m or 1Gi`},
		{`{"spec": {"overhead": {"cpu": "1e999999999"}}}`, `spec.overhead.cpu is no amount that anybody means; write a number with a unit, such as 500m or 1Gi`},
		{`{"spec": {"containers": [{}, {"resources": {"limits": {"cpu": {}}}}]}}`, `spec.containers[1].resources.limits.cpu is "{}", which is no Quantity; write a number with a unit, such as 500m or 1Gi`},
		{`{"status": {"startTime": "yesterday"}}`, `status.startTime is "\"yesterday\"", which is no Time; write a time such as 2006-01-02T15:04:05Z`},
		{`{"spec": {"nodeName": "a", "nodeName": "b"}}`, `spec.nodeName is given twice; leave one out`},
		{`{"spec": {"nodeSelector": {"a": "1", "a": "2"}}}`, `spec.nodeSelector.a is given twice; leave one out`},
		{`{"spec": {"overhead": {"cpu": "1", "cpu": "2"}}}`, `spec.overhead.cpu is given twice; leave one out`},
		{`{"spec": {"nodeName": "a\x"}}`, `spec.nodeName: a string has a backslash that escapes nothing; write \\ for a backslash`},
		{"{\"spec\": {\"nodeName\": \"a\xff\"}}", `spec.nodeName: a string is not UTF-8; save the file as UTF-8`},
		{"{\"spec\": {\"nodeName\": \"a\nb\"}}", `spec.nodeName: a string has a control character; escape it`},
		{`{"spec": {"nodeName": "a`, `spec.nodeName: a string does not end; give the whole file`},
		{`{"spec": {"nodeName": `, `spec.nodeName: the text ends where a value should be; give the whole file`},
		{`{"spec": {"nodeName" "a"}}`, `spec: there is '"' where a colon should be; correct the file`},
		{`{"spec": {"nodeName": "a" "b"}}`, `spec: there is '"' where a comma or the end of the object should be; correct the file`},
		{`{"spec": {"priority": 01}}`, `spec: there is '1' where a comma or the end of the object should be; correct the file`},
		{`{"spec": {"priority": -}}`, `spec.priority: there is '}' where a digit should be; correct the file`},
		{`{"spec": {"priority": nil}}`, `spec.priority: there is 'n' where a value should be; correct the file`},
		{`{"spec": {"containers": [{} {}]}}`, `spec.containers: there is '{' where a comma or the end of the array should be; correct the file`},
	} {
		var d decoder
		_, err := d.decode([]byte(tt.text), 0, &v1.Pod{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

// FuzzJSON checks that the scanner takes what encoding/json takes, and nothing
// else.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [1, -2.5e+3, true, null, "\u00e9\n"], "b": {}}`, `[1,]`, `"\ud800"`, `01`, "\"\x7f\"", ` [ ] `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !utf8.Valid(data) {
			return // encoding/json takes it, and the scanner is right not to
		}
		s := &scanner{data: data}
		err := s.skip()
		s.space()
		ok := err == nil && s.at == len(data)
		if want := json.Valid(data); ok != want {
			t.Errorf("taken: %v (%v), valid: %v: %q", ok, err, want, data)
		}
		var want string
		if !ok || json.Unmarshal(data, &want) != nil || bytes.TrimSpace(data)[0] != '"' {
			return
		}
		s = &scanner{data: data}
		s.space()
		if got, err := s.key(); err != nil || string(got) != want {
			t.Errorf("%q is %q, want %q", data, got, want)
		}
	})
}

func TestLocate(t *testing.T) {
	text := `{"a": [{"b": 1}, {"c": {"d/e": 2}}], "f": 3}`
	for _, tt := range []struct {
		path []any
		want string // what begins there
	}{
		{nil, `{"a"`},
		{[]any{"a"}, `[{"b"`},
		{[]any{"a", 1, "c", "d/e"}, `2}}`},
		{[]any{"a", 1, "missing", "x"}, `{"c"`},
		{[]any{"a", 7}, `[{"b"`},
		{[]any{"f", "x"}, `3}`},
	} {
		if at := locate([]byte(text), tt.path); !strings.HasPrefix(text[at:], tt.want) {
			t.Errorf("%v leads to %s, want %s", tt.path, text[at:], tt.want)
		}
	}
}

func TestDeepValues(t *testing.T) {
	for _, n := range []int{maxDepth, maxDepth + 1} {
		s := &scanner{data: []byte(strings.Repeat("[", n) + strings.Repeat("]", n))}
		err := s.skip()
		var wrong *FieldError
		if (n > maxDepth) != errors.As(err, &wrong) {
			t.Errorf("%d levels: %v", n, err)
		}
	}
}
