package traces

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// helios reads the nodes of clusters of SenseTime's Helios: Hu et al., "Characterization and
// Prediction of Deep Learning Workloads in Large-Scale GPU Datacenters", SC'21,
// https://github.com/S-Lab-System-Group/HeliosData. One file has those of Venus by virtual
// cluster; those of the dataset itself have for each cluster, virtual cluster and day how many
// GPUs there were.
var helios = heliosFormat()

// heliosNodeGPUs are the GPUs of a node of any of its clusters.
const heliosNodeGPUs = 8

// heliosDays is what the files that have GPUs by day are called: the dataset's, and behind the
// name of a cluster those of the paper's artifact.
const heliosDays = "cluster_gpu_number.csv"

func heliosFormat() *Format {
	f := heliosNodes.format()
	f.Doc = "nodes by virtual cluster of SenseTime's Helios (SC'21); pods are drawn as in synthetic"
	f.Path = "the file Venus_vc_config.csv[.gz], or its folder; or a file *_gpu_number.csv[.gz]"
	f.Options = append(f.Options, Option{"day", "", "which day's virtual clusters, such as 2020-06-01, of a file that has them by day: the first if left out"})
	named := f.Recognise
	f.Recognise = func(path string) bool { return named(path) || heliosDaysFile(path) != "" }
	f.Open = openHelios
	return f
}

// heliosDaysFile returns the file with GPUs by day that path names, "" if it names none.
func heliosDaysFile(path string) string {
	file, err := recordedFile(path, heliosNodes.file, heliosDays)
	if err != nil || !strings.HasSuffix(strings.TrimSuffix(filepath.Base(file), ".gz"), strings.TrimPrefix(heliosDays, "cluster")) {
		return ""
	}
	return file
}

func openHelios(path string, s Settings) (*Trace, error) {
	file := heliosDaysFile(path)
	if file == "" {
		if s["day"] != "" {
			return nil, s.wrong("day", "leave it out: the file has no days")
		}
		return heliosNodes.open(path, s)
	}
	r := heliosDaysReader{day: s["day"]}
	if err := r.check(s); err != nil {
		return nil, err
	}
	return heliosNodes.openFile(file, s, "&day="+r.day, func(y *tally, file string, in *stream, like machine) ([]*cluster.NodeSpec, error) {
		r.like = like
		err := r.read(y, file, in)
		return r.nodes, err
	})
}

// A heliosDaysReader makes nodes of what the rows of days say of virtual clusters.
type heliosDaysReader struct {
	day   string // that is read; "" for the first
	most  bool   // instead, all days: each virtual cluster has the most that it ever had
	like  machine
	gpus  []int64 // of each virtual cluster, by column
	taken bool    // whether a day was
	nodes []*cluster.NodeSpec
}

// check returns an error if the option day is none.
func (r *heliosDaysReader) check(s Settings) error {
	if _, err := time.Parse(time.DateOnly, r.day); r.day != "" && err != nil {
		return s.wrong("day", "give a date such as 2020-06-01")
	}
	return nil
}

// read takes the rows of a file in, and makes the nodes.
func (r *heliosDaysReader) read(y *tally, file string, in *stream) error {
	t, err := streamTable(file, in, []string{"date"})
	if err != nil {
		return err
	}
	r.gpus = make([]int64, t.width)
	if err := y.read(t, func() (string, error) { return r.row(t) }); err != nil {
		return err
	}
	switch {
	case r.taken:
	case r.day == "":
		return &Error{File: file, Problem: "no row of any day", Remedy: "fetch it again"}
	default:
		return &Error{File: file, Problem: "no row of the day " + r.day, Remedy: "give a day that has one"}
	}
	for c, gpus := range r.gpus {
		r.add(t.names[c], int(gpus))
	}
	return nil
}

// row takes the current row in, if it is the day's.
func (r *heliosDaysReader) row(t *table) (reason string, err error) {
	date := t.text(t.at("date"))
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return "", t.wrongField(t.at("date"), "give a date such as 2020-06-01")
	}
	if r.taken && !r.most || r.day != "" && date != r.day {
		return "of another day", nil
	}
	r.taken = true
	sum := int64(0)
	for c := range column(t.width) {
		name := t.names[c]
		if name == "date" || name == "total" {
			continue
		}
		if !isName(name) || name == "" {
			return "", t.wrong(c, "a virtual cluster is called "+quoted(name), "give a name without spaces and slashes")
		}
		gpus, err := t.amount(c, heliosNodeGPUs*10_000)
		if err != nil {
			return "", err
		}
		r.gpus[c] = max(r.gpus[c], gpus)
		sum += gpus
	}
	if t.has("total") {
		total, err := t.amount(t.at("total"), maxNodes*heliosNodeGPUs)
		if err != nil {
			return "", err
		}
		if total != sum {
			return "", t.wrongField(t.at("total"), fmt.Sprintf("the virtual clusters have %d together: correct one of them", sum))
		}
	}
	return "", nil
}

// add adds the nodes of a virtual cluster, the last of which has the rest.
func (r *heliosDaysReader) add(name string, gpus int) {
	for i := 1; gpus > 0; i++ {
		m := r.like
		m.name, m.labels = strings.Clone(name)+"-"+strconv.Itoa(i), map[string]string{"vc": strings.Clone(name)}
		m.gpus = min(gpus, heliosNodeGPUs)
		r.nodes = append(r.nodes, m.node())
		gpus -= m.gpus
	}
}
