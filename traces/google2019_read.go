package traces

import (
	"fmt"
	"math"
	"strconv"

	"github.com/berthsim/berth/cluster"
)

// Event types of instances in the third version of the recording, in which those of
// 2011 have other numbers. From EVICT to LOST they end one.
const (
	instanceSubmit   = 0
	instanceQueue    = 1
	instanceEnable   = 2
	instanceSchedule = 3
	instanceLost     = 8
	instanceLast     = 10
)

// A google2019Reader takes rows in. Instances are tasks of 2011 otherwise.
type google2019Reader struct {
	googleTaskReader
	line     int
	machines *googleReader
	users    map[int64]string // by collection
}

func newGoogle2019Reader(m *Machines, owners string) *google2019Reader {
	return &google2019Reader{
		googleTaskReader: *newGoogleTaskReader(m, owners), machines: newGoogleReader(m), users: map[int64]string{},
	}
}

// since returns the time of a row, which must not be before that of the last.
func (r *google2019Reader) since(at bigInteger, last *int64) error {
	if !at.known || at.value < *last || at.value != math.MaxInt64 && at.value > maxSeconds*1_000_000 {
		return r.wrong(fmt.Sprintf("time is %d", at.value), fmt.Sprintf("give microseconds; a row before has %d: sort the rows by time", *last))
	}
	*last = at.value
	return nil
}

// machine takes a row of machine_events in.
func (r *google2019Reader) machine(text []byte) (reason string, err error) {
	var row struct {
		Time     bigInteger       `json:"time"`
		Machine  bigInteger       `json:"machine_id"`
		Type     bigInteger       `json:"type"`
		Capacity *googleResources `json:"capacity"`
	}
	if err := r.decode(text, &row); err != nil {
		return "", err
	}
	m := r.machines
	if err := r.since(row.Time, &m.last); err != nil {
		return "", err
	}
	kind := row.Type.value - 1 // 2011 begins at 0
	cpu, memory, ok := row.Capacity.shares()
	if !ok || !row.Machine.known || !row.Type.known || kind < machineAdd || kind > machineUpdate {
		return "", r.wrong("no machine event", "give a machine_id, a type from 1 to 3 and shares from 0 to 1")
	}
	n, known := m.ids[row.Machine.value]
	switch there := known && m.state[n].present; {
	case kind == machineAdd && there:
		return "adds a machine that is there", nil
	case kind != machineAdd && !there:
		return "removes or changes a machine that isn't there", nil
	case !known:
		n = int32(len(m.state))
		m.ids[row.Machine.value] = n
		m.state = append(m.state, googleMachine{since: -1})
		m.into.names = append(m.into.names, "machine-"+strconv.FormatInt(row.Machine.value, 10))
		m.into.outages = append(m.into.outages, nil)
	}
	m.take(n, row.Time.value, kind, cpu, memory)
	if of := m.into.outages[n]; len(of) > 0 && of[len(of)-1].at == of[len(of)-1].until { // gone for no time
		m.into.outages[n] = of[:len(of)-1]
		m.into.repairs--
	}
	return "", nil
}

// collection takes a row of collection_events in: whose the collection is.
func (r *google2019Reader) collection(text []byte) (reason string, err error) {
	var row struct {
		Collection bigInteger `json:"collection_id"`
		User       string     `json:"user"`
	}
	if err := r.decode(text, &row); err != nil {
		return "", err
	}
	if _, known := r.users[row.Collection.value]; known || row.User == "" {
		return "says of a collection what is known, or isn't read", nil
	}
	r.users[row.Collection.value] = r.namespace(row.User)
	return "", nil
}

// A google2019Instance is a row of instance_events.
type google2019Instance struct {
	Time       bigInteger       `json:"time"`
	Type       bigInteger       `json:"type"`
	Collection bigInteger       `json:"collection_id"`
	Index      bigInteger       `json:"instance_index"`
	Priority   bigInteger       `json:"priority"`
	Alloc      bigInteger       `json:"alloc_collection_id"`
	Request    *googleResources `json:"resource_request"`
}

// instance takes a row of instance_events in.
func (r *google2019Reader) instance(text []byte) (reason string, err error) {
	var row google2019Instance
	if err := r.decode(text, &row); err != nil {
		return "", err
	}
	if row.Time.value == math.MaxInt64 {
		return "after the recording", nil
	}
	if err := r.since(row.Time, &r.last); err != nil {
		return "", err
	}
	kind := row.Type.value
	if !row.Collection.known || !row.Index.known || !row.Type.known || kind < instanceSubmit || kind > instanceLast {
		return "", r.wrong("no instance event", "give a collection_id, an instance_index and a type from 0 to 10")
	}
	if row.Alloc.value != 0 {
		return "of a task in an alloc set, whose instances are the pods", nil
	}
	task := googleTask{row.Collection.value, row.Index.value}
	s := r.state(task)
	switch {
	case kind == instanceSubmit && s.there:
		return "submitted, though it is there", nil
	case kind == instanceSubmit:
		return r.arrive(&row, task, s)
	case kind == instanceQueue || kind == instanceEnable:
		return "queues an instance, or says that it may run", nil
	case kind > instanceLost:
		return "an update of what a task asks for", nil
	case kind == instanceSchedule && !s.there: // that it was submitted is missing
		if reason, err = r.arrive(&row, task, s); reason != "" || err != nil {
			return reason, err
		}
		r.origins.at(int(s.batch)).scheduled = googleTime(row.Time.value)
	case !s.there:
		return "of a task that isn't there", nil
	case kind == instanceSchedule:
		r.origins.at(int(s.batch)).scheduled = googleTime(row.Time.value)
	default:
		r.end(s, googleTime(row.Time.value))
	}
	return "", nil
}

// arrive takes a new instance in, or one that is submitted again.
func (r *google2019Reader) arrive(row *google2019Instance, task googleTask, s *googleState) (reason string, err error) {
	cpu, memory, ok := row.Request.shares()
	if !ok || row.Priority.value < 0 || row.Priority.value > 1000 {
		return "", r.wrong("no instance event", "give shares from 0 to 1 and a priority from 0 to 1000")
	}
	if cpu < 0 || memory < 0 {
		return "without a request", nil
	}
	user := r.users[task.job]
	if user == "" {
		user = "default"
	}
	size := r.googleTaskReader.machines
	q := recordedRequest{
		namespace: user, priority: int32(row.Priority.value),
		cpu:    int64(math.Round(float64(cpu * size.cpu))),
		memory: int64(math.Round(float64(memory*size.memory)/mib)) * mib,
	}
	name := r.names.begin("job-").number(task.job)
	if r.owners == "job" {
		q.owner = cluster.OwnerRef{Kind: "Job", Name: name.name()}
	}
	if name.add("-").number(task.index); s.attempts > 0 {
		name.add("-again-").number(int64(s.attempts))
	}
	s.there, s.batch = true, int32(r.batches.count)
	r.batches.add(batch{at: googleTime(row.Time.value), run: unknown, class: r.classes.number(&q), name: r.called.put(name.name())})
	r.origins.add(googleOrigin{scheduled: unknown, file: int32(len(r.files) - 1), line: int32(r.line)})
	return "", nil
}
