//go:build linux

package lab

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kwokAnnotation marks the nodes that KWOK's controller plays.
const kwokAnnotation = "kwok.x-k8s.io/node"

// kwokCapacity is what each of KWOK's nodes says it has.
var kwokCapacity = core.ResourceList{
	core.ResourceCPU:    resource.MustParse("32"),
	core.ResourceMemory: resource.MustParse("256Gi"),
	core.ResourcePods:   resource.MustParse("110"),
}

// makeKWOKNodes creates the nodes that KWOK plays, and returns their names.
func (l *Lab) makeKWOKNodes(ctx context.Context) ([]string, error) {
	client, err := l.Client()
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range l.Config.KWOK {
		name := fmt.Sprintf("kwok%d", i+1)
		node := &core.Node{
			ObjectMeta: meta.ObjectMeta{
				Name:        name,
				Annotations: map[string]string{kwokAnnotation: "fake"},
				Labels: map[string]string{
					"type": "kwok", core.LabelHostname: name, core.LabelOSStable: "linux", core.LabelArchStable: "amd64",
				},
			},
			Status: core.NodeStatus{Capacity: kwokCapacity, Allocatable: kwokCapacity},
		}
		if _, err := client.CoreV1().Nodes().Create(ctx, node, meta.CreateOptions{}); err != nil {
			return nil, fmt.Errorf("making KWOK's node %s: %w", name, err)
		}
		names = append(names, name)
	}
	return names, nil
}
