package traces

// alibaba2017 reads machines and batch tasks of Alibaba's cluster-trace-v2017: Lu et
// al., "Imbalance in the Cloud: an Analysis on Alibaba Cluster Trace", BigData 2017,
// https://github.com/alibaba/clusterdata/tree/master/cluster-trace-v2017. Containers
// and measured use are not read.
var alibaba2017 = &Format{
	Name:    "alibaba2017",
	Doc:     "Alibaba's cluster-trace-v2017: batch tasks of 1,313 machines, 17 hours, 11.9 million instances",
	Path:    "the folder of server_event.csv[.gz] and batch_task.csv[.gz]",
	Options: append(alibabaOptions("256"), softErrorOptions...),
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

// Columns of machines' events that are read, by where they are.
const (
	event2017At      column = 0
	event2017Machine column = 1
	event2017Type    column = 2
	event2017Detail  column = 3
	event2017CPUs    column = 4
	event2017Memory  column = 5
)

var alibaba2017Machines = alibabaTable{
	names:   []string{"server_event.csv"},
	columns: []string{"timestamp", "machine id", "event type", "event detail", "number of cpus", "normalized memory", "normalized disk space"},
	title:   "timestamp",
	row: func(r *alibabaBatch, t *table) (reason string, err error) {
		kind := t.text(event2017Type)
		if kind == "softerror" && r.errors != nil {
			return r.errors.add(t, r.machines)
		}
		if kind != "add" {
			return "the event is " + quoted(kind), nil
		}
		if r.machines[t.text(event2017Machine)] {
			return "another row of a machine that has one already", nil
		}
		id, err := t.name(event2017Machine)
		if err != nil {
			return "", err
		}
		cpus, err := t.amount(event2017CPUs, maxNodeCPUs)
		if err != nil {
			return "", err
		}
		size, err := t.number(event2017Memory, 1)
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

var alibaba2017Tasks = alibabaTable{
	names:   []string{"batch_task.csv"},
	columns: []string{"task create time", "task end time", "job id", "task id", "number of instances", "status", "cpus per instance", "memory per instance"},
	title:   "task_create_time",
	row: (&alibabaTask{
		start: 0, end: 1, prefix: "job-", job: 2, name: 3, instances: 4, status: 5, cpu: 6, memory: 7, largest: 1,
	}).row,
}
