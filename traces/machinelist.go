package traces

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Of some clusters only the machines were published, or only they can be had. Pods are
// drawn for them, as for a synthetic cluster.

// pai reads the machines of Alibaba's cluster-trace-gpu-v2020: Weng et al., "MLaaS in
// the Wild", NSDI 2022,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-gpu-v2020.
var pai = machineList{
	name: "pai", file: "pai_machine_spec.csv",
	doc:     "machines of Alibaba's cluster-trace-gpu-v2020 (PAI); pods are drawn as in synthetic",
	columns: []string{"machine", "gpu_type", "cap_cpu", "cap_mem", "cap_gpu"},
	row: func(t *table, names names, _ machine) (m machine, n int64, err error) {
		if m.name, err = names.add(t, "machine"); err != nil {
			return m, 0, err
		}
		if m.cpu, err = t.amount(t.at("cap_cpu"), maxNodeCPUs); err != nil {
			return m, 0, err
		}
		if m.memory, err = t.amount(t.at("cap_mem"), 1_000_000); err != nil {
			return m, 0, err
		}
		gpus, err := t.amount(t.at("cap_gpu"), cluster.MaxGPUs)
		m.cpu, m.memory, m.gpus = m.cpu*1000, m.memory<<30, int(gpus)
		if gpus > 0 {
			m.model = strings.Clone(t.text(t.at("gpu_type")))
		}
		return m, 1, err
	},
}.format()

// spot reads the nodes of Alibaba's cluster-trace-v2026-spot-gpu,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-v2026-spot-gpu.
var spot = machineList{
	name: "spot", file: "node_info_df.csv",
	doc:     "nodes of Alibaba's cluster-trace-v2026-spot-gpu; pods are drawn as in synthetic",
	columns: []string{"gpu_model", "gpu_capacity_num", "cpu_num", "node_name"},
	title:   true,
	options: []Option{{"memory", "1024", "GiB of memory of a node: the file has none"}},
	row: func(t *table, names names, like machine) (m machine, n int64, err error) {
		if m.name, err = names.add(t, "node_name"); err != nil {
			return m, 0, err
		}
		if m.cpu, err = t.amount(t.at("cpu_num"), maxNodeCPUs); err != nil {
			return m, 0, err
		}
		gpus, err := t.amount(t.at("gpu_capacity_num"), cluster.MaxGPUs)
		m.name, m.cpu, m.memory, m.gpus = "node-"+m.name, m.cpu*1000, like.memory, int(gpus)
		m.model = strings.Clone(t.text(t.at("gpu_model")))
		return m, 1, err
	},
}.format()

// heliosNodes reads how many nodes each virtual cluster of SenseTime's Venus had. A node has 8
// GPUs and the label vc.
var heliosNodes = machineList{
	name: "helios", file: "Venus_vc_config.csv",
	doc:     "nodes by virtual cluster of SenseTime's Venus (SC'21); pods are drawn as in synthetic",
	columns: []string{"", "num"},
	title:   true, several: true,
	options: []Option{
		{"cpus", "48", "CPUs of a node: the file has none"},
		{"memory", "376", "GiB of memory of a node: the file has none"},
	},
	row: func(t *table, names names, like machine) (m machine, n int64, err error) {
		m = like
		if m.name, err = names.add(t, ""); err != nil {
			return m, 0, err
		}
		m.gpus, m.labels = heliosNodeGPUs, map[string]string{"vc": m.name}
		n, err = t.amount(t.at("num"), 10_000)
		return m, n, err
	},
}

// A machineList is what is known of a file that lists machines.
type machineList struct {
	name, doc, file string
	columns         []string
	title           bool // whether a header has the columns
	several         bool // whether a row is of several machines
	options         []Option

	// row makes a machine of the current row, of which there are n, from what options
	// say that all are like.
	row func(t *table, names names, like machine) (m machine, n int64, err error)
}

// machineListVersion is part of every hash. It changes when the same file and options
// come to give other events.
const machineListVersion = "machines/1"

// format makes a Format of l. A file is recognised by its name.
func (l machineList) format() *Format {
	options := append([]Option(nil), l.options...)
	for _, o := range synthetic.Options {
		if o.Name != "nodes" {
			options = append(options, o)
		}
	}
	return &Format{
		Name: l.name, Doc: l.doc, Path: "the file " + l.file + "[.gz], or its folder", Options: options,
		Recognise: func(path string) bool {
			file, err := recordedFile(path, l.file)
			return err == nil && strings.HasSuffix(strings.TrimSuffix(file, ".gz"), l.file)
		},
		Open: l.open,
	}
}

func (l machineList) open(path string, s Settings) (*Trace, error) {
	file, err := recordedFile(path, l.file)
	if err != nil {
		return nil, err
	}
	return l.openFile(file, s, "", l.read)
}

// openFile makes a trace of a file whose machines read knows. What else changes them is said
// by also, for the hash.
func (l machineList) openFile(file string, s Settings, also string, read func(*tally, string, *stream, machine) ([]*cluster.NodeSpec, error)) (*Trace, error) {
	mode, err := s.choice("mode", []string{"fill", "time"})
	if err != nil {
		return nil, err
	}
	like, options := machine{}, "mode="+mode
	for _, o := range l.options {
		n, err := s.integer(o.Name, 1, maxNodeCPUs)
		if err != nil {
			return nil, err
		}
		if o.Name == "cpus" {
			like.cpu = int64(n) * 1000
		} else {
			like.memory = int64(n) << 30
		}
		options += fmt.Sprintf("&%s=%d", o.Name, n)
	}
	in, err := openStream(file)
	if err != nil {
		return nil, err
	}
	defer in.close()
	var y tally
	nodes, err := read(&y, file, in, like)
	if err != nil {
		return nil, err
	}
	if gpusOf(nodes) == 0 {
		return nil, &Error{File: file, Problem: "no machine has a GPU", Remedy: "give a list of which some have"}
	}
	t, g, err := generate(nodes, mode, s)
	if err != nil {
		return nil, err
	}
	t.Rows, t.Rejected = y.rows, y.rejected
	options += "&load=" + formatNumber(g.load) + "&pods=" + strconv.Itoa(g.count) + also
	t.Hash = hashOf([]byte(machineListVersion), []byte(l.name), []byte(options), in.sum())
	return t, nil
}

// read makes nodes of the rows of a file. Machines of which a row has several are
// called NAME-1 and so on.
func (l machineList) read(y *tally, file string, in *stream, like machine) (nodes []*cluster.NodeSpec, err error) {
	var t *table
	if l.title {
		t, err = streamTable(file, in, l.columns)
	} else {
		t = optionalHeader(file, in, l.columns, l.columns[0])
	}
	if err != nil {
		return nil, err
	}
	names := names{}
	err = y.read(t, func() (string, error) {
		m, n, err := l.row(t, names, like)
		if err != nil {
			return "", err
		}
		if n == 0 {
			return "no machines", nil
		}
		name := m.name
		for i := range n {
			if l.several {
				m.name = name + "-" + strconv.FormatInt(i+1, 10)
			}
			nodes = append(nodes, m.node())
		}
		return "", nil
	})
	return nodes, err
}
