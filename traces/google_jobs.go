package traces

import (
	"fmt"
	"math"
	"strconv"

	"github.com/berthsim/berth/cluster"
)

// googleJobFolder is where a recording has its job events.
const googleJobFolder = "job_events"

// googleJobColumns are the columns of job events, by the names of the recording's
// schema.csv.
var googleJobColumns = []string{"time", "missing info", "job ID", "event type", "user", "scheduling class", "job name", "logical job name"}

// Columns that are read, by where they are.
const (
	googleJobTimeAt    column = 0
	googleJobIDAt      column = 2
	googleJobTypeAt    column = 3
	googleJobLogicalAt column = 7
)

// A googleJobReader takes job events in. All that they say of a job and task events
// don't is its name. Names are hashed, and so is the logical name, which is the same for
// all jobs that run one program: program-1 and so on, in order of first appearance.
type googleJobReader struct {
	last     int64             // the time of the last row, in µs
	programs map[string]string // by logical name
	of       map[int64]string  // the program of each job
}

func newGoogleJobReader() *googleJobReader {
	return &googleJobReader{programs: map[string]string{}, of: map[int64]string{}}
}

// row takes the current row in. Event types are those of tasks. Every row of a job has
// its names, so that the first is enough.
func (r *googleJobReader) row(t *table) (reason string, err error) {
	at, err := t.amount(googleJobTimeAt, math.MaxInt64)
	if err != nil {
		return "", err
	}
	if at < r.last {
		return "", t.wrongField(googleJobTimeAt, fmt.Sprintf("a row before has %d: sort the rows by time", r.last))
	}
	r.last = at
	job, err := t.amount(googleJobIDAt, math.MaxInt64)
	if err != nil {
		return "", err
	}
	if _, err := t.amount(googleJobTypeAt, taskLastUpdate); err != nil {
		return "", err
	}
	if column := t.empty(googleJobLogicalAt); column != "" {
		return column + " is empty", nil
	}
	if _, known := r.of[job]; known {
		return "", nil
	}
	r.of[job] = called(r.programs, "program-", t.text(googleJobLogicalAt))
	return "", nil
}

// A googleLabelling gives pods labels that say what task and job events know of them.
type googleLabelling struct {
	jobs   *googleJobReader
	sets   []cluster.Labels
	known  map[googleLabels]int32 // where sets has them
	labels list[int32]            // of each name of a pod, the number of its set
}

// googleLabels are what tells sets of labels apart.
type googleLabels struct {
	job, class int64
	user       string
}

func newGoogleLabelling(jobs *googleJobReader) *googleLabelling {
	return &googleLabelling{jobs: jobs, known: map[googleLabels]int32{}}
}

// add says what labels the next pod has that is named.
func (l *googleLabelling) add(of googleLabels) {
	n, ok := l.known[of]
	if !ok {
		n = int32(len(l.sets))
		l.known[of] = n
		labels := map[string]string{
			"job":              "job-" + strconv.FormatInt(of.job, 10),
			"scheduling-class": strconv.FormatInt(of.class, 10),
			"user":             of.user,
		}
		if program, known := l.jobs.of[of.job]; known {
			labels["program"] = program
		}
		l.sets = append(l.sets, cluster.MakeLabels(labels))
	}
	l.labels.add(n)
}

// of returns the labels of the pod whose name has a number.
func (l *googleLabelling) of(name int64) cluster.Labels { return l.sets[*l.labels.at(int(name))] }
