package traces

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// philly reads jobs of Microsoft's Philly: Jeon, Venkataraman, Phanishayee, Qian,
// Xiao, Yang, "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training
// Workloads", USENIX ATC'19, https://github.com/msr-fiddle/philly-traces, as one
// table of what each asked for and how long it ran, which simulators of schedulers
// for training (Pollux, ElasticFlow) pass on.
//
// The column gpu_time, the product of two others, is not read.
var philly = &Format{
	Name: "philly",
	Doc:  "training jobs of Microsoft's Philly (USENIX ATC'19): whole GPUs, virtual clusters, 109 days",
	Path: "a CSV file with the columns timestamp, duration, num_gpus and cluster, or the folder with philly.csv[.gz]",
	Options: []Option{
		{"nodes2", "321", "how many nodes with 2 GPUs: the file has no nodes"},
		{"nodes8", "231", "how many nodes with 8 GPUs"},
		{"owners", "several", "whose pods have an owner, the Job: several: of jobs of several pods; every: of every job, which makes each job a class of its own, and runs slow"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		return strings.HasPrefix(firstLine(path, "philly.csv"), "timestamp,duration,num_gpus,gpu_time,cluster")
	},
	Open: openPhilly,
}

// phillyVersion is part of every hash. It changes when the same file and options
// come to give other events.
const phillyVersion = "philly/1"

// phillyColumns are those that are read.
var phillyColumns = []string{"timestamp", "duration", "num_gpus", "cluster"}

// Bounds of what is read as a number of GPUs, and as a number of nodes.
const (
	phillyPodGPUs = 8 // of the largest nodes, and so of a pod
	maxPhillyGPUs = 100_000
	maxNodes      = 1_000_000
)

func openPhilly(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := phillyNodes(s)
	if err != nil {
		return nil, err
	}
	owners, err := s.choice("owners", []string{"several", "every"})
	if err != nil {
		return nil, err
	}
	file, err := recordedFile(path, "philly.csv")
	if err != nil {
		return nil, err
	}
	in, err := openStream(file)
	if err != nil {
		return nil, err
	}
	defer in.close()
	r := newPhillyReader(owners)
	if err := r.read(file, in); err != nil {
		return nil, err
	}
	return r.trace(r.replay(nodes), recorded{
		file: file, span: part, settings: s,
		version: phillyVersion, options: "nodes2=" + s["nodes2"] + "&nodes8=" + s["nodes8"] + "&owners=" + owners, content: in.sum(),
		epoch: sinceUnix,
	})
}

// phillyNodes makes the nodes, those with 2 GPUs first. Philly had 552 machines
// and 2,490 GPUs at most, with 2 or 8 each: 321 and 231. What else they had is not
// published, so that a node has no CPUs and no memory to give, and no pod asks.
func phillyNodes(s Settings) ([]*cluster.NodeSpec, error) {
	var nodes []*cluster.NodeSpec
	for _, gpus := range []int{2, phillyPodGPUs} {
		key := "nodes" + strconv.Itoa(gpus)
		n, err := s.integer(key, 0, maxNodes)
		if err != nil {
			return nil, err
		}
		for i := range n {
			name := fmt.Sprintf("node-%dgpu-%03d", gpus, i)
			nodes = append(nodes, machine{name: name, gpus: gpus}.node())
		}
	}
	if len(nodes) == 0 {
		return nil, &Error{Problem: "nodes2 and nodes8 are both 0", Remedy: "give at least one node"}
	}
	return nodes, nil
}

// A phillyReader takes jobs in.
type phillyReader struct {
	tally
	owners  string // the option
	batches list[batch]
	classes recordedClasses

	timestamp, duration, gpus, cluster column
}

func newPhillyReader(owners string) *phillyReader {
	return &phillyReader{owners: owners}
}

// replay returns what was read, on nodes.
func (r *phillyReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: numbered(phillyPrefix)}
}

// phillyPrefix is what the name of each job begins with; its row's number follows.
const phillyPrefix = "job-"

// read takes the rows of a file in.
func (r *phillyReader) read(file string, in *stream) error {
	t, err := streamTable(file, in, phillyColumns)
	if err != nil {
		return err
	}
	r.timestamp, r.duration, r.gpus, r.cluster = t.at("timestamp"), t.at("duration"), t.at("num_gpus"), t.at("cluster")
	return r.tally.read(t, func() (string, error) { return r.row(t) })
}

// row takes the current row in.
func (r *phillyReader) row(t *table) (reason string, err error) {
	if column := t.empty(r.timestamp, r.duration, r.gpus, r.cluster); column != "" {
		return column + " is empty", nil
	}
	var b batch
	if b.at, err = t.moment(r.timestamp); err != nil {
		return "", err
	}
	if b.run, err = t.seconds(r.duration); err != nil {
		return "", err
	}
	gpus, err := t.amount(r.gpus, maxPhillyGPUs)
	if err != nil {
		return "", err
	}
	if gpus == 0 {
		return askNothing, nil
	}
	namespace := t.text(r.cluster)
	if !isName(namespace) {
		return "", t.wrongField(r.cluster, "give a name without spaces and slashes")
	}
	b.name = int64(t.line() - 1) // the row, from 1, whatever part is played
	r.add(&b, &recordedRequest{namespace: namespace, gpus: int32(gpus)})
	return "", nil
}

// add takes a job in: a pod, or several of 8 GPUs, the last of which has the rest.
func (r *phillyReader) add(b *batch, q *recordedRequest) {
	gpus := q.gpus
	if gpus > phillyPodGPUs || r.owners == "every" {
		q.owner = cluster.OwnerRef{Kind: "Job", Name: phillyPrefix + strconv.FormatInt(b.name, 10)}
	}
	if gpus <= phillyPodGPUs {
		b.class = r.classes.number(q)
		r.batches.add(*b)
		return
	}
	q.gpus, b.pods = phillyPodGPUs, gpus/phillyPodGPUs
	b.class = r.classes.number(q)
	r.batches.add(*b)
	if q.gpus = gpus % phillyPodGPUs; q.gpus > 0 {
		b.class, b.first, b.pods, b.more = r.classes.number(q), b.pods, 1, true
		r.batches.add(*b)
	}
}
