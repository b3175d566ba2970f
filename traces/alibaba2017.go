package traces

// alibaba2017 reads machines and batch tasks of Alibaba's cluster-trace-v2017: Lu et
// al., "Imbalance in the Cloud: an Analysis on Alibaba Cluster Trace", BigData 2017,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-v2017. Containers,
// soft errors and measured use are not read.
var alibaba2017 = &Format{
	Name:    "alibaba2017",
	Doc:     "Alibaba's cluster-trace-v2017: batch tasks of 1,313 machines, 17 hours, 11.9 million instances",
	Path:    "the folder of server_event.csv[.gz] and batch_task.csv[.gz]",
	Options: alibabaOptions("256"),
	Recognise: func(path string) bool {
		_, err := recordedFile(path, alibaba2017Machines.names...)
		return err == nil && isFolder(path)
	},
	Open: func(path string, s Settings) (*Trace, error) {
		return openAlibaba(path, alibaba2017Version, s, alibaba2017Machines, alibaba2017Tasks)
	},
}

// alibaba2017Version is part of every hash. It changes when the same files and options
// come to give other events.
const alibaba2017Version = "alibaba2017/1"

var alibaba2017Machines = alibabaTable{
	names:   []string{"server_event.csv"},
	columns: []string{"timestamp", "machine id", "event type", "event detail", "number of cpus", "normalized memory", "normalized disk space"},
	title:   "timestamp",
	row: func(r *alibabaBatch, t *table) (reason string, err error) {
		if kind := t.text("event type"); kind != "add" {
			return "the event is " + quoted(kind), nil
		}
		if r.machines[t.text("machine id")] {
			return "another row of a machine that has one already", nil
		}
		id, err := t.name("machine id")
		if err != nil {
			return "", err
		}
		cpus, err := t.amount("number of cpus", maxNodeCPUs)
		if err != nil {
			return "", err
		}
		size, err := t.number("normalized memory", 1)
		if err != nil {
			return "", err
		}
		r.machines[id] = true
		r.nodes = append(r.nodes, machine{
			name: "machine-" + id, cpu: cpus * 1000, memory: int64(float64(size*r.memory)) / mib * mib, slots: manySlots,
		}.node())
		return "", nil
	},
}

// alibaba2017Plan are columns that some tasks have nothing in.
var alibaba2017Plan = []string{"cpus per instance", "memory per instance"}

var alibaba2017Tasks = alibabaTable{
	names:   []string{"batch_task.csv"},
	columns: []string{"task create time", "task end time", "job id", "task id", "number of instances", "status", "cpus per instance", "memory per instance"},
	title:   "task_create_time",
	row: func(r *alibabaBatch, t *table) (reason string, err error) {
		if reason = alibabaStatus(t); reason != "" {
			return reason, nil
		}
		if column := t.empty(alibaba2017Plan); column != "" {
			return column + " is empty", nil
		}
		k := alibabaTask{prefix: "job-", job: t.text("job id"), name: t.text("task id")}
		if k.start, err = t.integer("task create time", maxSeconds); err != nil {
			return "", err
		}
		if k.end, err = t.integer("task end time", maxSeconds); err != nil {
			return "", err
		}
		if k.instances, err = t.amount("number of instances", maxInstances); err != nil {
			return "", err
		}
		if k.cpu, err = t.number("cpus per instance", maxPlanCPU); err != nil {
			return "", err
		}
		if k.memory, err = t.number("memory per instance", 1); err != nil {
			return "", err
		}
		return r.add(t, k)
	},
}
