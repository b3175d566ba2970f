package traces

import (
	"strings"

	"github.com/berthsim/berth/cluster/faults"
)

// alibaba2018 reads machines and batch tasks of Alibaba's cluster-trace-v2018: Guo et
// al., "Who Limits the Resource Efficiency of My Datacenter", IWQoS 2019,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-v2018. Containers
// and measured use are not read.
var alibaba2018 = &Format{
	Name:    "alibaba2018",
	Doc:     "Alibaba's cluster-trace-v2018: batch tasks of 4,034 machines with two levels of failure domains, 8 days",
	Path:    "the folder of machine_meta.csv[.gz] and batch_task.csv[.gz], or batch_task_slice.csv[.gz]",
	Options: alibabaOptions("512"),
	Recognise: func(path string) bool {
		_, err := recordedFile(path, alibaba2018Machines.names...)
		return err == nil && isFolder(path)
	},
	Open: func(path string, s Settings) (*Trace, error) {
		return openAlibaba(path, alibaba2018Version, s, alibaba2018Machines, alibaba2018Tasks)
	},
}

// alibaba2018Version is part of every hash. It changes when the same files and options
// come to give other events.
const alibaba2018Version = "alibaba2018/1"

// Labels of nodes: failure domains as the recording names them. The larger ones are
// kube's zones, too.
const (
	alibabaDomain1 = "failure_domain_1"
	alibabaDomain2 = "failure_domain_2"
)

// Columns of machines that are read, by where they are.
const (
	machine2018ID     column = 0
	machine2018CPUs   column = 4
	machine2018Memory column = 5
	machine2018Status column = 6
)

var alibaba2018Machines = alibabaTable{
	names:   []string{"machine_meta.csv"},
	columns: []string{"machine_id", "time_stamp", alibabaDomain1, alibabaDomain2, "cpu_num", "mem_size", "status"},
	title:   "machine_id",
	row: func(r *alibabaBatch, t *table) (reason string, err error) {
		if status := t.text(machine2018Status); status != "USING" {
			return "the status is " + quoted(status), nil
		}
		if r.machines[t.text(machine2018ID)] {
			return "another row of a machine that has one already", nil
		}
		m := machine{slots: manySlots, labels: map[string]string{}}
		if m.name, err = t.name(machine2018ID); err != nil {
			return "", err
		}
		cpus, err := t.amount(machine2018CPUs, maxNodeCPUs)
		if err != nil {
			return "", err
		}
		size, err := t.number(machine2018Memory, 100)
		if err != nil {
			return "", err
		}
		for _, domain := range []string{alibabaDomain1, alibabaDomain2} {
			if value := strings.Clone(t.text(t.at(domain))); value != "" {
				m.labels[domain] = value
			}
		}
		if zone, ok := m.labels[alibabaDomain2]; ok {
			m.labels[faults.ZoneLabel] = "zone-" + zone
		}
		m.cpu, m.memory = cpus*1000, int64(float64(size/100*r.memory))/mib*mib
		r.machines[m.name] = true
		r.nodes = append(r.nodes, m.node())
		return "", nil
	},
}

var alibaba2018Tasks = alibabaTable{
	names:   []string{"batch_task.csv", "batch_task_slice.csv"},
	columns: []string{"task_name", "instance_num", "job_name", "task_type", "status", "start_time", "end_time", "plan_cpu", "plan_mem"},
	title:   "task_name",
	row: (&alibabaTask{
		name: 0, instances: 1, job: 2, status: 4, start: 5, end: 6, cpu: 7, memory: 8, largest: 100,
	}).row,
}
