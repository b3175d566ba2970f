package traces

import (
	_ "embed"
)

// sample is a recorded workload that comes with the program, so that a comparison needs no
// files: the GPUs of Alibaba's openb (its nodes as they are, its pods in random order and drawn
// again until they ask for twice the GPUs), of which each seed has other pods. It was made by
//
//	berth trace convert 'openb:alibaba-openb-gpu-v2023?load=2' --seed 42 --out traces/sample.berth
//
// of the copy that its authors publish under the Apache License 2.0.
var sample = &Format{
	Name: "sample",
	Doc:  "comes with the program: the cluster of Alibaba's openb (1,213 nodes), filled; other pods for each seed",
	Path: "nothing",
	Options: []Option{
		{"pods", "0.7", "the share of its 16,674 pods that comes, drawn by seed; they ask for 200 % of the GPUs"},
	},
	Open: func(path string, s Settings) (*Trace, error) {
		if path != "" {
			return nil, &Error{Problem: "the sample has no " + quoted(path), Remedy: "write sample: and nothing behind it but options"}
		}
		scale := ScaleOptions{By: "job"}
		var err error
		if scale.Pods, err = ParseFactor(s["pods"]); err != nil || scale.Pods > 1 {
			return nil, s.wrong("pods", "give a number above 0 and up to 1, such as 0.7")
		}
		return (&ownFile{path: "sample:", embedded: sampleContent, scale: scale}).trace("pods=" + formatNumber(scale.Pods))
	},
}

//go:embed sample.berth
var sampleContent []byte
