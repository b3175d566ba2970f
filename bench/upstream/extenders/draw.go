package extenders

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/scenario"
)

type fields = map[string]any

// Scenario generates a scenario whose configuration has extenders at a server.
func Scenario(seed, index uint64, s *Server) (*scenario.Scenario, error) {
	r := rand.New(rand.NewPCG(seed, index^0xe87e4de5))
	options := generate.Options{Nodes: 4 + r.IntN(20)}
	if index%8 == 0 {
		options.Nodes = 110 + r.IntN(40) // so many that upstream looks at some only
	}
	sc := generate.Scenario(seed, index, options)
	config := fields{"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
	if len(sc.Config) > 0 {
		if err := yaml.Unmarshal(sc.Config, &config); err != nil {
			return nil, err
		}
	}
	managed := []string{"example.com/gpu", "example.com/fpga", "other.io/nic"}
	r.Shuffle(len(managed), func(i, j int) { managed[i], managed[j] = managed[j], managed[i] })
	var list []any
	for i := range 1 + r.IntN(3) {
		x := drawExtender(r, s, fmt.Sprintf("x%d-%d", index, i))
		if r.IntN(3) == 0 {
			x["managedResources"] = []any{fields{"name": managed[i], "ignoredByScheduler": r.IntN(2) == 0}}
		}
		list = append(list, x)
	}
	for _, step := range sc.Steps {
		if p, ok := step.Object.(*v1.Pod); ok {
			dropZeros(p)
		}
	}
	config["extenders"] = list
	var err error
	sc.Config, err = yaml.Marshal(config)
	return sc, err
}

func drawExtender(r *rand.Rand, s *Server, name string) fields {
	x := fields{"urlPrefix": s.URL + "/" + name + "/good", "ignorable": r.IntN(3) == 0, "nodeCacheCapable": r.IntN(2) == 0}
	switch r.IntN(16) {
	case 0:
		x["urlPrefix"], x["httpTimeout"], x["ignorable"] = s.URL+"/"+name+"/slow", "10ms", r.IntN(3) > 0
	case 1:
		x["urlPrefix"], x["ignorable"] = s.Dead+"/"+name, r.IntN(3) > 0
	}
	if r.IntN(4) > 0 {
		x["filterVerb"] = "filter"
	}
	if r.IntN(3) > 0 {
		x["prioritizeVerb"], x["weight"] = "prioritize", []int{1, 1, 2, 100}[r.IntN(4)]
	}
	if r.IntN(2) > 0 {
		x["preemptVerb"] = "preempt"
	}
	return x
}

// dropZeros leaves out that a container asks for 0 of an extended resource. That it says so concerns
// upstream's extenders that manage the resource; Berth doesn't know it any more, as docs/extenders.md
// tells.
func dropZeros(p *v1.Pod) {
	for _, containers := range [][]v1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range containers {
			for _, list := range []v1.ResourceList{containers[i].Resources.Requests, containers[i].Resources.Limits} {
				maps.DeleteFunc(list, func(name v1.ResourceName, q resource.Quantity) bool {
					return strings.Contains(string(name), "/") && q.IsZero()
				})
			}
		}
	}
}
