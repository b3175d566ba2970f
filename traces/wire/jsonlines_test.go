package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// lines returns a file as JSON lines.
func lines(t testing.TB, file []byte, o ReadOptions) []byte {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteJSONLines(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestJSONLines goes from a file to lines, back to the same file, and to the same lines.
func TestJSONLines(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 10))
		tale := newTale(rng, 400)
		file := write(t, nil, Options{Records: []int{0, 40}[seed%2]}, tale.records)
		text := lines(t, file, ReadOptions{})
		var back bytes.Buffer
		if err := ReadJSONLines(&back, "f", bytes.NewReader(text)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, _, err := read(t, bytes.NewReader(back.Bytes()), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, tale.records)
		if !bytes.Equal(back.Bytes(), file) {
			t.Errorf("seed %d: the file made of lines is another one", seed)
		}
		if again := lines(t, back.Bytes(), ReadOptions{}); !bytes.Equal(again, text) {
			t.Errorf("seed %d: the lines of the file made of lines are others", seed)
		}
		if only := lines(t, file, ReadOptions{Workload: true}); bytes.Contains(only, []byte(`"outcome"`)) || bytes.Contains(only, []byte(`"Bind"`)) {
			t.Errorf("seed %d: the lines of the workload tell outcomes", seed)
		}
	}
}

// TestBadLines checks that what is wrong with lines is said with the line's number.
func TestBadLines(t *testing.T) {
	const first = `{"format":"berth-trace","version":1,"meta":{"kind":"run"}}` + "\n"
	for text, want := range map[string]string{
		"":                                      `f:1: the lines end without one that says "end"`,
		`{"format":"x"}`:                        `f:1: this is not a trace`,
		strings.Replace(first, ":1,", ":2,", 1): `f:1: the format has version 2`,
		first:                                   `f:2: the lines end without one`,
		first + `{"time":1}`:                    `f:2: the kind "" isn't known`,
		first + `{"kind":"PodAdded"}`:           `f:2: the record has no time`,
		first + `{"time":1,"kind":"PodAdded","spec":{"name":"p","class":0}}`:                    `f:2: there is no definition 0`,
		first + `{"time":1,"kind":"PodAdded","spec":{"name":"p","class":18446744073709551615}}`: `f:2: there is no definition`,
		first + `{"define":"class","number":1,"is":{}}`:                                         `f:2: the number of this definition is 1`,
		first + `{"define":"class","number":0,"is":{"Color":1}}`:                                `f:2: json: unknown field "Color"`,
		first + `{"define":"","number":0,"is":{}}`:                                              `f:2: the record has no time`,
		first + `{"define":"pod","number":0,"is":{}}`:                                           `f:2: a definition of "pod"`,
		first + `{"define":"class","number":0,"is":null}`:                                       `f:2: it is null`,
		first + `{"time":1,"kind":"PodEnded","outcome":true,"pod":0}`:                           `f:2: writing a record: there is no pod 0 yet`,
		first + `{"time":1,"kind":"PodEnded","outcome":true,"pod":-1}`:                          `f:2: a pod or node has the number -1`,
		first + `{"time":1,"kind":"Usage"}`:                                                     `f:2: the line of a Usage`,
		first + `{"time":1,"kind":"Gap","gap":{"From":0,"Lost":-1,"Reason":""},"what":1}`:       `f:2: json: unknown field "what"`,
		first + `{"time":1,"kind":"Gap","gap":{"From":0,"Lost":-1,"Reason":""}} {}`:             `f:2: something follows the JSON value`,
		first + `{"end":{"records":1}}`:                                                         `f:2: there are 0 records, and there should be 1`,
		first + `{"end":{"records":0}}` + "\n{}":                                                `f:3: something follows the end`,
		first + "\n":                                                                            `f:2: EOF`,
	} {
		err := ReadJSONLines(new(bytes.Buffer), "f", strings.NewReader(text))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("for %q the error is %v; want %s", text, err, want)
		}
	}
	err := ReadJSONLines(new(bytes.Buffer), "f", &failing{file: strings.NewReader(first)})
	if !errors.Is(err, errDead) {
		t.Errorf("a disk that fails is reported as %v", err)
	}
}
