package traces

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// azure reads virtual machines of Microsoft Azure's first public dataset: Cortez et
// al., "Resource Central", SOSP 2017, https://github.com/Azure/AzurePublicDataset, in
// the form of Bergsma et al., "Generating Complex, Realistic Cloud Workloads using
// Recurrent Neural Networks", SOSP 2021,
// https://github.com/huaweicloud/trace_generation_rnn: what came in each 5 minutes, in
// batches of one customer's.
var azure = &Format{
	Name: "azure",
	Doc:  "arrivals of virtual machines at Azure (2017): CPU, memory, run times, batches of one customer's",
	Path: "the folder of v1.PART.txt[.gz], v1.PART.cEND.txt[.gz], flav_map.txt and v1.interval_map.txt",
	Options: []Option{
		{"part", "dev", "dev (3.5 days) or test (5.7 days); train has no run times"},
		{"nodes", "800", "how many nodes: the recording has none"},
		{"cpus", "64", "CPUs of a node"},
		{"memory", "448", "GiB of memory of a node"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		_, err := os.Stat(filepath.Join(path, azureFlavours))
		if err == nil {
			_, err = os.Stat(filepath.Join(path, azureIntervals))
		}
		return err == nil
	},
	Open: openAzure,
}

// Names of files.
const (
	azureFlavours  = "flav_map.txt"
	azureIntervals = "v1.interval_map.txt"
)

// azureVersion is part of every hash. It changes when the same files and options
// come to give other events.
const azureVersion = "azure/1"

func openAzure(dir string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := s.alike("nodes", "cpus", "memory")
	if err != nil {
		return nil, err
	}
	if !isName(s["part"]) {
		return nil, s.wrong("part", "give dev or test")
	}
	r := &azureReader{}
	parts := [][]byte{}
	for _, table := range []struct {
		name string
		take func(*lineReader) error
	}{{azureFlavours, r.flavour}, {azureIntervals, r.interval}} {
		sum, err := readLines(dir, table.name, table.take)
		if err != nil {
			return nil, err
		}
		parts = append(parts, sum)
	}
	vms, err := recordedFile(dir, "v1."+s["part"]+".txt")
	if err != nil {
		return nil, err
	}
	times, err := r.endOf(dir, s["part"])
	if err != nil {
		return nil, err
	}
	for i, file := range []string{vms, times} {
		in, err := openStream(file)
		if err != nil {
			return nil, err
		}
		defer in.close()
		r.in[i], r.lines[i] = in, newLineReader(file, in)
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	parts = append(parts, r.in[0].sum(), r.in[1].sum())
	return r.trace(r.replay(nodes), recorded{
		file: vms, span: part, settings: s, version: azureVersion,
		options: fmt.Sprintf("part=%s&nodes=%s&cpus=%s&memory=%s", s["part"], s["nodes"], s["cpus"], s["memory"]),
		content: []byte(hashOf(parts...)),
	})
}

// alike makes nodes that are all alike, of options that say how many, with how many
// CPUs and GiB of memory each.
func (s Settings) alike(count, cpus, memory string) ([]*cluster.NodeSpec, error) {
	n, err := s.integer(count, 1, maxNodes)
	if err != nil {
		return nil, err
	}
	c, err := s.integer(cpus, 1, maxNodeCPUs)
	if err != nil {
		return nil, err
	}
	m, err := s.integer(memory, 1, 1_000_000)
	if err != nil {
		return nil, err
	}
	nodes := make([]*cluster.NodeSpec, n)
	for i := range nodes {
		nodes[i] = machine{name: "node-" + strconv.Itoa(i+1), cpu: int64(c) * 1000, memory: int64(m) << 30}.node()
	}
	return nodes, nil
}

// readLines gives each line of a file in a folder to take, but for empty ones, and
// returns the hash of its content.
func readLines(dir, name string, take func(*lineReader) error) (sum []byte, err error) {
	file, err := recordedFile(dir, name)
	if err != nil {
		return nil, err
	}
	in, err := openStream(file)
	if err != nil {
		return nil, err
	}
	defer in.close()
	l := newLineReader(file, in)
	for {
		if more, err := l.next(); err != nil {
			return nil, err
		} else if !more {
			return in.sum(), nil
		}
		if l.count() == 0 {
			continue
		}
		if err := take(l); err != nil {
			return nil, err
		}
	}
}

// endOf finds the file with the run times of a part, in whose name stands when they
// end, in seconds by the recording's clock.
func (r *azureReader) endOf(dir, part string) (file string, err error) {
	entries, err := os.ReadDir(dir) // sorted: .txt before .txt.gz
	if err != nil {
		return "", fmt.Errorf("reading the trace: %w", err)
	}
	prefix := "v1." + part + ".c"
	for _, entry := range entries {
		digits, ok := strings.CutPrefix(strings.TrimSuffix(strings.TrimSuffix(entry.Name(), ".gz"), ".txt"), prefix)
		end, err := strconv.ParseInt(digits, 10, 64)
		if ok && err == nil && end > 0 && end <= maxSeconds {
			r.end = end
			return filepath.Join(dir, entry.Name()), nil
		}
	}
	return "", &Error{File: dir, Problem: "no " + prefix + "END.txt or .gz, where END is when run times end", Remedy: "give part=dev or part=test, or the folder that contains it"}
}
