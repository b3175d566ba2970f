package traces

import (
	"fmt"
	"math"

	"github.com/berthsim/berth/cluster"
)

// An alibabaBatch takes tables of machines and of batch tasks in, as Alibaba's cluster
// traces of 2017 and 2018 have them, each with columns of its own.
type alibabaBatch struct {
	tally
	memory   float64 // bytes of a machine whose memory is 1
	owners   string  // the option
	nodes    []*cluster.NodeSpec
	machines map[string]bool // that are nodes
	errors   *softErrors     // of machines; nil if the recording has none
	tasks    nameSet         // what became pods
	batches  list[batch]
	classes  recordedClasses
	asked    classTexts // classes by what rows have of CPUs and memory, unless pods have owners
	name     []byte     // of the current task
}

// alibabaOptions are those of both formats.
func alibabaOptions(memory string) []Option {
	return []Option{
		{"nodes", "", "how many of the machines, the first of their table: all if left out"},
		{"memory", memory, "GiB of memory of a machine of the largest kind: the recording has shares of it only"},
		{"owners", "none", "whether pods have an owner: none; job: the Job they are of, which makes each job a class of its own, and runs slow"},
		fromOption, forOption, loadOption,
	}
}

// Bounds of what is read: instances of a task, and CPUs in hundredths.
const (
	maxInstances = 10_000_000
	maxPlanCPU   = maxNodeCPUs * 100
)

// openAlibaba reads a folder with a table of machines and one of tasks.
func openAlibaba(path, version string, s Settings, machines, tasks alibabaTable) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	owners, err := s.choice("owners", []string{"none", "job"})
	if err != nil {
		return nil, err
	}
	memory, err := s.integer("memory", 1, 1_000_000)
	if err != nil {
		return nil, err
	}
	r := newAlibabaBatch(memory, owners)
	if r.errors, err = s.softErrors(); err != nil {
		return nil, err
	}
	var parts [][]byte
	file := ""
	for _, table := range []alibabaTable{machines, tasks} {
		if file, err = recordedFile(path, table.names...); err != nil {
			return nil, err
		}
		in, err := openStream(file)
		if err != nil {
			return nil, err
		}
		err = r.read(file, in, table)
		parts = append(parts, in.sum())
		in.close()
		if err != nil {
			return nil, err
		}
	}
	if err := r.take(s); err != nil {
		return nil, err
	}
	if len(r.nodes) == 0 {
		return nil, &Error{File: path, Problem: "no machines", Remedy: "give a recording with at least one"}
	}
	return r.trace(r.replay(r.nodes), recorded{
		file: file, span: part, settings: s, version: version,
		options: fmt.Sprintf("nodes=%d&memory=%d&owners=%s", len(r.nodes), memory, owners) + r.errors.options(), content: []byte(hashOf(parts...)),
	})
}

// take leaves as many machines as are asked for.
func (r *alibabaBatch) take(s Settings) error {
	if s["nodes"] == "" {
		return nil
	}
	n, err := s.integer("nodes", 1, maxNodes)
	if err != nil {
		return err
	}
	if n > len(r.nodes) {
		return &Error{Problem: fmt.Sprintf("there are %d machines, not %d", len(r.nodes), n), Remedy: "leave nodes out, or give fewer"}
	}
	r.nodes = r.nodes[:n]
	return nil
}

func newAlibabaBatch(memory int, owners string) *alibabaBatch {
	return &alibabaBatch{
		memory: float64(float64(memory) * (1 << 30)), owners: owners,
		machines: map[string]bool{},
	}
}

// replay returns the tasks that were read, on nodes.
func (r *alibabaBatch) replay(nodes []*cluster.NodeSpec) *replay {
	replayed := &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: &r.tasks}
	if r.errors != nil {
		replayed.machines = r.errors.of(nodes)
	}
	return replayed
}

// An alibabaTable is what is known of a table.
type alibabaTable struct {
	names   []string // of its file
	columns []string
	title   string // how its header begins, in copies that have one
	row     func(r *alibabaBatch, t *table) (reason string, err error)
}

// read takes a table in.
func (r *alibabaBatch) read(file string, in *stream, of alibabaTable) error {
	t := optionalHeader(file, in, of.columns, of.title)
	return r.tally.read(t, func() (string, error) { return of.row(r, t) })
}

// An alibabaTask says where a table has what is read of a task.
type alibabaTask struct {
	prefix                 string // of names of jobs
	job, name              column
	status, start, end     column  // times in seconds
	instances, cpu, memory column  // pods; of each hundredths of a CPU, and memory, one behind the other
	largest                float64 // memory of the largest machine
}

// Statuses of tasks that came to an end.
var alibabaEnded = [...]string{"Terminated", "Failed"}

// row takes a task in. Each of its instances is taken to run as long as the task did.
func (k *alibabaTask) row(r *alibabaBatch, t *table) (reason string, err error) {
	if reason = alibabaStatus(t.text(k.status)); reason != "" {
		return reason, nil
	}
	asks := t.texts(k.cpu, k.memory)
	class, known := r.asked.class(asks)
	if column := t.empty(k.cpu, k.memory); column != "" {
		return column + " is empty", nil
	}
	start, err := t.integer(k.start, maxSeconds)
	if err != nil {
		return "", err
	}
	end, err := t.integer(k.end, maxSeconds)
	if err != nil {
		return "", err
	}
	instances, err := t.amount(k.instances, maxInstances)
	if err != nil {
		return "", err
	}
	var q recordedRequest
	if !known {
		if q, err = k.request(r, t); err != nil {
			return "", err
		}
	}
	switch {
	case end < start:
		return "it ends before it starts", nil
	case instances == 0:
		return askNothing, nil
	}
	if err := k.add(r, t); err != nil {
		return "", err
	}
	if !known {
		if class = r.classes.number(&q); r.owners == "none" {
			r.asked.keep(asks, class)
		}
	}
	r.batches.add(batch{
		at: cluster.Time(start) * cluster.Second, run: cluster.Time(end-start) * cluster.Second,
		class: class, name: r.tasks.last(), pods: int32(instances),
	})
	return "", nil
}

// request returns what each instance of the current task asks for.
func (k *alibabaTask) request(r *alibabaBatch, t *table) (q recordedRequest, err error) {
	cpu, err := t.number(k.cpu, maxPlanCPU)
	if err != nil {
		return q, err
	}
	memory, err := t.number(k.memory, k.largest)
	if err != nil {
		return q, err
	}
	q = recordedRequest{
		namespace: "default", cpu: int64(math.Round(float64(cpu * 10))),
		memory: int64(math.Round(float64(memory/k.largest*r.memory)/mib)) * mib,
	}
	if r.owners == "job" {
		q.owner = cluster.OwnerRef{Kind: "Job", Name: k.prefix + t.text(k.job)}
	}
	return q, nil
}

// add adds the name of the current task, which is that of its job, a dash and its own.
func (k *alibabaTask) add(r *alibabaBatch, t *table) error {
	job, task := t.text(k.job), t.text(k.name)
	r.name = append(append(append(append(r.name[:0], k.prefix...), job...), '-'), task...)
	if !isName(job) || !isName(task) {
		return t.wrong(0, "the names are "+quoted(string(r.name)), "give names without spaces and slashes")
	}
	if _, twice := r.tasks.add(r.name, t.line()); twice {
		return t.wrong(0, "job "+quoted(k.prefix+job)+" has task "+quoted(task)+" already", "leave one of them out")
	}
	return nil
}

// alibabaStatus returns why a task with a status is no part of the
// workload, "" if it is one: how long others ran isn't known.
func alibabaStatus(status string) string {
	for _, ended := range alibabaEnded {
		if status == ended {
			return ""
		}
	}
	return "the status is " + quoted(status)
}
