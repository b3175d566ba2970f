package traces

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
	"github.com/parquet-go/parquet-go"
)

// openDCTasks reads workloads as OpenDC records them:
// https://atlarge-research.github.io/opendc/docs/documentation/Input/Workload
//
// Deadlines, GPUs and what tasks wait for, which some files have, are not read.
var openDCTasks = &Format{
	Name: "opendc",
	Doc:  "OpenDC's workloads: tasks, and the CPU that they used over time",
	Path: "a Parquet file tasks.parquet or NAME_tasks.parquet; NAME_fragments.parquet beside it has what tasks used",
	Options: []Option{
		{"topology", "", "a JSON file with OpenDC's hosts, beside the tasks or by its whole path; nodes, cpus and memory if left out"},
		{"nodes", "277", "how many nodes: the tasks' file has none"},
		{"cpus", "16", "CPUs of each"},
		{"memory", "94", "GiB of memory of each"},
		{"unit", "MB", "what the tasks' mem_capacity is in: MB, as documented, or KiB, as the file of Bitbrains has it"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool { return strings.HasSuffix(path, openDCTasksFile) && !isFolder(path) },
	Open:      openOpenDCTasks,
}

// How files' names end.
const (
	openDCTasksFile     = "tasks.parquet"
	openDCFragmentsFile = "fragments.parquet"
)

// openDCTasksVersion is part of every hash. It changes when the same files and options come
// to give other events.
const openDCTasksVersion = "opendc/tasks/1"

// megabyte is OpenDC's unit of memory, in bytes.
const megabyte = 1_000_000

// Columns of tasks and fragments that are read.
var (
	openDCTaskColumns = []parquetColumn{
		{"id", parquetInteger}, {"submission_time", parquetInteger}, {"duration", parquetInteger},
		{"cpu_count", parquetInteger}, {"cpu_capacity", []parquet.Kind{parquet.Double}}, {"mem_capacity", parquetInteger},
	}
	openDCFragmentColumns = []parquetColumn{
		{"id", parquetInteger}, {"duration", parquetInteger}, {"cpu_usage", []parquet.Kind{parquet.Double}},
	}
)

func openOpenDCTasks(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	unit, err := s.choice("unit", []string{"MB", "KiB"})
	if err != nil {
		return nil, err
	}
	nodes, options, topology, err := openDCNodes(path, s)
	if err != nil {
		return nil, err
	}
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	r := newOpenDCTasks(path, unit)
	if err := r.read(content); err != nil {
		return nil, err
	}
	if err := r.fit(nodes); err != nil {
		return nil, err
	}
	play := r.replay(nodes)
	var fragments []byte
	if base, ok := strings.CutSuffix(path, openDCTasksFile); ok {
		file := base + openDCFragmentsFile
		if _, err := os.Stat(file); err == nil {
			if fragments, err = readFile(file); err != nil {
				return nil, err
			}
			play.uses = func() ([]use, error) { return r.uses(file, fragments) }
		}
	}
	return r.trace(play, recorded{
		file: path, span: part, settings: s, version: openDCTasksVersion, options: options + "&unit=" + unit,
		content: []byte(hashOf(content, fragments, topology)),
		epoch:   sinceUnix,
	})
}

// openDCNodes makes the nodes of a topology, or of what options say, and returns what of
// the options tells nodes from others with the same topology.
func openDCNodes(path string, s Settings) (nodes []*cluster.NodeSpec, options string, topology []byte, err error) {
	file := s["topology"]
	if file == "" {
		nodes, err = s.alike("nodes", "cpus", "memory")
		return nodes, fmt.Sprintf("nodes=%s&cpus=%s&memory=%s", s["nodes"], s["cpus"], s["memory"]), nil, err
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(path), file)
	}
	if topology, err = readFile(file); err != nil {
		return nil, "", nil, err
	}
	nodes, err = readTopology(file, topology)
	return nodes, "topology", topology, err
}

// An openDCTask is what of a task its fragments are read by.
type openDCTask struct {
	pod  bool    // whether it became one
	core float64 // MHz of a core, 0 if it isn't known
	run  cluster.Time
}

// An openDCTaskReader takes tasks in.
type openDCTaskReader struct {
	tally
	file    string
	unit    int64                // bytes
	tasks   map[int64]openDCTask // by id
	batches list[batch]
	classes recordedClasses
}

// newOpenDCTasks reads tasks whose memory is in a unit.
func newOpenDCTasks(file, unit string) *openDCTaskReader {
	r := &openDCTaskReader{file: file, unit: megabyte, tasks: map[int64]openDCTask{}}
	if unit == "KiB" {
		r.unit = 1 << 10
	}
	return r
}

// fit returns an error if no task's memory fits a node: it is in another unit then.
func (r *openDCTaskReader) fit(nodes []*cluster.NodeSpec) error {
	least, most := int64(math.MaxInt64), int64(0)
	for _, class := range r.classes.all {
		least = min(least, class.Requests.Get(cluster.Memory))
	}
	for _, n := range nodes {
		most = max(most, n.Capacity.Get(cluster.Memory))
	}
	if r.batches.count == 0 || least <= most {
		return nil
	}
	return &Error{
		File: r.file, Problem: fmt.Sprintf("each task asks for at least %d GiB, and no node has that much", least>>30),
		Remedy: "give unit=KiB if its mem_capacity is in KiB, or nodes with more memory",
	}
}

// replay returns what was read, on nodes.
func (r *openDCTaskReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: numbered("task-")}
}

// read takes all tasks of a file in.
func (r *openDCTaskReader) read(content []byte) error {
	return readParquet(r.file, content, openDCTaskColumns,
		"give a file with id, submission_time, duration, cpu_count and mem_capacity (whole numbers) and cpu_capacity (DOUBLE)", r.take)
}

// take takes a task in.
func (r *openDCTaskReader) take(row *parquetRow) error {
	r.rows++
	id := row.integer(0)
	if _, twice := r.tasks[id]; twice {
		return row.wrong(0, "a row before has that id: give another")
	}
	at, err := row.within(1, "milliseconds since 1970", 0, maxRecordedMS)
	if err != nil {
		return err
	}
	run, err := row.within(2, "milliseconds", 0, maxRecordedMS)
	if err != nil {
		return err
	}
	cpus, err := row.within(3, "CPUs", 0, maxNodeCPUs)
	if err != nil {
		return err
	}
	speed := row.values[4].Double()
	if !(speed >= 0 && speed <= 1e12) {
		return row.wrong(4, "give MHz from 0 to 1000000000000")
	}
	memory, err := row.within(5, "MB, or KiB", 0, 1_000_000_000)
	if err != nil {
		return err
	}
	task := openDCTask{run: cluster.Time(run) * cluster.Millisecond}
	if cpus == 0 && memory == 0 {
		r.tasks[id] = task
		r.reject(askNothing, r.file, row.row)
		return nil
	}
	task.pod, task.core = true, speed/max(1, float64(cpus))
	r.tasks[id] = task
	r.batches.add(batch{
		at: cluster.Time(at) * cluster.Millisecond, run: task.run, name: id,
		class: r.classes.number(&recordedRequest{namespace: "default", cpu: cpus * 1000, memory: memory * r.unit}),
	})
	return nil
}

// uses reads the fragments of tasks, each of which goes on where the one before ended. What
// goes beyond the end of a task is left out.
func (r *openDCTaskReader) uses(file string, content []byte) (uses []use, err error) {
	ages := map[int64]cluster.Time{}
	err = readParquet(file, content, openDCFragmentColumns, "give a file with id and duration (whole numbers) and cpu_usage (DOUBLE)", func(row *parquetRow) error {
		id := row.integer(0)
		task, ok := r.tasks[id]
		if !ok {
			return row.wrong(0, "there is no such task: give the fragments of these tasks")
		}
		length, err := row.within(1, "milliseconds", 0, maxRecordedMS)
		if err != nil {
			return err
		}
		mhz := row.values[2].Double()
		if !(mhz >= 0 && mhz <= 1e12) {
			return row.wrong(2, "give MHz from 0 to 1000000000000")
		}
		if !task.pod || ages[id] > task.run {
			return nil
		}
		age := ages[id] + cluster.Time(length)*cluster.Millisecond
		ages[id] = age
		if age > task.run {
			return nil
		}
		u := use{name: id, age: age, cpu: wire.Unknown, memory: wire.Unknown}
		if task.core > 0 {
			u.cpu = int64(math.Round(float64(min(mhz/task.core, maxNodeCPUs) * 1000)))
		}
		uses = append(uses, u)
		return nil
	})
	return uses, err
}
