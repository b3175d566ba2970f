//go:build linux

package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// joinLabels writes labels as a kubelet's flag takes them.
func joinLabels(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return strings.Join(parts, ",")
}

// taints are taints of the form key=value:Effect, in the kubelet's configuration.
func taints(texts []string) []map[string]string {
	list := []map[string]string{} // nil would be no list in JSON
	for _, text := range texts {
		key, effect, _ := strings.Cut(text, ":")
		key, value, _ := strings.Cut(key, "=")
		list = append(list, map[string]string{"key": key, "value": value, "effect": effect})
	}
	return list
}

// checkTaint finds what is wrong with a taint's text.
func checkTaint(text string) error {
	key, effect, ok := strings.Cut(text, ":")
	if !ok || key == "" || !slices.Contains([]string{"NoSchedule", "PreferNoSchedule", "NoExecute"}, effect) {
		return fmt.Errorf("%q is no taint; write key=value:NoSchedule, :PreferNoSchedule or :NoExecute", text)
	}
	return nil
}
