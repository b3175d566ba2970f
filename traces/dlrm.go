package traces

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// dlrm reads Alibaba's cluster-trace-gpu-v2025, services for recommendation models
// whose instances on CPUs and on GPUs are apart: Yang et al., "GPU-Disaggregated Serving
// for Deep Learning Recommendation Models at Scale", NSDI 2025,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-gpu-v2025.
//
// Limits, disks and max_instance_per_node are not read: Kubernetes has no such bound.
var dlrm = &Format{
	Name: "dlrm",
	Doc:  "Alibaba's cluster-trace-gpu-v2025: 156 services with CPU and GPU instances and RDMA, 31 days (NSDI'25)",
	Path: "the file disaggregated_DLRM_trace.csv[.gz], or its folder",
	Options: []Option{
		{"gpunodes", "1000", "how many nodes for instances with a GPU: the recording has none"},
		{"gpus", "8", "GPUs of such a node, which has 128 CPUs, 1024 GiB and 2 RNICs"},
		{"cpunodes", "5000", "how many nodes for instances without, with 192 CPUs, 1024 GiB and an RNIC each"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		return strings.HasPrefix(firstLine(path, dlrmFile), "instance_sn,role,app_name,cpu_request")
	},
	Open: openDLRM,
}

// dlrmFile is the file's name.
const dlrmFile = "disaggregated_DLRM_trace.csv"

// dlrmVersion is part of every hash. It changes when the same file and options come to
// give other events.
const dlrmVersion = "dlrm/1"

// rdma is an extended resource: hundredths of a network card for RDMA.
const rdma = "alibabacloud.com/rdma"

// roleLabel is a node's label with the role of the instances that it is for.
const roleLabel = "role"

// Columns that are read.
var (
	dlrmColumns = []string{"instance_sn", "role", "app_name", "cpu_request", "gpu_request", "rdma_request", "memory_request"}
	dlrmTimes   = []string{"creation_time", "scheduled_time", "deletion_time"}
)

func openDLRM(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := dlrmNodes(s)
	if err != nil {
		return nil, err
	}
	file, err := recordedFile(path, dlrmFile)
	if err != nil {
		return nil, err
	}
	in, err := openStream(file)
	if err != nil {
		return nil, err
	}
	defer in.close()
	r := &dlrmReader{}
	if err := r.read(file, in); err != nil {
		return nil, err
	}
	events := r.replay(nodes)
	events.waits = true
	return r.trace(events, recorded{
		file: file, span: part, settings: s, version: dlrmVersion,
		options: fmt.Sprintf("gpunodes=%s&gpus=%s&cpunodes=%s", s["gpunodes"], s["gpus"], s["cpunodes"]), content: in.sum(),
	})
}

// dlrmNodes makes the nodes, of two kinds.
func dlrmNodes(s Settings) ([]*cluster.NodeSpec, error) {
	gpus, err := s.integer("gpus", 1, cluster.MaxGPUs)
	if err != nil {
		return nil, err
	}
	var nodes []*cluster.NodeSpec
	for _, kind := range []struct {
		key, role string
		m         machine
		rnics     int64
	}{
		{"gpunodes", "HN", machine{cpu: 128_000, memory: 1024 << 30, gpus: gpus}, 2},
		{"cpunodes", "CN", machine{cpu: 192_000, memory: 1024 << 30}, 1},
	} {
		n, err := s.integer(kind.key, 1, maxNodes)
		if err != nil {
			return nil, err
		}
		for i := range n {
			m := kind.m
			m.name = strings.ToLower(kind.role) + "-" + strconv.Itoa(i+1)
			m.labels = map[string]string{roleLabel: kind.role}
			node := m.node()
			node.Extended = []cluster.NamedAmount{{Name: rdma, Amount: kind.rnics * 100}}
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// A dlrmReader takes instances in.
type dlrmReader struct {
	tally
	names   nameSet
	batches list[batch]
	classes recordedClasses
	last    cluster.Time // the latest time that was read

	name, role, app, cpu, gpu, rdma, memory column
	times                                   [3]column
}

// replay returns what was read, on nodes.
func (r *dlrmReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: &r.names}
}

// read takes the rows of a file in. Instances that aren't deleted run to the latest
// time in it.
func (r *dlrmReader) read(file string, in *stream) error {
	t, err := streamTable(file, in, slices.Concat(dlrmColumns, dlrmTimes))
	if err != nil {
		return err
	}
	r.name, r.role, r.app, r.cpu = t.at("instance_sn"), t.at("role"), t.at("app_name"), t.at("cpu_request")
	r.gpu, r.rdma, r.memory = t.at("gpu_request"), t.at("rdma_request"), t.at("memory_request")
	for i, column := range dlrmTimes {
		r.times[i] = t.at(column)
	}
	var open []int // batches whose run is the time at which it began
	err = r.tally.read(t, func() (reason string, err error) {
		var times [3]cluster.Time // 0 for what was before
		var given [3]bool
		for i, column := range r.times {
			if given[i] = t.text(column) != ""; !given[i] {
				continue
			}
			if times[i], err = t.seconds(column); err != nil {
				return "", err
			}
			r.last = max(r.last, times[i])
		}
		deleted := given[2]
		switch {
		case given[0] && !given[1]:
			return "never scheduled", nil
		case times[1] < times[0] || deleted && times[2] < times[1]:
			return "it ends before it starts", nil
		}
		b, err := r.instance(t)
		if err != nil {
			return "", err
		}
		b.at, b.run, b.waited = times[0], times[2]-times[1], -1
		if given[0] {
			b.waited = times[1] - times[0]
		}
		if !deleted {
			b.run = times[1]
			open = append(open, r.batches.count)
		}
		r.batches.add(b)
		return "", nil
	})
	for _, i := range open {
		b := r.batches.at(i)
		b.run = r.last - b.run
	}
	for _, class := range r.classes.all { // an app has a ReplicaSet for each role
		class.Owner.Name += "-" + class.NodeLabels[0].Value
	}
	return err
}

// instance reads who an instance is and what it asks for.
func (r *dlrmReader) instance(t *table) (b batch, err error) {
	role := t.text(r.role)
	if role != "HN" && role != "CN" {
		return b, t.wrongField(r.role, "give HN, with a GPU, or CN, without")
	}
	app := t.text(r.app)
	if !isName(app) || app == "" {
		return b, t.wrongField(r.app, "give a name without spaces and slashes")
	}
	cpu, err := t.number(r.cpu, maxNodeCPUs)
	if err != nil {
		return b, err
	}
	memory, err := t.number(r.memory, 1_000_000)
	if err != nil {
		return b, err
	}
	gpus, err := t.amount(r.gpu, cluster.MaxGPUs)
	if err != nil {
		return b, err
	}
	cards, err := t.amount(r.rdma, 1_000_000)
	if err != nil {
		return b, err
	}
	name := t.text(r.name)
	if err := checkName(t, r.name, name); err != nil {
		return b, err
	}
	if line, twice := r.names.add([]byte(name), t.line()); twice {
		return b, wrongTwice(t, r.name, line)
	}
	b.name = r.names.last()
	b.class = r.classes.number(&recordedRequest{
		namespace: "default", owner: cluster.OwnerRef{Kind: "ReplicaSet", Name: app}, // with the role behind it, in the end
		cpu: int64(math.Round(float64(cpu * 1000))), memory: int64(math.Round(float64(memory*1024))) * mib, gpus: int32(gpus),
		on:       cluster.Label{Key: roleLabel, Value: role},
		extended: cluster.NamedAmount{Name: rdma, Amount: cards},
	})
	return b, nil
}
