package scenario

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// codec reads and writes API objects without defaulting, since scenarios hold what an API server has
// already defaulted. It is strict: a misspelt field would silently weaken a scenario.
var codec = struct {
	scheme  *runtime.Scheme
	decoder runtime.Decoder
}{
	scheme:  scheme.Scheme,
	decoder: serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer(),
}

const configKind = "KubeSchedulerConfiguration"

// marker is a document that isn't an object.
type marker struct {
	Step    Verb  `json:"step"`
	Objects []Ref `json:"objects,omitempty"`
	Limit   int   `json:"limit,omitempty"`
}

// Read reads a scenario file. Errors name the document, counted from 1.
func Read(r io.Reader) (*Scenario, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading a scenario: %w", err)
	}
	s := &Scenario{Comment: comment(text)}
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	verb := Add
	for n := 1; ; n++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil {
			err = s.read(doc, &verb)
		}
		if err != nil {
			return nil, fmt.Errorf("reading a scenario: document %d: %w", n, err)
		}
	}
}

// comment takes the lines starting with "#" at the head of the file.
func comment(text []byte) []string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "#")
		if !ok {
			break
		}
		lines = append(lines, strings.TrimPrefix(rest, " "))
	}
	return lines
}

// read takes one document; verb is the verb in force, which it may change.
func (s *Scenario) read(doc []byte, verb *Verb) error {
	var head struct {
		Kind string `json:"kind"`
		Step Verb   `json:"step"`
	}
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return err
	}
	switch {
	case head.Step != "":
		return s.readMarker(doc, verb)
	case head.Kind == configKind:
		if s.Config != nil {
			return fmt.Errorf("a second %s", configKind)
		}
		s.Config = append(bytes.TrimSpace(stripComments(doc)), '\n')
		return nil
	case head.Kind == "" && len(bytes.TrimSpace(stripComments(doc))) == 0:
		return nil
	}
	obj, _, err := codec.decoder.Decode(doc, nil, nil)
	if err != nil {
		return err
	}
	return s.readObject(obj, *verb)
}

func (s *Scenario) readMarker(doc []byte, verb *Verb) error {
	var m marker
	if err := yaml.UnmarshalStrict(doc, &m); err != nil {
		return err
	}
	if m.Limit != 0 && m.Step != Retry || m.Limit < 0 {
		return fmt.Errorf("step %q with limit %d", m.Step, m.Limit)
	}
	switch {
	case hasObject[m.Step] && len(m.Objects) == 0:
		*verb = m.Step
	case hasRef[m.Step] && len(m.Objects) > 0:
		for _, ref := range m.Objects {
			s.Steps = append(s.Steps, Step{Verb: m.Step, Ref: ref})
		}
	case alone[m.Step] && len(m.Objects) == 0:
		s.Steps = append(s.Steps, Step{Verb: m.Step, Limit: m.Limit})
	default:
		return fmt.Errorf("step %q with %d objects", m.Step, len(m.Objects))
	}
	return nil
}

// readObject adds a step for an object, or for each object of a list.
func (s *Scenario) readObject(obj runtime.Object, verb Verb) error {
	if !meta.IsListType(obj) {
		s.Steps = append(s.Steps, Step{Verb: verb, Object: obj})
		return nil
	}
	items, err := meta.ExtractList(obj)
	if err != nil {
		return err
	}
	for _, item := range items {
		// A v1 List holds the objects undecoded.
		if raw, ok := item.(*runtime.Unknown); ok {
			if item, _, err = codec.decoder.Decode(raw.Raw, nil, nil); err != nil {
				return err
			}
		}
		s.Steps = append(s.Steps, Step{Verb: verb, Object: item})
	}
	return nil
}

func stripComments(doc []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(doc) {
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			kept = append(kept, line...)
		}
	}
	return kept
}
