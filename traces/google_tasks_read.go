package traces

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// googleTaskColumns are the columns of task events, by the names of the recording's
// schema.csv.
var googleTaskColumns = []string{
	"time", "missing info", "job ID", "task index", "machine ID", "event type", "user", "scheduling class", "priority",
	"CPU request", "memory request", "disk space request", "different machines restriction",
}

// Columns that are read, by where they are.
const (
	googleTimeAt   column = 0
	googleJobAt    column = 2
	googleIndexAt  column = 3
	googleTypeAt   column = 5
	googleUserAt   column = 6
	googleClassAt  column = 7
	googlePriority column = 8
	googleCPUAt    column = 9
	googleMemoryAt column = 10
)

// Event types of tasks. Those from EVICT to LOST end one; two others change what it
// asks for, and aren't followed.
const (
	taskSubmit     = 0
	taskSchedule   = 1
	taskEvict      = 2
	taskLost       = 6
	taskLastUpdate = 8
)

// A googleTask is what tells tasks apart.
type googleTask struct{ job, index int64 }

// A googleTaskReader takes task events in. A task from when it was submitted to when
// it ended is a batch of one pod; one that was submitted again, another.
type googleTaskReader struct {
	tally
	machines *Machines // which says how large a machine of capacity 1 is
	owners   string    // the option

	jobs        *googleJobReader        // nil if nobody asks for more than task events have
	labelling   *googleLabelling        // likewise, for labels
	constraints *googleConstraintReader // likewise

	last    int64                // the time of the last row, in µs
	tasks   map[googleTask]int32 // where states has each
	states  list[googleState]
	users   map[string]string // namespaces by hash
	names   nameMaker
	called  texts // what names made
	batches list[batch]
	origins list[googleOrigin] // of each batch
	files   []string           // that were read
	classes recordedClasses
}

// A googleOrigin is what is known of a batch that isn't the pod's.
type googleOrigin struct {
	scheduled  cluster.Time // unknown if it wasn't yet
	file, line int32        // where it was submitted
}

// A googleState is what is known of a task, as of the last row.
type googleState struct {
	there    bool  // whether it hasn't ended
	attempts int32 // how often it has
	batch    int32 // if it is there
}

// unknown stands for a time that isn't known.
const unknown = cluster.Time(-1)

func newGoogleTaskReader(m *Machines, owners string) *googleTaskReader {
	return &googleTaskReader{
		machines: m, owners: owners, tasks: map[googleTask]int32{},
		users: map[string]string{},
	}
}

// replay returns what was read, on nodes.
func (r *googleTaskReader) replay(nodes []*cluster.NodeSpec) *replay {
	replayed := &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: &r.called, waits: true}
	if r.labelling != nil {
		replayed.labels = r.labelling.of
	}
	return replayed
}

// read takes the rows of a file in.
func (r *googleTaskReader) read(file string, in *stream) error {
	r.files = append(r.files, file)
	t := newHeadless(file, in, googleTaskColumns)
	return r.tally.read(t, func() (string, error) { return r.row(t) })
}

// row takes the current row in.
func (r *googleTaskReader) row(t *table) (reason string, err error) {
	at, err := t.amount(googleTimeAt, math.MaxInt64)
	if err != nil {
		return "", err
	}
	if at == math.MaxInt64 {
		return "after the recording", nil
	}
	if at < r.last || at > maxSeconds*1_000_000 {
		return "", t.wrongField(googleTimeAt, fmt.Sprintf("give microseconds; a row before has %d: sort the rows by time", r.last))
	}
	r.last = at
	var task googleTask
	if task.job, err = t.amount(googleJobAt, math.MaxInt64); err != nil {
		return "", err
	}
	if task.index, err = t.amount(googleIndexAt, math.MaxInt64); err != nil {
		return "", err
	}
	kind, err := t.amount(googleTypeAt, taskLastUpdate)
	if err != nil {
		return "", err
	}
	s := r.state(task)
	switch {
	case kind == taskSubmit && s.there:
		return "submitted, though it is there", nil
	case kind == taskSubmit:
		return r.submit(t, at, task, s)
	case kind > taskLost:
		return "an update of what a task asks for", nil
	case !s.there:
		return "of a task that isn't there", nil
	case kind == taskSchedule:
		r.origins.at(int(s.batch)).scheduled = googleTime(at)
	default:
		r.end(s, googleTime(at))
	}
	return "", nil
}

// state returns that of a task, which stays where it is until the next row.
func (r *googleTaskReader) state(task googleTask) *googleState {
	i, ok := r.tasks[task]
	if !ok {
		i = int32(r.states.count)
		r.tasks[task] = i
		r.states.add(googleState{})
	}
	return r.states.at(int(i))
}

// submit takes a new task in, or one that is submitted again.
func (r *googleTaskReader) submit(t *table, at int64, task googleTask, s *googleState) (reason string, err error) {
	if column := t.empty(googleUserAt, googleCPUAt, googleMemoryAt); column != "" {
		return column + " is empty", nil
	}
	cpu, err := t.share(googleCPUAt)
	if err != nil {
		return "", err
	}
	memory, err := t.share(googleMemoryAt)
	if err != nil {
		return "", err
	}
	priority, err := t.amount(googlePriority, 1000)
	if err != nil {
		return "", err
	}
	q := recordedRequest{
		namespace: r.namespace(t.text(googleUserAt)), priority: int32(priority),
		cpu:    int64(math.Round(float64(cpu * r.machines.cpu))),
		memory: int64(math.Round(float64(memory*r.machines.memory)/mib)) * mib,
	}
	if reason, err = r.more(t, at, task, &q); reason != "" || err != nil {
		return reason, err
	}
	name := r.names.begin("job-").number(task.job)
	if r.owners == "job" || r.owners == "program" && q.owner.Name == "" {
		q.owner = cluster.OwnerRef{Kind: "Job", Name: name.name()}
	}
	if name.add("-").number(task.index); s.attempts > 0 {
		name.add("-again-").number(int64(s.attempts))
	}
	s.there, s.batch = true, int32(r.batches.count)
	r.batches.add(batch{at: googleTime(at), run: unknown, class: r.classes.number(&q), name: r.called.put(name.name())})
	r.origins.add(googleOrigin{scheduled: unknown, file: int32(len(r.files) - 1), line: int32(t.line())})
	return "", nil
}

// more takes what other tables say of a task in, as far as options ask for it. A job of which
// job events say nothing is a program of its own.
func (r *googleTaskReader) more(t *table, at int64, task googleTask, q *recordedRequest) (reason string, err error) {
	if r.owners == "program" {
		if program, known := r.jobs.of[task.job]; known {
			q.owner = cluster.OwnerRef{Kind: "Job", Name: program}
		}
	}
	if r.labelling != nil {
		if column := t.empty(googleClassAt); column != "" {
			return column + " is empty", nil
		}
		class, err := t.amount(googleClassAt, 1000)
		if err != nil {
			return "", err
		}
		r.labelling.add(googleLabels{job: task.job, class: class, user: q.namespace})
	}
	if r.constraints != nil {
		q.required = r.constraints.asked(task, at)
	}
	return "", nil
}

// googleTime returns a time of the recording's clock, in µs, by ours.
func googleTime(at int64) cluster.Time { return max(0, cluster.Time(at)*microsecond-googleStart) }

// namespace returns that of a user, who is known by a hash only: user-1 and so on, in
// order of first appearance.
func (r *googleTaskReader) namespace(user string) string {
	n, ok := r.users[user]
	if !ok {
		n = "user-" + strconv.Itoa(len(r.users)+1)
		r.users[strings.Clone(user)] = n
	}
	return n
}

// end ends a task's batch. If it was never scheduled, its run time isn't known.
func (r *googleTaskReader) end(s *googleState, at cluster.Time) {
	if from := r.origins.at(int(s.batch)).scheduled; from != unknown {
		r.batches.at(int(s.batch)).run = at - from
	}
	s.there = false
	s.attempts++
}

// finish ends what is still there when the rows end: what runs, runs until then. It
// takes back what was never scheduled.
func (r *googleTaskReader) finish() {
	var kept list[batch]
	end := googleTime(r.last)
	for i := range r.batches.count {
		b, origin := *r.batches.at(i), r.origins.at(i)
		if origin.scheduled == unknown {
			r.reject("never scheduled", r.files[origin.file], int(origin.line))
			continue
		}
		if b.run == unknown {
			b.run = end - origin.scheduled
		}
		b.waited = origin.scheduled - b.at
		kept.add(b)
	}
	r.batches = kept
}
