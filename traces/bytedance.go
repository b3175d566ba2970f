package traces

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// byteDance reads clusters of microservices of ByteDance: which containers were on which
// machines at one time, https://github.com/bytedance/research-cluster-dataset. There is no
// time in it, so that pods only fill the cluster.
//
// Traffic between services is not read: no decision depends on it.
var byteDance = &Format{
	Name: "bytedance",
	Doc:  "a cluster of ByteDance's microservices: services, machines, and where containers were at one time",
	Path: "the file M3.json[.gz], or its folder",
	Options: []Option{
		{"cpus", "64", "CPUs of the machine with the most: the recording has shares of all only"},
		{"memory", "256", "GiB of the machine with the most memory"},
		{"placed", "no", "no: pods come one a second, in the order of services; yes: they are there at time 0, where they were"},
	},
	Recognise: func(path string) bool {
		return strings.HasPrefix(strings.Join(strings.Fields(opening(path, byteDanceFile)), ""), `{"ServiceList":[`)
	},
	Open: openByteDance,
}

// byteDanceFile is the name of the file of the four that we have.
const byteDanceFile = "M3.json"

// byteDanceVersion is part of every hash. It changes when the same file and options come
// to give other events.
const byteDanceVersion = "bytedance/1"

// A serviceCluster is what is read of the file. Amounts are shares of the whole cluster's.
type serviceCluster struct {
	ServiceList []struct {
		Service                string
		RequestCPU, RequestMem float64
		ContainerList          []string
		CompatibleMachines     any // "*", or a list of machines
	}
	MachineList []struct {
		MachineIP                  string
		TotalCPU, TotalMem         float64
		InitialDeployingContainers []string
	}
}

func openByteDance(path string, s Settings) (*Trace, error) {
	cpus, err := s.integer("cpus", 1, maxNodeCPUs)
	if err != nil {
		return nil, err
	}
	memory, err := s.integer("memory", 1, 1_000_000)
	if err != nil {
		return nil, err
	}
	placed, err := s.choice("placed", []string{"no", "yes"})
	if err != nil {
		return nil, err
	}
	file, err := recordedFile(path, byteDanceFile)
	if err != nil {
		return nil, err
	}
	content, err := readFile(file)
	if err != nil {
		return nil, err
	}
	t, err := readByteDance(file, content, int64(cpus)*1000, int64(memory)<<30, placed == "yes")
	if err != nil {
		return nil, err
	}
	options := fmt.Sprintf("cpus=%d&memory=%d&placed=%s", cpus, memory, placed)
	t.Hash = hashOf([]byte(byteDanceVersion), []byte(options), content)
	return t, nil
}

// A byteDanceReader makes nodes and pods of shares, rounded down to milli-CPUs and MiB, so
// that what fitted a machine fits it still.
type byteDanceReader struct {
	file        string
	cpu, memory float64           // milli-CPUs, MiB of the whole cluster
	on          map[string]string // the machine of each container
	nodes       []*cluster.NodeSpec
	pods        []*cluster.PodSpec
	mix         cluster.Mix
}

// readByteDance reads the content of a file, with so many milli-CPUs and bytes of the
// largest machine.
func readByteDance(file string, content []byte, cpu, memory int64, placed bool) (*Trace, error) {
	var c serviceCluster
	if err := json.Unmarshal(content, &c); err != nil {
		return nil, wrongJSON(file, content, err)
	}
	r := &byteDanceReader{file: file, on: map[string]string{}}
	if err := r.machines(&c, cpu, memory/mib); err != nil {
		return nil, err
	}
	if err := r.services(&c, placed); err != nil {
		return nil, err
	}
	if len(r.nodes) == 0 || len(r.pods) == 0 {
		return nil, &Error{File: file, Problem: fmt.Sprintf("%d machines and %d containers", len(r.nodes), len(r.pods)), Remedy: "give a file with at least one of each"}
	}
	t := &Trace{Rows: len(c.MachineList) + len(c.ServiceList), Nodes: len(r.nodes), Pods: len(r.pods), Mix: r.mix}
	asked, capacity := int64(0), int64(0)
	for _, share := range r.mix {
		asked += share.Pods * share.Class.Requests.Get(cluster.CPU)
	}
	for _, n := range r.nodes {
		capacity += n.Capacity.Get(cluster.CPU)
	}
	t.OfferedLoad = float64(asked) / float64(capacity)
	t.events = func(int64) Stream {
		i := 0
		return &workload{nodes: r.nodes, next: func() (a arrival, ok bool) {
			if i == len(r.pods) {
				return a, false
			}
			a.pod = r.pods[i]
			if !placed {
				a.at = fillingTime(i)
			}
			i++
			return a, true
		}}
	}
	return t, nil
}

// wrong returns an error about an entry of a list, from 1.
func (r *byteDanceReader) wrong(list string, i int, problem, remedy string) error {
	return &Error{File: r.file, Problem: fmt.Sprintf("%s, entry %d: %s", list, i+1, problem), Remedy: remedy}
}

// machines makes nodes, of which the largest have so many milli-CPUs and MiB.
func (r *byteDanceReader) machines(c *serviceCluster, cpu, memory int64) error {
	var mostCPU, mostMemory float64
	names := map[string]bool{}
	for i, m := range c.MachineList {
		switch {
		case m.MachineIP == "" || !isName(m.MachineIP) || names[m.MachineIP]:
			return r.wrong("MachineList", i, "MachineIP is "+quoted(m.MachineIP), "give a name of its own, without spaces and slashes")
		case !(m.TotalCPU > 1e-9 && m.TotalCPU <= 1 && m.TotalMem > 1e-9 && m.TotalMem <= 1):
			return r.wrong("MachineList", i, fmt.Sprintf("TotalCPU and TotalMem are %v and %v", m.TotalCPU, m.TotalMem), "give shares above 0 and up to 1")
		}
		names[m.MachineIP] = true
		mostCPU, mostMemory = max(mostCPU, m.TotalCPU), max(mostMemory, m.TotalMem)
		for _, name := range m.InitialDeployingContainers {
			if _, twice := r.on[name]; twice {
				return r.wrong("MachineList", i, "container "+quoted(name)+" is on a machine before", "leave one out")
			}
			r.on[name] = m.MachineIP
		}
	}
	r.cpu, r.memory = float64(cpu)/mostCPU, float64(memory)/mostMemory
	for _, m := range c.MachineList {
		cpu, memory := r.amounts(m.TotalCPU, m.TotalMem)
		r.nodes = append(r.nodes, machine{name: m.MachineIP, cpu: cpu, memory: memory}.node())
	}
	return nil
}

// amounts returns milli-CPUs and bytes of shares. The product is a hair above what it
// stands for or below: 0.999 of a unit counts for one.
func (r *byteDanceReader) amounts(cpu, memory float64) (int64, int64) {
	down := func(x float64) int64 { return int64(math.Floor(min(x, 1e12) + 0.001)) } // in range, if in bytes
	return down(float64(cpu * r.cpu)), down(float64(memory*r.memory)) * mib
}

// services makes pods of containers.
func (r *byteDanceReader) services(c *serviceCluster, placed bool) error {
	classes, seen, known := recordedClasses{}, map[string]bool{}, map[string]bool{}
	for i, s := range c.ServiceList {
		switch machines, one := s.CompatibleMachines.(string); {
		case s.Service == "" || !isName(s.Service) || known[s.Service]:
			return r.wrong("ServiceList", i, "Service is "+quoted(s.Service), "give a name of its own, without spaces and slashes")
		case !(s.RequestCPU >= 0 && s.RequestCPU <= 1 && s.RequestMem >= 0 && s.RequestMem <= 1):
			return r.wrong("ServiceList", i, fmt.Sprintf("RequestCPU and RequestMem are %v and %v", s.RequestCPU, s.RequestMem), "give shares from 0 to 1")
		case !one || machines != "*":
			return r.wrong("ServiceList", i, "CompatibleMachines is a list", `give a cluster with "*" for every service, as M3 has: lists of machines are not read`)
		}
		known[s.Service] = true
		cpu, memory := r.amounts(s.RequestCPU, s.RequestMem)
		class := classes.all[classes.number(&recordedRequest{namespace: "default", owner: cluster.OwnerRef{Kind: "ReplicaSet", Name: s.Service}, cpu: cpu, memory: memory})]
		for _, name := range s.ContainerList {
			if name == "" || !isName(name) || seen[name] {
				return r.wrong("ServiceList", i, "container "+quoted(name), "give a name of its own, without spaces and slashes")
			}
			seen[name] = true
			pod := &cluster.PodSpec{Name: name, Class: class, Run: cluster.Never}
			if placed {
				pod.On = r.on[name]
			}
			r.pods = append(r.pods, pod)
		}
		if n := len(s.ContainerList); n > 0 {
			r.mix = append(r.mix, cluster.MixShare{Class: class, Pods: int64(n)})
		}
	}
	return nil
}
