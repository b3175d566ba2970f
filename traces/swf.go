package traces

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// swf reads the Standard Workload Format of the Parallel Workloads Archive: Chapin
// et al., "Benchmarks and Standards for the Evaluation of Parallel Job Schedulers",
// JSSPP 1999, https://www.cs.huji.ac.il/labs/parallel/workload/swf.html, and the
// lines of MetaCentrum's logs as the simulator Alea has them, with three fields more.
var swf = &Format{
	Name: "swf",
	Doc:  "logs of parallel machines in the Standard Workload Format, MetaCentrum's extended ones too",
	Path: "a file *.swf or *.swf.gz; with FILE.swf.machines beside it, these are the nodes",
	Options: []Option{
		{"nodes", "", "how many nodes: if left out, those of the machines file, or as many as the header says"},
		{"cpus", "", "CPUs of a node: if left out, likewise; 1 if nothing says"},
		{"memory", "", "GiB of memory of a node; if left out, and no machines file says, memory counts for nothing"},
		{"namespace", "user", "whose jobs share a namespace: user, group, queue or partition"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool { return strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".swf") },
	Open:      openSWF,
}

// swfVersion is part of every hash. It changes when the same files and options
// come to give other events.
const swfVersion = "swf/1"

// clusterLabel is a node's label with the name of the cluster that its machine was of.
const clusterLabel = "cluster"

// An swfCluster is the nodes, and what is known of them.
type swfCluster struct {
	nodes  []*cluster.NodeSpec
	cpus   int64 // of the largest node
	memory bool  // whether it is known, so that requests of it count
}

func openSWF(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	by, err := s.choice("namespace", []string{"user", "group", "queue", "partition"})
	if err != nil {
		return nil, err
	}
	machines, err := swfMachines(path, s)
	if err != nil {
		return nil, err
	}
	in, err := openStream(path)
	if err != nil {
		return nil, err
	}
	defer in.close()
	r := newSWFReader(by, s)
	if machines != nil {
		if r.cluster, err = readSWFMachines(path, machines); err != nil {
			return nil, err
		}
	}
	if err := r.read(path, in); err != nil {
		return nil, err
	}
	return r.trace(r.replay(), recorded{
		file: path, span: part, settings: s, version: swfVersion,
		options: fmt.Sprintf("namespace=%s&nodes=%s&cpus=%s&memory=%s", by, s["nodes"], s["cpus"], s["memory"]),
		content: append(in.sum(), hashOf(machines)...),
		epoch:   r.epoch,
	})
}

// machinesFile returns the name of the file that says what machines a log is of.
func machinesFile(path string) string { return strings.TrimSuffix(path, ".gz") + ".machines" }

// swfMachines returns what is in the machines file beside a log, nil if there is none
// or an option says what the nodes are.
func swfMachines(path string, s Settings) ([]byte, error) {
	if s["nodes"]+s["cpus"]+s["memory"] != "" {
		return nil, nil
	}
	content, err := os.ReadFile(machinesFile(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	return content, nil
}

// readSWFMachines reads a machines file: in each line a number, the name of a
// cluster, its nodes, CPUs of a node, their speed, and memory of a node in KiB. Speed
// is not read. The nodes of the cluster zewura are zewura-1 and so on.
func readSWFMachines(path string, content []byte) (*swfCluster, error) {
	l := newLineReader(machinesFile(path), strings.NewReader(string(content)))
	c, seen := &swfCluster{memory: true}, map[string]bool{}
	for {
		if more, err := l.next(); err != nil {
			return nil, err
		} else if !more {
			break
		}
		if l.count() == 0 {
			continue
		}
		if l.count() != 6 {
			return nil, l.wrong(fmt.Sprintf("%d fields", l.count()), "give 6: number, name, nodes, CPUs of a node, speed, KiB of memory of a node")
		}
		var amounts [6]int64
		for i, most := range [...]int64{3: maxNodes, 4: maxNodeCPUs, 6: math.MaxInt64 / 1024} {
			var err error
			if most == 0 {
				continue
			}
			if amounts[i-1], err = l.integer(i, "amount", most); err != nil {
				return nil, err
			}
			if amounts[i-1] < 1 {
				return nil, l.wrong("field "+strconv.Itoa(i)+" is "+quoted(l.field(i)), "give a number above 0")
			}
		}
		name := strings.Clone(l.field(2))
		if !isName(name) || seen[name] || len(c.nodes) > maxNodes {
			return nil, l.wrong("the name is "+quoted(name), "give another name to each cluster, without slashes, and at most 1000000 nodes")
		}
		seen[name] = true
		c.add(name, amounts[2], amounts[3], amounts[5]*1024)
	}
	if len(c.nodes) == 0 {
		return nil, &Error{File: l.file, Problem: "no machines", Remedy: "give a file with at least one, or remove it"}
	}
	return c, nil
}

// maxNodeCPUs is more CPUs than a node has.
const maxNodeCPUs = 1_000_000

// add adds n nodes of a cluster, with so many CPUs and bytes of memory each.
func (c *swfCluster) add(name string, n, cpus, memory int64) {
	for i := range n {
		c.nodes = append(c.nodes, machine{
			name: name + "-" + strconv.FormatInt(i+1, 10), cpu: cpus * 1000, memory: memory,
			labels: map[string]string{clusterLabel: name},
		}.node())
	}
	c.cpus = max(c.cpus, cpus)
}

// swfNodes makes nodes of what the options say, and of what the header of a log
// says where they don't: MaxNodes nodes with MaxProcs processors in all, each -1 if
// it isn't there.
func swfNodes(s Settings, file string, maxNodesSaid, maxProcs int64) (*swfCluster, error) {
	c := &swfCluster{memory: s["memory"] != ""}
	number := func(key string, most int) (int64, error) {
		if s[key] == "" {
			return 0, nil
		}
		n, err := s.integer(key, 1, most)
		return int64(n), err
	}
	cpus, err := number("cpus", maxNodeCPUs)
	if err != nil {
		return nil, err
	}
	n, err := number("nodes", maxNodes)
	if err != nil {
		return nil, err
	}
	memory, err := number("memory", 1_000_000)
	if err != nil {
		return nil, err
	}
	if cpus == 0 && maxNodesSaid > 0 {
		cpus = (maxProcs + maxNodesSaid - 1) / maxNodesSaid
	}
	cpus = max(cpus, 1)
	if n == 0 {
		n = (maxProcs + cpus - 1) / cpus
	}
	if n < 1 || n > maxNodes || cpus > maxNodeCPUs {
		return nil, &Error{File: file, Problem: "the header doesn't say how many processors there are (MaxProcs)", Remedy: "give nodes=N and cpus=C"}
	}
	c.add("node", n, cpus, memory<<30)
	return c, nil
}
