package traces

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// google2019 reads Google's ClusterData2019, a month of eight Borg cells: Tirmazi et al.,
// "Borg: the Next Generation", EuroSys 2020, https://github.com/google/cluster-data, as
// JSON lines, in which BigQuery exports its tables.
var google2019 = &Format{
	Name: "google2019",
	Doc:  "instances of a Borg cell in Google's ClusterData2019, exported from BigQuery",
	Path: "the folder of instance_events*.json[.gz], machine_events*.json[.gz] and collection_events*.json[.gz]",
	Options: []Option{
		{"zones", "3", "how many zones machines are put into, by a hash of their id: the recording has none"},
		{"cpus", "64", "CPUs of a machine of capacity 1, the largest: the recording has shares of it only"},
		{"memory", "256", "GiB of memory of a machine of capacity 1"},
		{"owners", "none", "whether pods have an owner: none; job: the Job they are of, which makes each job a class of its own, and runs slow"},
		fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		files, err := google2019Files(path, instanceEvents)
		return isFolder(path) && err == nil && len(files) > 0
	},
	Open: openGoogle2019,
}

// google2019Faults reads its machine events alone.
var google2019Faults = &Format{
	Name:    "google2019",
	Doc:     "machines that leave and come back in Google's ClusterData2019",
	Path:    "the folder of machine_events*.json[.gz]",
	Options: append([]Option{kindOption}, google2019.Options[:3]...),
	Recognise: func(path string) bool {
		files, err := google2019Files(path, machineEvents)
		return isFolder(path) && err == nil && len(files) > 0
	},
	OpenFaults: openGoogle2019Faults,
}

// How files' names begin.
const (
	instanceEvents   = "instance_events"
	machineEvents    = "machine_events"
	collectionEvents = "collection_events"
)

// google2019Version is part of every hash. It changes when the same files and options
// come to give other events.
const google2019Version = "google2019/1"

// google2019Files returns the files of a table in a folder, in order of their names.
func google2019Files(path, table string) (files []string, err error) {
	entries, err := os.ReadDir(path) // sorted
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	for _, e := range entries {
		plain := strings.TrimSuffix(e.Name(), ".gz")
		if strings.HasPrefix(plain, table) && strings.HasSuffix(plain, ".json") {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, nil
}

// readTable reads all files of a table, and returns their hashes.
func (r *google2019Reader) readTable(path, table string, take func([]byte) (string, error)) (sums [][]byte, err error) {
	files, err := google2019Files(path, table)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 && table != collectionEvents {
		return nil, &Error{File: path, Problem: "no " + table + "*.json or .json.gz in the folder", Remedy: "give the folder that contains them"}
	}
	for _, file := range files {
		in, err := openStream(file)
		if err != nil {
			return nil, err
		}
		err = r.readFile(file, in, take)
		sums = append(sums, in.sum())
		in.close()
		if err != nil {
			return nil, err
		}
	}
	return append(sums, []byte(table)), nil
}

func (r *google2019Reader) readFile(file string, in *stream, take func([]byte) (string, error)) error {
	r.files = append(r.files, file)
	return r.readJSONLines(file, in, func(line int, text []byte) (string, error) {
		r.line = line
		return take(text)
	})
}

func openGoogle2019(path string, s Settings) (*Trace, error) {
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
	r := newGoogle2019Reader(m, owners)
	var parts [][]byte
	for _, table := range []struct {
		name string
		take func([]byte) (string, error)
	}{{machineEvents, r.machine}, {collectionEvents, r.collection}, {instanceEvents, r.instance}} {
		sums, err := r.readTable(path, table.name, table.take)
		if err != nil {
			return nil, err
		}
		parts = append(parts, sums...)
	}
	r.finish()
	nodes := m.first()
	if len(nodes) == 0 {
		return nil, &Error{File: path, Problem: "no machines are there when it begins", Remedy: "give a recording with at least one"}
	}
	events := r.replay(nodes)
	events.waits, events.machines = true, m
	return r.trace(events, recorded{
		file: path, span: part, settings: s, version: google2019Version,
		options: options + "&owners=" + owners, content: []byte(hashOf(parts...)),
	})
}

func openGoogle2019Faults(path string, s Settings) (*Faults, error) {
	effect, err := s.kind()
	if err != nil {
		return nil, err
	}
	m, options, err := s.googleMachines()
	if err != nil {
		return nil, err
	}
	r := newGoogle2019Reader(m, "none")
	parts, err := r.readTable(path, machineEvents, r.machine)
	if err != nil {
		return nil, err
	}
	if len(m.names) == 0 {
		return nil, &Error{File: path, Problem: "no machines", Remedy: "give a recording with at least one"}
	}
	options = fmt.Sprintf("kind=%v&", effect.Kind) + options
	parts = append([][]byte{[]byte(google2019Version), []byte(options)}, parts...)
	return &Faults{Hash: hashOf(parts...), Machines: m, source: m.faults(effect)}, nil
}

// A bigInteger is a whole number as BigQuery exports it: a string of digits, or a
// number. It is absent if it was null or left out.
type bigInteger struct {
	value int64
	known bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *bigInteger) UnmarshalJSON(text []byte) error {
	digits := strings.Trim(string(text), `"`)
	if digits == "null" {
		return nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	*b = bigInteger{n, err == nil}
	return err
}

// A googleResources is an amount of CPU and memory, in shares of the largest machine.
type googleResources struct {
	CPUs   *float64 `json:"cpus"`
	Memory *float64 `json:"memory"`
}

// shares returns both amounts, -1 for what isn't known. ok is false if one is none.
func (g *googleResources) shares() (cpu, memory float64, ok bool) {
	cpu, memory = -1, -1
	if g == nil {
		return cpu, memory, true
	}
	for _, x := range []struct {
		from *float64
		to   *float64
	}{{g.CPUs, &cpu}, {g.Memory, &memory}} {
		if x.from == nil {
			continue
		}
		if !(*x.from >= 0 && *x.from <= 1) {
			return 0, 0, false
		}
		*x.to = math.Abs(*x.from)
	}
	return cpu, memory, true
}

// decode reads a line.
func (r *google2019Reader) decode(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return r.wrong("no row: "+jsonProblem(err), "give what BigQuery exports as newline delimited JSON")
	}
	return nil
}

// wrong returns an error about the current line.
func (r *google2019Reader) wrong(problem, remedy string) *Error {
	return &Error{File: r.files[len(r.files)-1], Line: r.line, Problem: problem, Remedy: remedy}
}
