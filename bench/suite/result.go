package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/berthsim/berth/bench"
)

// Version is that of the results' format.
const Version = "berth/bench/v1"

// A Result is what was measured. Its times are of one machine at one time; its counts of
// work and of statements are of the code.
type Result struct {
	Version     string       `json:"version"`
	Berth       string       `json:"berth"` // the program's version
	Command     string       `json:"command"`
	Machine     Machine      `json:"machine"`
	Complete    bool         `json:"complete"`
	Cases       []CaseResult `json:"cases"`
	Attribution []Share      `json:"attribution"`
	Plugins     []Cost       `json:"plugins"`
	Comparison  *Comparison  `json:"comparison,omitempty"` // with an earlier result, if that was asked for
	Uncounted   string       `json:"uncounted,omitempty"`  // why statements were not counted

	cpu, heap    []byte // profiles
	began, ended time.Time
}

// A Machine is where something was measured.
type Machine struct {
	Go         string `json:"go"`
	System     string `json:"system"`
	CPU        string `json:"cpu"`
	Processors int    `json:"processors"`
}

// A CaseResult is what was measured of a case.
type CaseResult struct {
	Name    string   `json:"name"`
	Pods    int      `json:"pods"` // of each sample
	Samples []Sample `json:"samples"`
	Work    Counts   `json:"work"` // for a pod, by name of the counter
}

func newResult(o *Options) *Result {
	return &Result{Version: Version, Berth: o.Version, Command: o.Command, Machine: thisMachine()}
}

func thisMachine() Machine {
	m := Machine{Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPU: "unknown", Processors: runtime.NumCPU()}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m // there is none but on Linux
	}
	if _, rest, ok := strings.Cut(string(text), "model name\t: "); ok {
		m.CPU, _, _ = strings.Cut(rest, "\n")
	}
	return m
}

// The files of a result.
const (
	resultFile = "result.json"
	cpuFile    = "cpu.pprof"
	heapFile   = "heap.pprof"
)

// folder returns the files of a result.
func (r *Result) folder() bench.Folder {
	raw := func(data func() []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(data()); return err }
	}
	return bench.Folder{
		{Name: resultFile, Write: r.WriteJSON},
		{Name: cpuFile, Write: raw(func() []byte { return r.cpu })},
		{Name: heapFile, Write: raw(func() []byte { return r.heap })},
	}
}

// Save writes the result and the profiles into a folder, all or nothing, as
// bench.Folder.Save does. Of an interrupted run that was not profiled yet, the profiles are
// empty.
func (r *Result) Save(dir string) error { return r.folder().Save(dir) }

// CheckSaveDir returns nil if Save would accept dir.
func CheckSaveDir(dir string) error { return (*Result)(nil).folder().Check(dir) }

// WriteJSON writes the result as result.json has it.
func (r *Result) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// Load reads a result.json. What is not one, or not complete, is an error that says what
// to do.
func Load(path string) (*Result, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: can't read the result: %w; name a result.json that berth bench --save has written", path, errors.Unwrap(err))
	}
	var head struct {
		Version string `json:"version"`
	}
	const remedy = "measure again with berth bench --save"
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%s: %w; %s", path, err, remedy)
	}
	if head.Version != Version {
		return nil, fmt.Errorf("%s: version is %q, but this program reads %q; %s", path, head.Version, Version, remedy)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var r Result
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: %w; %s", path, err, remedy)
	}
	if !r.Complete {
		return nil, fmt.Errorf("%s: the run was interrupted, so not everything was measured; %s", path, remedy)
	}
	return &r, nil
}
