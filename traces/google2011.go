package traces

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// google2011 reads the machine events of Google's ClusterData2011-2: Reiss,
// Wilkes, Hellerstein, "Google cluster-usage traces: format + schema", 2011,
// https://github.com/google/cluster-data. Nothing else of the recording is read.
var google2011 = &Format{
	Name: "google2011",
	Doc:  "machines that leave and come back in Google's ClusterData2011-2 (Borg, 29 days, 12,583 machines)",
	Path: "the folder of machine_events, that folder, or one of its files",
	Options: []Option{
		kindOption,
		{"zones", "3", "how many zones machines are put into, by a hash of their id: the recording has none"},
		{"cpus", "64", "CPUs of a machine of capacity 1, the largest: the recording has shares of it only"},
		{"memory", "256", "GiB of memory of a machine of capacity 1"},
	},
	Recognise: func(path string) bool {
		if filepath.Base(path) == googleFolder || filepath.Base(filepath.Dir(path)) == googleFolder {
			return true
		}
		_, err := os.Stat(filepath.Join(path, googleFolder))
		return err == nil
	},
	OpenFaults: openGoogle2011,
}

// googleFolder is where a recording has its machine events.
const googleFolder = "machine_events"

// google2011Version is part of every hash. It changes when the same files and
// options come to give other faults, or other machines.
const google2011Version = "google2011/1"

// googleColumns are the columns of machine events, by the names of the
// recording's schema.csv.
var googleColumns = []string{"time", "machine ID", "event type", "platform ID", "CPUs", "Memory"}

// Event types.
const (
	machineAdd = iota
	machineRemove
	machineUpdate
)

const microsecond = cluster.Time(1000)

// googleStart is the time of the recording's clock when it begins. Machines that
// were there before have events at 0.
const googleStart = 600 * cluster.Second

func openGoogle2011(path string, s Settings) (*Faults, error) {
	effect, err := s.kind()
	if err != nil {
		return nil, err
	}
	m, options, err := s.googleMachines()
	if err != nil {
		return nil, err
	}
	files, err := googleFiles(path, googleFolder)
	if err != nil {
		return nil, err
	}
	r := newGoogleReader(m)
	options = fmt.Sprintf("kind=%v&", effect.Kind) + options
	parts := [][]byte{[]byte(google2011Version), []byte(options)}
	for _, file := range files {
		in, err := openStream(file)
		if err != nil {
			return nil, err
		}
		err = r.read(file, in)
		parts = append(parts, in.sum())
		in.close()
		if err != nil {
			return nil, err
		}
	}
	if len(m.names) == 0 {
		return nil, &Error{File: path, Problem: "no machines", Remedy: "give a recording with at least one"}
	}
	return &Faults{Hash: hashOf(parts...), Machines: m, source: m.faults(effect)}, nil
}

// googleFiles returns the files of a folder, which path names or lies in, in order; or
// path itself, if that is a file.
func googleFiles(path, folder string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	if inner := filepath.Join(path, folder); filepath.Base(path) != folder {
		if _, err := os.Stat(inner); err == nil {
			path = inner
		}
	}
	entries, err := os.ReadDir(path) // sorted
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	var files []string
	for _, e := range entries {
		plain := strings.TrimSuffix(e.Name(), ".gz")
		if strings.HasPrefix(plain, "part-") && strings.HasSuffix(plain, ".csv") {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, &Error{File: path, Problem: "no part-*.csv or .csv.gz in the folder", Remedy: "give the folder that contains " + folder}
	}
	return files, nil
}

// A googleReader takes machine events in.
type googleReader struct {
	into  *Machines
	ids   map[int64]int32
	last  int64           // the time of the last row, in µs
	state []googleMachine // of each machine, as of the last row
}

// A googleMachine is what is known of a machine.
type googleMachine struct {
	present     bool
	since       int64 // its last event, in µs
	cpu, memory float64
}

func newGoogleReader(into *Machines) *googleReader {
	return &googleReader{into: into, ids: map[int64]int32{}}
}

// read takes the rows of a file in.
func (r *googleReader) read(file string, in *stream) error {
	t := newHeadless(file, in, googleColumns)
	return t.each(func() error { return r.row(t) })
}

// row takes the current row in.
func (r *googleReader) row(t *table) error {
	at, err := t.amount(t.at("time"), math.MaxInt64)
	if err != nil {
		return err
	}
	switch start := int64(googleStart / microsecond); {
	case at != 0 && at < start:
		return t.wrongField(t.at("time"), fmt.Sprintf("give 0 for what was before, or at least %d µs, when the recording begins", start))
	case at < r.last:
		return t.wrongField(t.at("time"), fmt.Sprintf("a row before has %d: sort the rows by time", r.last))
	case at > math.MaxInt64/int64(microsecond) && at != math.MaxInt64:
		return t.wrongField(t.at("time"), fmt.Sprintf("give microseconds, or %d for what was after the recording", int64(math.MaxInt64)))
	}
	r.last = at
	id, err := t.amount(t.at("machine ID"), math.MaxInt64)
	if err != nil {
		return err
	}
	kind, err := t.amount(t.at("event type"), machineUpdate)
	if err != nil {
		return err
	}
	cpu, err := t.share(t.at("CPUs"))
	if err != nil {
		return err
	}
	memory, err := t.share(t.at("Memory"))
	if err != nil {
		return err
	}
	n, ok := r.ids[id]
	if !ok {
		n = int32(len(r.state))
		r.ids[id] = n
		r.state = append(r.state, googleMachine{since: -1})
		r.into.names = append(r.into.names, "machine-"+strconv.FormatInt(id, 10))
		r.into.outages = append(r.into.outages, nil)
	}
	if err := r.state[n].check(t, at, kind); err != nil {
		return err
	}
	r.take(n, at, kind, cpu, memory)
	return nil
}

// check returns an error if what happens can't happen to a machine.
func (m *googleMachine) check(t *table, at, kind int64) error {
	switch {
	case at == m.since:
		return t.wrongField(t.at("time"), "the machine has an event at that moment already: give a later one")
	case m.present && kind == machineAdd:
		return t.wrongField(t.at("event type"), "the machine is there already: remove it first (1)")
	case !m.present && kind != machineAdd:
		return t.wrongField(t.at("event type"), "the machine isn't there: add it first (0)")
	}
	return nil
}

// share returns the number from 0 to 1 in a column, -1 if there is none.
func (t *table) share(c column) (float64, error) {
	text := t.text(c)
	if text == "" {
		return -1, nil
	}
	x, ok := parseFloat(text)
	if !ok || !(x >= 0) || x > 1 {
		return 0, t.wrongField(c, "give a number from 0 to 1, or nothing if it isn't known")
	}
	return math.Abs(x), nil
}

// take writes a row down. at is in µs.
func (r *googleReader) take(n int32, at, kind int64, cpu, memory float64) {
	m, into := &r.state[n], r.into
	m.since = at
	m.present = kind != machineRemove
	if cpu >= 0 {
		m.cpu = cpu
	}
	if memory >= 0 {
		m.memory = memory
	}
	into.rows[kind]++
	when := cluster.Never // after the recording: nobody lives to see it
	if at < math.MaxInt64 {
		when = max(0, cluster.Time(at)*microsecond-googleStart)
	}
	outages := into.outages[n]
	switch last := len(outages) - 1; {
	case when == cluster.Never:
		return
	case kind == machineRemove:
		into.outages[n] = append(outages, outage{when, cluster.Never})
	case kind == machineAdd && last >= 0:
		outages[last].until = when
		into.repairs++
	}
	into.events = append(into.events, machineEvent{when, n, uint8(kind), m.cpu, m.memory})
}
