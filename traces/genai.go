package traces

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// genAI reads Alibaba's cluster-trace-v2026-GenAI (GenTD26), containers that serve
// diffusion models: Yan et al., SoCC '25,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-v2026-GenAI.
//
// It has samples of what containers used, and nothing of what they asked for. Requests,
// queues and latencies are not read: they say nothing of when pods came.
var genAI = &Format{
	Name: "genai",
	Doc:  "Alibaba's cluster-trace-v2026-GenAI: containers that serve diffusion models, seen for 23 hours (SoCC'25)",
	Path: "the folder with pod_memory_util_anon, pod_gpu_duty_cycle_anon and pod_gpu_memory_used_bytes_anon, each .tar.gz or .csv",
	Options: []Option{
		{"nodes", "20", "how many nodes: the recording has none"},
		{"gpus", "8", "GPUs of each"},
		{"cpus", "96", "CPUs of each"},
		{"memory", "768", "GiB of memory of each"},
		{"podgpus", "1", "GPUs that a container asks for which has any: the recording doesn't say"},
		{"podmemory", "", "GiB that each container asks for, of which the recorded use is a share; they ask for none if left out, and use isn't known"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		if !isFolder(path) {
			return false
		}
		_, err := recordedFile(path, genAIFiles[0].names()...)
		return err == nil
	},
	Open: openGenAI,
}

// genAIVersion is part of every hash. It changes when the same files and options come to
// give other events.
const genAIVersion = "genai/1"

// A genAIFile is one of the files that are read.
type genAIFile struct {
	name        string
	least, most float64 // of value
	gpu         bool    // whether it is of containers with a GPU
}

// genAIFiles are read in this order. Use of memory is a share; some is 0 but for the
// rounding of a difference.
var genAIFiles = []genAIFile{
	{"pod_memory_util_anon", -0.001, 1, false},
	{"pod_gpu_duty_cycle_anon", 0, 100, true},
	{"pod_gpu_memory_used_bytes_anon", 0, 1e15, true},
}

// names returns what a file may be called, .gz aside.
func (f genAIFile) names() []string { return []string{f.name + ".tar", f.name + ".csv"} }

func openGenAI(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := s.alike("nodes", "cpus", "memory")
	if err != nil {
		return nil, err
	}
	gpus, err := s.integer("gpus", 1, cluster.MaxGPUs)
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		n.GPUs = gpus
	}
	r := newGenAI()
	each, err := s.integer("podgpus", 1, gpus)
	if err != nil {
		return nil, err
	}
	r.gpus = int32(each)
	if s["podmemory"] != "" {
		gib, err := s.integer("podmemory", 1, 1_000_000)
		if err != nil {
			return nil, err
		}
		r.memory = int64(gib) << 30
	}
	sums := make([][]byte, len(genAIFiles))
	for i, f := range genAIFiles {
		if sums[i], err = r.open(path, f); err != nil {
			return nil, err
		}
	}
	r.finish()
	play := r.replay(nodes)
	if r.memory > 0 {
		play.uses = func() ([]use, error) { return r.uses, nil }
	}
	return r.trace(play, recorded{
		file: path, span: part, settings: s, version: genAIVersion,
		options: fmt.Sprintf("nodes=%s&gpus=%s&cpus=%s&memory=%s&podgpus=%s&podmemory=%s", s["nodes"], s["gpus"], s["cpus"], s["memory"], s["podgpus"], s["podmemory"]),
		content: []byte(hashOf(sums...)),
	})
}

// open reads one of the files in a folder, and returns the hash of its table, however
// that is stored.
func (r *genAIReader) open(folder string, f genAIFile) (sum []byte, err error) {
	file, err := recordedFile(folder, f.names()...)
	if err != nil {
		return nil, err
	}
	in, err := openStream(file)
	if err != nil {
		return nil, err
	}
	defer in.close()
	if strings.HasSuffix(strings.TrimSuffix(file, ".gz"), ".tar") {
		if file, in, err = inTar(file, in); err != nil {
			return nil, err
		}
	}
	if err := r.read(file, in, f); err != nil {
		return nil, err
	}
	return in.sum(), nil
}
