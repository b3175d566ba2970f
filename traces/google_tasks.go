package traces

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/berthsim/berth/cluster"
)

// googleTasks reads the task events of Google's ClusterData2011-2, whose machine
// events google2011 reads, and the machines that were there when it began.
var googleTasks = &Format{
	Name: "google2011",
	Doc:  "tasks of Google's ClusterData2011-2 (Borg): priorities, CPU and memory, 12,477 machines",
	Path: "the folder of task_events and machine_events",
	Options: []Option{
		{"zones", "3", "how many zones machines are put into, by a hash of their id: the recording has none"},
		{"cpus", "64", "CPUs of a machine of capacity 1, the largest: the recording has shares of it only"},
		{"memory", "256", "GiB of memory of a machine of capacity 1"},
		{"owners", "none", "whether pods have an owner: none; job: the Job they are of, which makes each job a class of its own, and runs slow"},
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
	owners, err := s.choice("owners", []string{"none", "job"})
	if err != nil {
		return nil, err
	}
	m, options, err := s.googleMachines()
	if err != nil {
		return nil, err
	}
	machines := newGoogleReader(m)
	r := newGoogleTaskReader(m, owners)
	var parts [][]byte
	file := ""
	for _, events := range []struct {
		folder string
		read   func(file string, in *stream) error
	}{{googleFolder, machines.read}, {googleTaskFolder, r.read}} {
		files, err := googleFiles(path, events.folder)
		if err != nil {
			return nil, err
		}
		for _, file = range files {
			in, err := openStream(file)
			if err != nil {
				return nil, err
			}
			err = events.read(file, in)
			parts = append(parts, in.sum())
			in.close()
			if err != nil {
				return nil, err
			}
		}
	}
	r.rows += m.rows[machineAdd] + m.rows[machineRemove] + m.rows[machineUpdate]
	r.finish()
	nodes := m.first()
	if len(nodes) == 0 {
		return nil, &Error{File: path, Problem: "no machines are there when it begins", Remedy: "give a recording with at least one"}
	}
	events := r.replay(nodes)
	events.waits, events.machines = true, m
	return r.trace(events, recorded{
		file: file, span: part, settings: s, version: googleTasksVersion,
		options: options + "&owners=" + owners, content: []byte(hashOf(parts...)),
		epoch: func(at cluster.Time) time.Time { return google2011Began.Add(time.Duration(at)) },
	})
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
