//go:build linux

package app

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster/lab"
)

// describeNodes gives the nodes the labels and taints that flags name.
func (f *labUpFlags) describeNodes() error {
	for _, text := range f.labels {
		node, label := forNode(text)
		key, value, ok := strings.Cut(label, "=")
		if !ok {
			return fmt.Errorf("--label: %q is no label; write key=value, or NODE:key=value", text)
		}
		if err := f.describe("--label", node, func(n *lab.NodeSpec) { n.Labels[key] = value }); err != nil {
			return err
		}
	}
	for _, text := range f.taints {
		node, taint := forNode(text)
		if err := f.describe("--taint", node, func(n *lab.NodeSpec) { n.Taints = append(n.Taints, taint) }); err != nil {
			return err
		}
	}
	return nil
}

// describe has all nodes be described so, or the one of that name.
func (f *labUpFlags) describe(flag, name string, how func(*lab.NodeSpec)) error {
	found := false
	for i := range f.config.Nodes {
		if n := &f.config.Nodes[i]; name == "" || n.Name == name {
			how(n)
			found = true
		}
	}
	if !found && name != "" {
		var names []string
		for _, n := range f.config.Nodes {
			names = append(names, n.Name)
		}
		return fmt.Errorf("%s: there is no node %q; choose one of %v", flag, name, names)
	}
	return nil
}

// forNode splits a node's name off a label or a taint; "" if it is of all nodes. Keys have no
// colon, and a taint without a value has one, before its effect.
func forNode(text string) (node, rest string) {
	node, rest, found := strings.Cut(text, ":")
	if !found || strings.Contains(node, "=") || !strings.ContainsAny(rest, "=:") {
		return "", text
	}
	return node, rest
}
