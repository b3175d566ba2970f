package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	v1 "k8s.io/api/core/v1"
)

// Kubernetes has no fields for GPUs one by one. How many shares a pod asks for and a node has is
// told as of a resource, cluster.GPUShares; the rest by annotations.
const (
	AnnotationModel  = ownPrefix + "gpu-model"  // of a node; of a pod, those that will do, with commas between
	AnnotationPlaces = ownPrefix + "gpu-places" // of a pod on a node: the GPUs that it has, from 0, with commas between

	ownPrefix = "berth.dev/"
)

// gpuRequest converts what a pod asks for: shares of one GPU, or whole ones. Models are as the
// annotation has them.
func gpuRequest(shares int64, models string) (g cluster.GPURequest, err error) {
	whole := shares / cluster.WholeGPU
	switch {
	case shares == 0:
		return g, nil
	case whole == 0:
		g.Count, g.Shares = 1, int32(shares)
	case shares%cluster.WholeGPU == 0 && whole <= cluster.MaxGPUs:
		g.Count, g.Shares = int32(whole), cluster.WholeGPU
	default:
		remedy := fmt.Sprintf("write up to %d for a part of one GPU, or a multiple of it, for %d GPUs at most", cluster.WholeGPU, cluster.MaxGPUs)
		return g, in(wrong("is "+strconv.FormatInt(shares, 10)+" shares in all, which no pod can have", remedy), "spec", cluster.GPUShares)
	}
	for model := range strings.SplitSeq(models, ",") {
		if model = strings.TrimSpace(model); model != "" {
			g.Models = append(g.Models, model)
		}
	}
	slices.Sort(g.Models)
	g.Models = slices.Compact(g.Models)
	return g, nil
}

// setGPUs converts what a node has: whole GPUs, of one model.
func setGPUs(spec *cluster.NodeSpec, n *v1.Node) error {
	q := n.Status.Allocatable[cluster.GPUShares]
	gpus := q.Value() / cluster.WholeGPU
	if gpus > cluster.MaxGPUs {
		return in(wrong("is "+strconv.FormatInt(gpus, 10)+" GPUs", fmt.Sprintf("write %d for each, and for %d at most", cluster.WholeGPU, cluster.MaxGPUs)), "status", "allocatable", cluster.GPUShares)
	}
	if gpus > 0 {
		spec.GPUs, spec.GPUModel = int(gpus), n.Annotations[AnnotationModel]
	}
	return nil
}

// places returns the GPUs that a pod's annotation says it has on its node, none if that doesn't
// say it properly: anybody may annotate.
func places(p *v1.Pod) (a cluster.Allocation) {
	text := p.Annotations[AnnotationPlaces]
	if text == "" || p.Spec.NodeName == "" {
		return a
	}
	for field := range strings.SplitSeq(text, ",") {
		i, err := strconv.ParseUint(field, 10, 16)
		if err != nil || i >= cluster.MaxGPUs {
			return cluster.Allocation{}
		}
		a.GPUs = a.GPUs.With(int(i))
	}
	return a
}

// PlacesAnnotation returns the annotations that tell which GPUs of its node a pod has, nil if
// it has none.
func PlacesAnnotation(a cluster.Allocation) map[string]string {
	var places []string
	for i := range cluster.MaxGPUs {
		if a.GPUs.Has(i) {
			places = append(places, strconv.Itoa(i))
		}
	}
	if places == nil {
		return nil
	}
	return map[string]string{AnnotationPlaces: strings.Join(places, ",")}
}

// podAnnotations tells of a pod's GPUs what resources don't.
func podAnnotations(c *cluster.Class, a cluster.Allocation) map[string]string {
	out := PlacesAnnotation(a)
	if len(c.GPUs.Models) > 0 {
		if out == nil {
			out = map[string]string{}
		}
		out[AnnotationModel] = strings.Join(c.GPUs.Models, ",")
	}
	return out
}
