package traces

import (
	"fmt"
	"math"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// openbPodSlots is how many pods fit on a node, as the paper's artifact has it.
const openbPodSlots = 1001

// mib is the bytes in a MiB, the unit of memory in openb.
const mib = 1 << 20

// maxMiB is the most memory that can be counted in bytes.
const maxMiB = math.MaxInt64 / mib

// readOpenbNodes reads a list of nodes: sn (the name), cpu_milli, memory_mib, gpu
// (how many) and model.
func readOpenbNodes(file string, content []byte) ([]*cluster.NodeSpec, error) {
	t, err := newTable(file, content, []string{"sn", "cpu_milli", "memory_mib", "gpu", "model"})
	if err != nil {
		return nil, err
	}
	var nodes []*cluster.NodeSpec
	names := names{}
	err = t.each(func() error {
		n, err := openbNode(t, names)
		nodes = append(nodes, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, &Error{File: file, Problem: "no nodes", Remedy: "give a list with at least one"}
	}
	return nodes, nil
}

// openbNode makes a node of the current row.
func openbNode(t *table, names names) (*cluster.NodeSpec, error) {
	name, err := names.add(t, "sn")
	if err != nil {
		return nil, err
	}
	cpu, err := t.amount(t.at("cpu_milli"), math.MaxInt64)
	if err != nil {
		return nil, err
	}
	memory, err := t.amount(t.at("memory_mib"), maxMiB)
	if err != nil {
		return nil, err
	}
	gpus, err := t.amount(t.at("gpu"), cluster.MaxGPUs)
	if err != nil {
		return nil, err
	}
	capacity := make(cluster.Amounts, cluster.PodSlots+1)
	capacity[cluster.CPU], capacity[cluster.Memory], capacity[cluster.PodSlots] = cpu, memory*mib, openbPodSlots
	return &cluster.NodeSpec{
		Name:     name,
		Capacity: capacity,
		GPUs:     int(gpus),
		GPUModel: strings.Clone(t.text(t.at("model"))),
	}, nil
}

// names maps the names that a table has had so far to their lines.
type names map[string]int

// add returns the name in a column of the current row, which must be new.
func (ns names) add(t *table, column string) (string, error) {
	c := t.at(column)
	name := strings.Clone(t.text(c)) // a row's fields share the whole row's memory
	if err := checkName(t, c, name); err != nil {
		return "", err
	}
	if line, twice := ns[name]; twice {
		return "", wrongTwice(t, c, line)
	}
	ns[name] = t.line()
	return name, nil
}

// checkName returns an error if the name in a column is none.
func checkName(t *table, c column, name string) error {
	if name == "" {
		return t.wrongField(c, "give a name")
	}
	if !isPlainName(name) && strings.ContainsFunc(name, isNoPartOfName) {
		return t.wrongField(c, "give a name without spaces and slashes")
	}
	return nil
}

// wrongTwice returns the error that a line before has the name in a column already.
func wrongTwice(t *table, c column, line int) *Error {
	return t.wrongField(c, fmt.Sprintf("line %d has that name already: give another", line))
}
