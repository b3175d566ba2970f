package perf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// What scheduler_perf creates without a template.
const (
	plainNode = `
apiVersion: v1
kind: Node
metadata: {generateName: node-}
status:
  capacity: {pods: "110", cpu: "4", memory: 32Gi}
  conditions: [{type: Ready, status: "True"}]
`
	plainPod = `
apiVersion: v1
kind: Pod
metadata: {generateName: pod-}
spec:
  containers:
  - name: pause
    image: registry.k8s.io/pause:3.10.2
    ports: [{containerPort: 80}]
    resources:
      limits: {cpu: 100m, memory: 500Mi}
      requests: {cpu: 100m, memory: 500Mi}
`
)

// A mould makes objects from a template.
type mould struct {
	name string
	text *template.Template
	cast runtime.Object // what every object is a copy of, if the template has no gaps
}

// newMould reads a template; without a path, it is the one for plain objects.
func newMould(dir, path, plain string) (*mould, error) {
	m := &mould{name: path}
	text := []byte(plain)
	if path != "" {
		var err error
		if text, err = os.ReadFile(filepath.Join(dir, path)); err != nil {
			return nil, err
		}
	}
	var err error
	if m.text, err = template.New(filepath.Base(path)).Parse(string(text)); err != nil {
		return nil, err
	}
	if !bytes.Contains(text, []byte("{{")) {
		m.cast, err = m.object(0, 1)
	}
	return m, err
}

// make makes the object of an index in so many.
func (m *mould) make(index, count int) (runtime.Object, error) {
	if m.cast != nil {
		return m.cast.DeepCopyObject(), nil
	}
	return m.object(index, count)
}

func (m *mould) object(index, count int) (runtime.Object, error) {
	var text bytes.Buffer
	if err := m.text.Execute(&text, map[string]int{"Index": index, "Count": count}); err != nil {
		return nil, err
	}
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(text.Bytes(), &kind); err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	var obj runtime.Object
	switch kind.APIVersion + "/" + kind.Kind {
	case "v1/Node":
		obj = &v1.Node{}
	case "v1/Pod":
		obj = &v1.Pod{}
	case "v1/Namespace":
		obj = &v1.Namespace{}
	case "v1/Service":
		obj = &v1.Service{}
	default:
		return nil, fmt.Errorf("%s: objects of kind %s aren't supported", m.name, kind.Kind)
	}
	if err := yaml.UnmarshalStrict(text.Bytes(), obj); err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return obj, nil
}
