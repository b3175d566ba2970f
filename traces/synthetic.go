package traces

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
)

// synthetic generates a workload from published figures, so that the program has
// input without any file. What the figures are, and what is lost with them, is
// said where they stand, in synthetic_tables.go.
var synthetic = &Format{
	Name: "synthetic",
	Doc:  "generated from published figures; needs no files",
	Path: "gpu, a GPU-sharing cluster like openb's",
	Options: []Option{
		{"nodes", "200", "how many nodes"},
		{"mode", "fill", "fill: pods come until they ask for LOAD of the GPUs, and never end; time: they come at random times, and end"},
		{"load", "", "what all pods ask for (mode=fill), or the mean demand (mode=time), as a share of the GPUs: 1.3 or 0.9 if left out"},
		{"pods", "", "with mode=time, how many pods: 5000 if left out"},
	},
	Open: openSynthetic,
}

// syntheticVersion is part of every hash. It changes when the same options come
// to give other events.
const syntheticVersion = "synthetic:gpu/1"

// maxSyntheticNodes is as many as their GPUs can be counted exactly for.
const maxSyntheticNodes = 1_000_000

// A generator makes the workload of a synthetic trace. Every pod and the order
// of nodes are drawn by name, so that more pods or another load leave those
// before as they were.
type generator struct {
	nodes []*cluster.NodeSpec
	mix   *drawable
	gpus  int64   // capacity, in shares
	load  float64 // a share of it
	count int     // pods that come; 0 for as many as the load takes
}

func openSynthetic(path string, s Settings) (*Trace, error) {
	if path != "gpu" {
		return nil, &Error{Problem: "synthetic has no " + quoted(path), Remedy: "write synthetic:gpu"}
	}
	mode, err := s.choice("mode", []string{"fill", "time"})
	if err != nil {
		return nil, err
	}
	n, err := s.integer("nodes", 1, maxSyntheticNodes)
	if err != nil {
		return nil, err
	}
	t, g, err := generate(syntheticNodes(n), mode, s)
	if err != nil {
		return nil, err
	}
	options := fmt.Sprintf("nodes=%d&mode=%s&load=%s&pods=%d", n, mode, formatNumber(g.load), g.count)
	t.Hash = hashOf([]byte(syntheticVersion), []byte(options))
	return t, nil
}

// generate makes a trace of pods that are drawn for nodes, of which some have GPUs.
func generate(nodes []*cluster.NodeSpec, mode string, s Settings) (*Trace, *generator, error) {
	mix := syntheticMix()
	g := &generator{nodes: nodes, mix: drawableOf(mix)}
	t := &Trace{Nodes: len(nodes), GPUs: gpusOf(nodes), Mix: mix, Seeded: true}
	g.gpus = int64(t.GPUs) * cluster.WholeGPU
	workload := t.fillSynthetic
	if mode == "time" {
		workload = t.timeSynthetic
	}
	if err := workload(g, s); err != nil {
		return nil, nil, err
	}
	t.OfferedLoad = g.load
	return t, g, nil
}
