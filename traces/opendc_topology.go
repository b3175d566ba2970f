package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// An openDCTopology is what is read of a JSON file with OpenDC's hosts. Cores' speed and
// power are not.
type openDCTopology struct {
	Clusters []struct {
		Name  string `json:"name"`
		Count *int   `json:"count"`
		Hosts []struct {
			Name  string `json:"name"`
			Count *int   `json:"count"`
			CPU   struct {
				Count *int `json:"count"`
				Cores int  `json:"coreCount"`
			} `json:"cpu"`
			Memory struct {
				Size int64 `json:"memorySize"` // MB, as tasks ask for it
			} `json:"memory"`
		} `json:"hosts"`
	} `json:"clusters"`
}

// readTopology makes nodes of hosts: host H of cluster C is c-h-1, c-h-2 and so on.
func readTopology(file string, content []byte) ([]*cluster.NodeSpec, error) {
	var topology openDCTopology
	if err := json.Unmarshal(content, &topology); err != nil {
		return nil, wrongJSON(file, content, err)
	}
	wrong := func(c, h int, problem, remedy string) error {
		return &Error{File: file, Problem: fmt.Sprintf("clusters[%d].hosts[%d].%s", c, h, problem), Remedy: remedy}
	}
	var nodes []*cluster.NodeSpec
	names := map[string]bool{}
	for i, c := range topology.Clusters {
		for j, h := range c.Hosts {
			count, sockets := times(c.Count)*times(h.Count), times(h.CPU.Count)
			switch {
			case !isName(c.Name) || !isName(h.Name):
				return nil, wrong(i, j, "name is "+quoted(c.Name+"-"+h.Name)+" with its cluster's", "give names without spaces and slashes")
			case count < 1 || count > maxNodes-len(nodes):
				return nil, wrong(i, j, fmt.Sprintf("count makes %d nodes", count), fmt.Sprintf("give from 1 to %d in all", maxNodes))
			case sockets < 1 || h.CPU.Cores < 1 || sockets > maxNodeCPUs/h.CPU.Cores:
				return nil, wrong(i, j, fmt.Sprintf("cpu.coreCount is %d, of %d", h.CPU.Cores, sockets), fmt.Sprintf("give from 1 to %d in all", maxNodeCPUs))
			case h.Memory.Size < 1 || h.Memory.Size > 1_000_000_000:
				return nil, wrong(i, j, fmt.Sprintf("memory.memorySize is %d", h.Memory.Size), "give MB from 1 to 1000000000")
			}
			prefix := strings.Trim(strings.ToLower(c.Name+"-"+h.Name), "-") + "-"
			if names[prefix] {
				return nil, wrong(i, j, "name is "+quoted(h.Name)+", as a host's before", "give another")
			}
			names[prefix] = true
			m := machine{cpu: int64(sockets*h.CPU.Cores) * 1000, memory: h.Memory.Size * megabyte}
			for k := range count {
				m.name = prefix + strconv.Itoa(k+1)
				nodes = append(nodes, m.node())
			}
		}
	}
	if len(nodes) == 0 {
		return nil, &Error{File: file, Problem: "no hosts", Remedy: "give a topology with at least one"}
	}
	return nodes, nil
}

// times returns a count of OpenDC's, which is 1 if it is left out, and -1 if it can't be.
func times(count *int) int {
	switch {
	case count == nil:
		return 1
	case *count < 1 || *count > maxNodes:
		return -1
	}
	return *count
}

// wrongJSON returns the error that a file isn't the JSON that it should be.
func wrongJSON(file string, content []byte, err error) *Error {
	e := &Error{File: file, Problem: "not the JSON that it should be", Remedy: "fetch the file again"}
	offset := int64(-1)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset, e.Problem = syntax.Offset, "no sound JSON"
	case errors.As(err, &kind):
		offset, e.Problem = kind.Offset, kind.Field+" is a "+strings.Trim(quoted(kind.Value), `"`)
		e.Remedy = "give a " + kind.Type.Kind().String()
	}
	if offset >= 0 {
		e.Line = 1 + strings.Count(string(content[:min(offset, int64(len(content)))]), "\n")
	}
	return e
}
