package traces

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// simkube reads recordings of SimKube (https://github.com/acrlabs/simkube), format
// version 2: the objects that users applied to a cluster and deleted, and how long the
// pods of each ran.
var simkube = &Format{
	Name: "simkube",
	Doc:  "SimKube's recordings: objects that own pods, as they were applied, and the pods' lifetimes",
	Path: "a file *.sktrace (MessagePack), or the same as JSON",
	Options: []Option{
		{"nodes", "10", "how many nodes: the recording has none"},
		{"cpus", "16", "CPUs of a node"},
		{"memory", "64", "GiB of memory of a node"},
		restOption, fromOption, forOption, loadOption,
	},
	Recognise: func(path string) bool {
		if isFolder(path) {
			return false
		}
		return strings.HasSuffix(path, ".sktrace") || strings.HasSuffix(path, ".sktrace.gz") ||
			strings.Contains(fileStart(path), `"trackedObjects"`)
	},
	Open: openSimkube,
}

// simkubeVersion is part of every hash. It changes when the same file and options come
// to give other events.
const simkubeVersion = "simkube/1"

func openSimkube(path string, s Settings) (*Trace, error) {
	part, err := s.span()
	if err != nil {
		return nil, err
	}
	nodes, err := s.alike("nodes", "cpus", "memory")
	if err != nil {
		return nil, err
	}
	in, err := openStream(path)
	if err != nil {
		return nil, err
	}
	defer in.close()
	r, err := readSimkube(path, in, mostSimkubePods)
	if err != nil {
		return nil, err
	}
	r.kube.replaceNodes(nodes)
	return r.kube.trace(recorded{
		file: path, span: part, settings: s, version: simkubeVersion, content: in.sum(), epoch: sinceUnix,
		options: fmt.Sprintf("nodes=%s&cpus=%s&memory=%s", s["nodes"], s["cpus"], s["memory"]),
	})
}

// maxUnixSeconds is the year 2200.
const maxUnixSeconds = 7_258_118_400

// A simkubeFile is a recording as JSON.
type simkubeFile struct {
	Version int `json:"version"`
	Config  struct {
		TrackedObjects map[string]struct {
			Path  string   `json:"podSpecTemplatePath"` // as older versions had it
			Paths []string `json:"podSpecTemplatePaths"`
		} `json:"trackedObjects"`
	} `json:"config"`
	Events []struct {
		Seconds int64             `json:"ts"`
		Applied []json.RawMessage `json:"applied_objs"`
		Deleted []json.RawMessage `json:"deleted_objs"`
	} `json:"events"`
	Lifecycles map[string]map[string][]simkubeLife `json:"pod_lifecycles"`
}

// A simkubeLife is from when until when a pod ran, in seconds since 1970.
type simkubeLife struct {
	from, until int64 // until is -1 if it ran on; both are if nothing is known
}

// UnmarshalJSON reads "Empty", {"Running": FROM} or {"Finished": [FROM, UNTIL]}.
func (l *simkubeLife) UnmarshalJSON(text []byte) error {
	*l = simkubeLife{-1, -1}
	if string(text) == `"Empty"` {
		return nil
	}
	var is struct {
		Running  *int64
		Finished []int64
	}
	if err := json.Unmarshal(text, &is); err != nil {
		return err
	}
	switch {
	case is.Running != nil && is.Finished == nil:
		l.from = *is.Running
	case is.Running == nil && len(is.Finished) == 2 && is.Finished[0] <= is.Finished[1]:
		l.from, l.until = is.Finished[0], is.Finished[1]
	default:
		return errors.New("a pod's life is neither Empty, nor Running since, nor Finished with two times")
	}
	if l.from < 0 || max(l.from, l.until) > maxUnixSeconds {
		return errors.New("a pod's life is not in the years from 1970 to 2200")
	}
	return nil
}

// A simkubeReader takes a recording in.
type simkubeReader struct {
	most      int // pods
	kube      *kubeRecording
	templates map[string]string        // where in objects of a kind its pods' template is
	lives     map[string][]simkubeLife // of an owner's pods, in order, by kind, namespace and name
	owners    map[string]*simkubeOwner // that have been there, by the same
	order     []*simkubeOwner          // as they came
}

// mostSimkubePods is more than a recording that fits into memory has. A number of
// replicas takes a few bytes, and its pods some hundred each.
const mostSimkubePods = 2_000_000

// readSimkube reads a whole recording, of as many pods at most.
func readSimkube(file string, in *stream, most int) (*simkubeReader, error) {
	text, err := jsonOf(file, in)
	if err != nil {
		return nil, err
	}
	r := &simkubeReader{
		most: most,
		kube: newKubeRecording(file), templates: map[string]string{},
		lives: map[string][]simkubeLife{}, owners: map[string]*simkubeOwner{},
	}
	var f simkubeFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, r.kube.wrong("no recording of SimKube: "+jsonProblem(err), "fetch the file again")
	}
	if f.Version != 2 {
		return nil, r.kube.wrong("the recording's version is "+strconv.Itoa(f.Version), "give one of version 2: SimKube from 2.0 on writes them")
	}
	for _, kind := range slices.Sorted(maps.Keys(f.Config.TrackedObjects)) {
		tracked := f.Config.TrackedObjects[kind]
		if paths := append(tracked.Paths, tracked.Path); paths[0] != "" {
			r.templates[kind] = paths[0]
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(f.Lifecycles)) {
		of := f.Lifecycles[owner]
		for _, hash := range slices.Sorted(maps.Keys(of)) {
			r.lives[owner] = append(r.lives[owner], of[hash]...)
		}
		slices.SortStableFunc(r.lives[owner], func(a, b simkubeLife) int { return cmp.Compare(a.from, b.from) })
	}
	return r, r.play(&f)
}

// play goes through the recording in order of time.
func (r *simkubeReader) play(f *simkubeFile) error {
	last := int64(0)
	for i, e := range f.Events {
		if e.Seconds < last || e.Seconds > maxUnixSeconds {
			return r.kube.wrong(fmt.Sprintf("event %d is of %d", i+1, e.Seconds), "give seconds since 1970, in order and before 2200")
		}
		last = e.Seconds
		at := cluster.Time(e.Seconds) * cluster.Second
		r.kube.at(at)
		for _, text := range e.Applied {
			if err := r.object(text, func(o *kubeObject) (string, error) { return r.apply(at, o) }); err != nil {
				return err
			}
		}
		for _, text := range e.Deleted {
			if err := r.object(text, func(o *kubeObject) (string, error) { return r.remove(at, o), nil }); err != nil {
				return err
			}
		}
	}
	for _, owner := range r.order {
		if err := r.playLives(owner); err != nil {
			return err
		}
	}
	return nil
}

// object reads an object of an event and gives it to take. Its line is which object of
// the recording it is.
func (r *simkubeReader) object(text []byte, take func(*kubeObject) (reason string, err error)) error {
	r.kube.rows++
	r.kube.line = r.kube.rows
	o, err := r.kube.parseObject(text)
	if err != nil {
		return err
	}
	reason, err := take(o)
	if reason != "" {
		r.kube.reject(reason, r.kube.file, r.kube.line)
	}
	return err
}
