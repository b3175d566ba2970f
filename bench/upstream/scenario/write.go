package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Write writes the scenario so that Read gives it back.
func (s *Scenario) Write(w io.Writer) error {
	var b bytes.Buffer
	for _, line := range s.Comment {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	var docs [][]byte
	if len(s.Config) > 0 {
		docs = append(docs, s.Config)
	}
	verb := Add
	for i := 0; i < len(s.Steps); i++ {
		step := s.Steps[i]
		if hasObject[step.Verb] {
			doc, err := encode(step.Object)
			if err != nil {
				return fmt.Errorf("writing a scenario: step %d: %w", i+1, err)
			}
			if step.Verb != verb {
				verb = step.Verb
				docs = append(docs, encodeMarker(marker{Step: verb}))
			}
			docs = append(docs, doc)
			continue
		}
		m := marker{Step: step.Verb, Limit: step.Limit}
		if hasRef[step.Verb] {
			m.Objects = append(m.Objects, step.Ref)
			for ; i+1 < len(s.Steps) && s.Steps[i+1].Verb == step.Verb; i++ {
				m.Objects = append(m.Objects, s.Steps[i+1].Ref)
			}
		}
		docs = append(docs, encodeMarker(m))
	}
	for i, doc := range docs {
		if i > 0 {
			b.WriteString("---\n")
		}
		b.Write(doc)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing a scenario: %w", err)
	}
	return nil
}

// encode writes an object with its kind, leaving out the parts that are always written although they
// say nothing.
func encode(obj runtime.Object) ([]byte, error) {
	kinds, _, err := codec.scheme.ObjectKinds(obj)
	if err != nil {
		return nil, err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	fields["apiVersion"], fields["kind"] = kinds[0].ToAPIVersionAndKind()
	if status, ok := fields["status"].(map[string]any); ok {
		for _, name := range []string{"daemonEndpoints", "nodeInfo", "loadBalancer"} {
			if blank(status[name]) {
				delete(status, name)
			}
		}
	}
	for _, name := range []string{"spec", "status"} {
		if m, ok := fields[name].(map[string]any); ok && len(m) == 0 {
			delete(fields, name)
		}
	}
	return yaml.Marshal(fields)
}

// blank tells whether a value is zero or consists of such values.
func blank(value any) bool {
	fields, ok := value.(map[string]any)
	if !ok {
		return value == nil || value == "" || value == int64(0)
	}
	for _, v := range fields {
		if !blank(v) {
			return false
		}
	}
	return true
}

// encodeMarker writes a marker with its verb first.
func encodeMarker(m marker) []byte {
	text := fmt.Appendf(nil, "step: %s\n", m.Step)
	if m.Limit > 0 {
		text = fmt.Appendf(text, "limit: %d\n", m.Limit)
	}
	if len(m.Objects) > 0 {
		text = append(text, "objects:\n"...)
	}
	for _, ref := range m.Objects {
		line, err := json.Marshal(ref) // which is YAML, too
		if err != nil {
			panic(err) // strings only
		}
		text = fmt.Appendf(text, "- %s\n", line)
	}
	return text
}
