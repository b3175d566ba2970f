package traces

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/berthsim/berth/cluster"
)

// openb reads Alibaba's cluster-trace-gpu-v2023, the input of Weng et al.,
// "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
// Gradient Descent", USENIX ATC'23:
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-gpu-v2023
//
// The columns qos and pod_phase are labels of pods that no Class has.
var openb = &Format{
	Name: "openb",
	Doc:  "Alibaba's cluster-trace-gpu-v2023, the trace of the FGD paper (USENIX ATC'23)",
	Path: "the folder of openb_node_list_*.csv[.gz] and openb_pod_list_*.csv[.gz]",
	Options: []Option{
		{"pods", "default", "the list of pods: openb_pod_list_PODS"},
		{"nodes", "gpu_node", "the list of nodes: openb_node_list_NODES"},
		{"mode", "fill", "fill: pods come in random order until they ask for LOAD of the GPUs, and never end; time: pods come and end as recorded"},
		{"load", "", "with mode=fill, what all pods ask for, as a share of the GPUs: 1.3 if left out; with mode=time, arrivals are moved closer until the mean demand is this share: as recorded if left out"},
	},
	Recognise: func(path string) bool {
		nodes, err := openbLists(path, openbNodeList)
		if err != nil || len(nodes) == 0 {
			return false
		}
		pods, err := openbLists(path, openbPodList)
		return err == nil && len(pods) > 0
	},
	Open: openOpenb,
}

// How names of files begin.
const (
	openbNodeList = "openb_node_list_"
	openbPodList  = "openb_pod_list_"
)

// openbVersion is part of every hash. It changes when the same files and options
// come to give other events.
const openbVersion = "openb/2"

// An openbRecording is what the files of a trace say.
type openbRecording struct {
	nodes []*cluster.NodeSpec // in the order of the file
	pods  []openbPod          // in the order of the file
	gpus  int64               // of all nodes, in shares
	asked int64               // by all pods, in shares
}

func openOpenb(dir string, s Settings) (*Trace, error) {
	mode, err := s.choice("mode", []string{"fill", "time"})
	if err != nil {
		return nil, err
	}
	nodeFile, err := openbFile(dir, openbNodeList, "nodes", s)
	if err != nil {
		return nil, err
	}
	podFile, err := openbFile(dir, openbPodList, "pods", s)
	if err != nil {
		return nil, err
	}
	nodeContent, err := readFile(nodeFile)
	if err != nil {
		return nil, err
	}
	podContent, err := readFile(podFile)
	if err != nil {
		return nil, err
	}
	rec := &openbRecording{}
	if rec.nodes, err = readOpenbNodes(nodeFile, nodeContent); err != nil {
		return nil, err
	}
	if rec.pods, err = readOpenbPods(podFile, podContent, mode == "time"); err != nil {
		return nil, err
	}
	t := &Trace{Nodes: len(rec.nodes), GPUs: gpusOf(rec.nodes), Pods: len(rec.pods), Mix: rec.mix()}
	t.Rows = len(rec.nodes) + len(rec.pods)
	if err := rec.sum(nodeFile, t.GPUs); err != nil {
		return nil, err
	}
	options := ""
	if mode == "fill" {
		options, err = t.fillOpenb(rec, s)
	} else {
		options, err = t.timeOpenb(rec, podFile, s)
	}
	if err != nil {
		return nil, err
	}
	t.Hash = hashOf([]byte(openbVersion), []byte(options), nodeContent, podContent)
	return t, nil
}

// mix counts the recorded pods of each class.
func (rec *openbRecording) mix() cluster.Mix {
	specs := make([]cluster.PodSpec, len(rec.pods))
	for i := range rec.pods {
		specs[i] = rec.pods[i].spec
	}
	return cluster.MixOf(specs)
}

// sum sets capacity and demand. Loads are shares of the GPUs, so there must be
// some.
func (rec *openbRecording) sum(nodeFile string, gpus int) error {
	if gpus == 0 {
		return &Error{File: nodeFile, Problem: "no node has a GPU", Remedy: "give a list of nodes with GPUs: nodes=gpu_node"}
	}
	rec.gpus = int64(gpus) * cluster.WholeGPU
	for i := range rec.pods {
		rec.asked += rec.pods[i].spec.Class.GPUs.Total()
	}
	return nil
}

// openbFile returns the file that holds the list which the option key names.
func openbFile(dir, prefix, key string, s Settings) (string, error) {
	files, err := openbLists(dir, prefix)
	if errors.Is(err, syscall.ENOTDIR) {
		return "", &Error{File: dir, Problem: "not a folder", Remedy: "give the folder that contains " + prefix + "*.csv.gz"}
	}
	if err != nil {
		return "", fmt.Errorf("reading the trace: %w", err)
	}
	if len(files) == 0 {
		return "", &Error{File: dir, Problem: "no " + prefix + "*.csv or .csv.gz in the folder", Remedy: "give the folder that contains the trace"}
	}
	name, err := s.choice(key, slices.Sorted(maps.Keys(files)))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, files[name]), nil
}

// openbLists maps the names of the lists in a folder to their files. If a list
// is there both plain and compressed, the plain file is taken.
func openbLists(dir, prefix string) (map[string]string, error) {
	entries, err := os.ReadDir(dir) // sorted: .csv before .csv.gz
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, entry := range entries {
		name, ok := strings.CutPrefix(entry.Name(), prefix)
		name, isCSV := strings.CutSuffix(strings.TrimSuffix(name, ".gz"), ".csv")
		if _, plain := files[name]; ok && isCSV && name != "" && !plain {
			files[name] = entry.Name()
		}
	}
	return files, nil
}
