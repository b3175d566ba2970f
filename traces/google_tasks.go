package traces

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/berthsim/berth/cluster"
)

// googleTasks reads the task events of Google's ClusterData2011-2, whose machine
// events google2011 reads, the machines that were there when it began, and, if asked to,
// job events, constraints of tasks, and the attributes of machines that they are about.
var googleTasks = &Format{
	Name: "google2011",
	Doc:  "tasks of Google's ClusterData2011-2 (Borg): priorities, CPU and memory, 12,477 machines",
	Path: "the folder of task_events and machine_events",
	Options: []Option{
		{"zones", "3", "how many zones machines are put into, by a hash of their id: the recording has none"},
		{"cpus", "64", "CPUs of a machine of capacity 1, the largest: the recording has shares of it only"},
		{"memory", "256", "GiB of memory of a machine of capacity 1"},
		{"owners", "none", "whether pods have an owner: none; job: the Job they are of, which makes each job a class of its own, and runs slow; program: one for all jobs of a logical name in job_events"},
		{"labels", "none", "labels of pods: none; job: job, program, scheduling-class and user, of task_events and job_events"},
		{"constraints", "none", "whether nodes must have what task_constraints ask of machine_attributes: none; node: as node affinity (unproven)"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		_, err := os.Stat(filepath.Join(path, googleTaskFolder))
		return err == nil
	},
	Open: openGoogleTasks,
}

// googleTaskFolder is where a recording has its task events.
const googleTaskFolder = "task_events"

// googleTasksVersion is part of every hash. It changes when the same files and options
// come to give other events.
const googleTasksVersion = "google2011 tasks/1"

func openGoogleTasks(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	r, options, err := s.googleTaskReader()
	if err != nil {
		return nil, err
	}
	f := googleFolder2011{path: path}
	m := r.machines
	if err := f.each(googleFolder, newGoogleReader(m).read); err != nil {
		return nil, err
	}
	r.rows += m.rows[machineAdd] + m.rows[machineRemove] + m.rows[machineUpdate]
	nodes := m.first()
	if len(nodes) == 0 {
		return nil, &Error{File: path, Problem: "no machines are there when it begins", Remedy: "give a recording with at least one"}
	}
	if err := r.readBeside(&f, nodes); err != nil {
		return nil, err
	}
	if err := f.each(googleTaskFolder, r.read); err != nil {
		return nil, err
	}
	r.finish()
	events := r.replay(nodes)
	events.waits, events.machines = true, m
	return r.trace(events, recorded{
		file: f.last, span: part, settings: s, version: googleTasksVersion,
		options: options, content: []byte(hashOf(f.sums...)),
		epoch: func(at cluster.Time) time.Time { return google2011Began.Add(time.Duration(at)) },
	})
}

// googleTaskReader makes a reader as options say, and returns these as they are written down
// for a hash: those that were there from the first, and others that aren't as by default.
func (s Settings) googleTaskReader() (r *googleTaskReader, options string, err error) {
	owners, err := s.choice("owners", []string{"none", "job", "program"})
	if err != nil {
		return nil, "", err
	}
	labels, err := s.choice("labels", []string{"none", "job"})
	if err != nil {
		return nil, "", err
	}
	constraints, err := s.choice("constraints", []string{"none", "node"})
	if err != nil {
		return nil, "", err
	}
	m, options, err := s.googleMachines()
	if err != nil {
		return nil, "", err
	}
	options += "&owners=" + owners
	r = newGoogleTaskReader(m, owners)
	if owners == "program" || labels == "job" {
		r.jobs = newGoogleJobReader()
	}
	if labels == "job" {
		r.labelling = newGoogleLabelling(r.jobs)
		options += "&labels=job"
	}
	if constraints == "node" {
		r.constraints = newGoogleConstraintReader()
		options += "&constraints=node"
	}
	return r, options, nil
}

// readBeside reads the tables of a recording that say more of its nodes and tasks, as far as
// options ask for them, and labels the nodes.
func (r *googleTaskReader) readBeside(f *googleFolder2011, nodes []*cluster.NodeSpec) error {
	if r.jobs != nil {
		if err := f.each(googleJobFolder, r.rowsOf(googleJobColumns, r.jobs.row)); err != nil {
			return err
		}
	}
	c := r.constraints
	if c == nil {
		return nil
	}
	c.know(nodes)
	if err := f.each(googleAttributeFolder, r.rowsOf(googleAttributeColumns, c.attribute)); err != nil {
		return err
	}
	c.label(nodes)
	err := f.each(googleConstraintFolder, r.rowsOf(googleConstraintColumns, c.constraint))
	r.classes.selectors = c.requirements.selectors()
	return err
}

// rowsOf returns what reads a file of a table, and counts its rows.
func (r *googleTaskReader) rowsOf(columns []string, row func(*table) (string, error)) func(string, *stream) error {
	return func(file string, in *stream) error {
		t := newHeadless(file, in, columns)
		return r.tally.read(t, func() (string, error) { return row(t) })
	}
}

// A googleFolder2011 is a recording whose tables are read, one after another.
type googleFolder2011 struct {
	path string
	sums [][]byte // hashes of the files that were read
	last string   // of these
}

// each reads the files of a table.
func (f *googleFolder2011) each(folder string, read func(file string, in *stream) error) error {
	files, err := googleFiles(f.path, folder)
	if err != nil {
		return err
	}
	for _, file := range files {
		in, err := openStream(file)
		if err != nil {
			return err
		}
		err = read(file, in)
		f.last, f.sums = file, append(f.sums, in.sum())
		in.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// google2011Began is when the recording began, as its authors say: 19:00 in New York.
var google2011Began = time.Date(2011, time.May, 1, 23, 0, 0, 0, time.UTC)

// googleMachines makes Machines of the options that say how large they are, and
// returns these as they are written down for a hash.
func (s Settings) googleMachines() (m *Machines, options string, err error) {
	m = &Machines{}
	if m.zones, err = s.integer("zones", 1, 1000); err != nil {
		return nil, "", err
	}
	cpus, err := s.integer("cpus", 1, 10_000)
	if err != nil {
		return nil, "", err
	}
	memory, err := s.integer("memory", 1, 1_000_000)
	if err != nil {
		return nil, "", err
	}
	m.cpu, m.memory = float64(cpus*1000), float64(float64(memory)*(1<<30))
	return m, fmt.Sprintf("zones=%d&cpus=%d&memory=%d", m.zones, cpus, memory), nil
}

// first returns the machines that were there when the recording began, with room for
// as many pods as their tasks ask for.
func (m *Machines) first() []*cluster.NodeSpec {
	var nodes []*cluster.NodeSpec
	for i := range m.events {
		e := &m.events[i]
		if e.at > 0 {
			break
		}
		if e.kind == machineAdd {
			n := m.node(e)
			n.Capacity[cluster.PodSlots] = manySlots
			nodes = append(nodes, n)
		}
	}
	return nodes
}
