//go:build linux

package lab

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// An InputError says what is wrong with what a lab was asked for, and how to ask.
type InputError struct{ Err error }

// Error is one line.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap is for package errors.
func (e *InputError) Unwrap() error { return e.Err }

// input makes an error one of input; nil stays nil.
func input(err error) error {
	if err == nil {
		return nil
	}
	return &InputError{err}
}

// ParseBytes reads a number of bytes as Kubernetes writes it: 512Mi, 2Gi, 100M.
func ParseBytes(text string) (int64, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		return 0, fmt.Errorf("%q is no number of bytes; write 512Mi or 2Gi", text)
	}
	return q.Value(), nil
}

// ReadKubeletConfig reads fields of KubeletConfiguration from a YAML or JSON file. What they mean
// is for the kubelet to say.
func ReadKubeletConfig(file string) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the kubelet's configuration: %w", err)
	}
	var fields map[string]any
	if err := yaml.UnmarshalStrict(text, &fields); err != nil {
		return nil, fmt.Errorf("%s: %w; write fields of KubeletConfiguration", file, err)
	}
	return fields, nil
}

// Runtimes are the names of the lab's runtimes and of others, in order.
func Runtimes(extra map[string]Runtime) []string {
	names := append(slices.Collect(maps.Keys(extra)), ContainerRuntime)
	slices.Sort(names)
	return slices.Compact(names)
}
