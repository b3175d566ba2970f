package traces

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// heliosJobs reads the jobs that a cluster of SenseTime's Helios (see helios) ran under Slurm
// in six months, on the nodes that its virtual clusters had.
var heliosJobs = &Format{
	Name: "heliosjobs",
	Doc:  "jobs of a cluster of SenseTime's Helios (SC'21): GPUs, CPUs, virtual clusters, 6 months (unproven)",
	Path: "the folder of cluster_log.csv[.gz] and cluster_gpu_number.csv[.gz]",
	Options: []Option{
		{"cpus", "48", "CPUs of a node: the files have none"},
		{"memory", "376", "GiB of memory of a node, for which no job asks: the files have none"},
		{"day", "", "on which day the nodes are those that there are, such as 2020-06-01: if left out, each virtual cluster has its most"},
		{"owners", "several", "whose pods have an owner, the Job: several: of jobs of several nodes; every: of every job, which makes each job a class of its own, and runs slow"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		_, err := recordedFile(path, heliosLog)
		return err == nil && isFolder(path)
	},
	Open: openHeliosJobs,
}

// heliosLog is the file of a cluster's jobs.
const heliosLog = "cluster_log.csv"

// heliosJobsVersion is part of every hash. It changes when the same files and options come
// to give other events.
const heliosJobsVersion = "heliosjobs/1"

// heliosColumns are those that are read. The columns duration and queue are differences of
// others, and users and states aren't followed.
var heliosColumns = []string{"job_id", "vc", "gpu_num", "cpu_num", "node_num", "submit_time", "start_time", "end_time"}

// maxHeliosNodes is more than a job had nodes.
const maxHeliosNodes = 100_000

func openHeliosJobs(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	owners, err := s.choice("owners", []string{"several", "every"})
	if err != nil {
		return nil, err
	}
	cpus, err := s.integer("cpus", 1, maxNodeCPUs)
	if err != nil {
		return nil, err
	}
	memory, err := s.integer("memory", 1, maxNodeCPUs)
	if err != nil {
		return nil, err
	}
	days := &heliosDaysReader{day: s["day"], most: s["day"] == "", like: machine{cpu: int64(cpus) * 1000, memory: int64(memory) << 30}}
	if err := days.check(s); err != nil {
		return nil, err
	}
	r := &heliosJobsReader{owners: owners}
	var parts [][]byte
	file := ""
	for _, table := range []struct {
		name string
		read func(file string, in *stream) error
	}{
		{heliosDays, func(file string, in *stream) error { return days.read(&r.tally, file, in) }},
		{heliosLog, r.read},
	} {
		if file, err = recordedFile(path, table.name); err != nil {
			return nil, err
		}
		in, err := openStream(file)
		if err != nil {
			return nil, err
		}
		err = table.read(file, in)
		parts = append(parts, in.sum())
		in.close()
		if err != nil {
			return nil, err
		}
	}
	if len(days.nodes) == 0 {
		return nil, &Error{File: filepath.Join(path, heliosDays), Problem: "no virtual cluster has a GPU", Remedy: "give a day on which some have"}
	}
	return r.trace(r.replay(days.nodes), recorded{
		file: file, span: part, settings: s, version: heliosJobsVersion,
		options: fmt.Sprintf("cpus=%d&memory=%d&day=%s&owners=%s", cpus, memory, s["day"], owners), content: []byte(hashOf(parts...)),
		epoch: sinceUnix,
	})
}

// A heliosJobsReader takes jobs in.
type heliosJobsReader struct {
	tally
	owners  string // the option
	jobs    nameSet
	batches list[batch]
	classes recordedClasses

	id, vc, gpus, cpus, nodes, submitted, started, ended column
}

// replay returns what was read, on nodes.
func (r *heliosJobsReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: &r.jobs, waits: true}
}

// read takes the rows of a file in.
func (r *heliosJobsReader) read(file string, in *stream) error {
	t, err := streamTable(file, in, heliosColumns)
	if err != nil {
		return err
	}
	r.id, r.vc, r.gpus, r.cpus, r.nodes = t.at("job_id"), t.at("vc"), t.at("gpu_num"), t.at("cpu_num"), t.at("node_num")
	r.submitted, r.started, r.ended = t.at("submit_time"), t.at("start_time"), t.at("end_time")
	return r.tally.read(t, func() (string, error) { return r.row(t) })
}

// row takes the current row in.
func (r *heliosJobsReader) row(t *table) (reason string, err error) {
	if column := t.empty(r.submitted, r.started, r.ended); column != "" {
		return column + " is empty", nil
	}
	var b batch
	var started, ended cluster.Time
	for _, at := range []struct {
		column column
		to     *cluster.Time
	}{{r.submitted, &b.at}, {r.started, &started}, {r.ended, &ended}} {
		if *at.to, err = t.moment(at.column); err != nil {
			return "", err
		}
	}
	if started < b.at || ended < started {
		return "starts before it was submitted, or ends before it starts", nil
	}
	b.waited, b.run = started-b.at, ended-started
	gpus, err := t.amount(r.gpus, maxHeliosNodes*heliosNodeGPUs)
	if err != nil {
		return "", err
	}
	cpus, err := t.amount(r.cpus, maxNodeCPUs)
	if err != nil {
		return "", err
	}
	pods, err := t.amount(r.nodes, maxHeliosNodes)
	if err != nil {
		return "", err
	}
	if pods == 0 || gpus+cpus == 0 {
		return askNothing, nil
	}
	if gpus > pods*heliosNodeGPUs {
		return "asks for more GPUs than its nodes have", nil
	}
	return "", r.add(t, &b, heliosRequest{gpus, cpus, pods})
}

// A heliosRequest is what a job asks for, on all its nodes together.
type heliosRequest struct{ gpus, cpus, pods int64 }

// add takes a job in: as many pods as it has nodes. What can't be divided evenly, the first of
// them have more of.
func (r *heliosJobsReader) add(t *table, b *batch, of heliosRequest) error {
	vc, err := t.name(r.vc)
	if err != nil {
		return err
	}
	id, err := t.name(r.id)
	if err != nil {
		return err
	}
	name := "job-" + id
	if line, twice := r.jobs.add([]byte(name), t.line()); twice {
		return t.wrongField(r.id, fmt.Sprintf("line %d has that job already: leave one of them out", line))
	}
	b.name = r.jobs.last()
	q := recordedRequest{namespace: vc, on: cluster.Label{Key: "vc", Value: vc}}
	if of.pods > 1 || r.owners == "every" {
		q.owner = cluster.OwnerRef{Kind: "Job", Name: name}
	}
	breaks := []int64{0, of.gpus % of.pods, of.cpus % of.pods, of.pods} // where pods begin to ask for less
	slices.Sort(breaks)
	for i, first := range breaks[:len(breaks)-1] {
		n := breaks[i+1] - first
		if n == 0 {
			continue
		}
		q.gpus, q.cpu = int32(shareOf(of.gpus, of.pods, first)), 1000*shareOf(of.cpus, of.pods, first)
		if b.class = r.classes.number(&q); of.pods > 1 {
			b.first, b.pods = int32(first), int32(n)
		}
		r.batches.add(*b)
		b.more = true
	}
	return nil
}

// shareOf returns what of an amount the i-th of some pods has.
func shareOf(amount, pods, i int64) int64 {
	if i < amount%pods {
		return amount/pods + 1
	}
	return amount / pods
}
