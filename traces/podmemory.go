package traces

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// podMemory reads the memory that pods used, minute by minute, as the simulator of
// https://github.com/elchead/k8s-cluster-simulator has it: workers of a cluster in
// production, for 4 hours of 2022. What they asked for isn't in it.
var podMemory = &Format{
	Name: "podmemory",
	Doc:  "memory of 500 pods of a Kubernetes cluster, a value a minute, 4 hours of 2022",
	Path: "the file pods.json[.gz], or its folder",
	Options: []Option{
		{"nodes", "4", "how many nodes: the recording has none"},
		{"cpus", "64", "CPUs of each"},
		{"memory", "512", "GiB of memory of each"},
		{"request", "100", "what a pod asks for, in % of the most that it ever used, rounded up to GiB; with 0 it asks for nothing"},
		fromOption, forOption,
	},
	Recognise: func(path string) bool {
		begin := opening(path, podMemoryFile)
		return strings.HasPrefix(begin, `[{"Name":`) && strings.Contains(begin, `"Memory":`)
	},
	Open: openPodMemory,
}

// podMemoryFile is the file's name.
const podMemoryFile = "pods.json"

// podMemoryVersion is part of every hash. It changes when the same file and options come
// to give other events.
const podMemoryVersion = "podmemory/1"

// A podMemoryRow is a pod.
type podMemoryRow struct {
	Name   string
	Memory []*int64 // bytes; null where it wasn't there
	Time   []int64  // ms since 1970
}

func openPodMemory(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := s.alike("nodes", "cpus", "memory")
	if err != nil {
		return nil, err
	}
	request, err := s.integer("request", 0, 1000)
	if err != nil {
		return nil, err
	}
	file, err := recordedFile(path, podMemoryFile)
	if err != nil {
		return nil, err
	}
	content, err := readFile(file)
	if err != nil {
		return nil, err
	}
	r := &podMemoryReader{file: file, request: int64(request), names: map[string]int{}}
	if err := r.read(content); err != nil {
		return nil, err
	}
	return r.trace(r.replay(nodes), recorded{
		file: file, span: part, settings: s, version: podMemoryVersion,
		options: fmt.Sprintf("nodes=%s&cpus=%s&memory=%s&request=%d", s["nodes"], s["cpus"], s["memory"], request), content: content,
		epoch: sinceUnix,
	})
}

// A podMemoryReader takes pods in.
type podMemoryReader struct {
	tally
	file    string
	request int64          // % of the most used
	names   map[string]int // the pod's number in the file, from 1
	batches list[batch]
	called  texts // by number
	uses    []use
	classes recordedClasses
}

// replay returns what was read, on nodes.
func (r *podMemoryReader) replay(nodes []*cluster.NodeSpec) *replay {
	return &replay{nodes: nodes, batches: r.batches, classes: r.classes.all, names: &r.called, uses: func() ([]use, error) { return r.uses, nil }}
}

// read takes all pods of a file in. What errors call a line is the number of a pod.
func (r *podMemoryReader) read(content []byte) error {
	var rows []podMemoryRow
	if err := json.Unmarshal(content, &rows); err != nil {
		return wrongJSON(r.file, content, err)
	}
	for i := range rows {
		r.rows++
		if err := r.take(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// take takes a pod in: it comes with its first value, and runs to the last, and until the
// next would have been due. What is null in between wasn't measured.
func (r *podMemoryReader) take(row *podMemoryRow) error {
	wrong := func(problem, remedy string) error {
		return &Error{File: r.file, Line: r.rows, Problem: problem, Remedy: remedy}
	}
	if row.Name == "" || !isName(row.Name) {
		return wrong("Name is "+quoted(row.Name), "give a name without spaces and slashes")
	}
	if before, twice := r.names[row.Name]; twice {
		return wrong("Name is "+quoted(row.Name), fmt.Sprintf("pod %d has that name already: give another", before))
	}
	r.names[row.Name] = r.rows
	if len(row.Memory) != len(row.Time) {
		return wrong(fmt.Sprintf("%d values in Memory and %d in Time", len(row.Memory), len(row.Time)), "give as many")
	}
	first, last, most, step := -1, -1, int64(0), int64(maxRecordedMS)
	for i, at := range row.Time {
		if at < 0 || at > maxRecordedMS || i > 0 && at <= row.Time[i-1] {
			return wrong(fmt.Sprintf("Time[%d] is %d", i, at), fmt.Sprintf("give milliseconds since 1970, up to %d, that grow", int64(maxRecordedMS)))
		}
		if i > 0 {
			step = min(step, at-row.Time[i-1])
		}
		used := row.Memory[i]
		if used == nil {
			continue
		}
		if *used < 0 || *used > 1<<50 {
			return wrong(fmt.Sprintf("Memory[%d] is %d", i, *used), fmt.Sprintf("give bytes from 0 to %d, or null", int64(1<<50)))
		}
		if first < 0 {
			first = i
		}
		last, most = i, max(most, *used)
	}
	switch {
	case first < 0:
		r.reject("it never ran", r.file, r.rows)
		return nil
	case len(row.Time) == 1:
		step = 0
	}
	r.add(row, first, last, most, cluster.Time(step)*cluster.Millisecond)
	return nil
}

// add makes a pod of a row, of which values from first to last are read.
func (r *podMemoryReader) add(row *podMemoryRow, first, last int, most int64, step cluster.Time) {
	const gib = 1 << 30
	number := r.called.put(row.Name)
	since := func(i int) cluster.Time { return cluster.Time(row.Time[i]-row.Time[first]) * cluster.Millisecond }
	for i := first; i <= last; i++ {
		if row.Memory[i] != nil {
			r.uses = append(r.uses, use{number, since(i), wire.Unknown, *row.Memory[i]})
		}
	}
	r.batches.add(batch{
		at: cluster.Time(row.Time[first]) * cluster.Millisecond, run: since(last) + step, name: number,
		class: r.classes.number(&recordedRequest{namespace: "default", memory: (most*r.request/100 + gib - 1) / gib * gib}),
	})
}
