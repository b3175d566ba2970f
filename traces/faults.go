package traces

import (
	"strings"

	"github.com/berthsim/berth/cluster/faults"
)

// Faults are failures that can be played to the nodes of a run. They are a
// faults.Model, read-only once they are open, so that many runs may share them.
type Faults struct {
	Name   string // as the user wrote it
	Format string // the name of the Format that read it; "" of a model's spec

	// Hash is SHA-256, in hex, over what was read (as Trace.Hash) and over the
	// options that change the faults.
	Hash string

	// Machines says what machines there were, if the recording does.
	Machines *Machines

	source func(faults.Run) (faults.Source, error)
}

// Source implements faults.Model.
func (f *Faults) Source(run faults.Run) (faults.Source, error) { return f.source(run) }

// String implements faults.Model.
func (f *Faults) String() string { return f.Name }

// OpenFaults reads the faults that a user names: by the spec of a model (none,
// "exp(mtbf=30d,mttr=1h)", "at 40s crash n3 for 10m": see faults.Parse), or as
// "[FORMAT:]PATH[?key=value&…]", where FORMAT is one of FaultFormats. A PATH with
// a parenthesis in it needs its FORMAT. OpenFaults returns an *Error if spec, or a
// file that it names, is not as it must be.
func (o Opener) OpenFaults(spec string) (*Faults, error) {
	if isModel(spec) {
		m, err := faults.Parse(spec)
		if err != nil {
			return nil, err
		}
		return &Faults{Name: spec, Hash: hashOf([]byte("faults/1"), []byte(m.String())), source: m.Source}, nil
	}
	format, path, settings, err := o.parse(spec, FaultFormats)
	var f *Faults
	if err == nil {
		f, err = format.OpenFaults(path, settings)
	}
	if err != nil {
		return nil, about(spec, err)
	}
	f.Name, f.Format = spec, format.Name
	return f, nil
}

// isModel reports whether spec is one of a model, rather than of a file.
func isModel(spec string) bool {
	place, _, _ := strings.Cut(spec, "?")
	if format, _ := splitFormat(place, FaultFormats); format != nil {
		return false
	}
	return strings.TrimSpace(spec) == "none" || faults.IsScript(spec) || strings.Contains(spec, "(")
}

// script reads faults that people wrote.
var script = &Format{
	Name:      "script",
	Doc:       "faults that people wrote, one a line: at 40s crash n3 for 10m",
	Path:      "a text file",
	Recognise: func(path string) bool { return strings.HasSuffix(path, ".faults") },
	OpenFaults: func(path string, _ Settings) (*Faults, error) {
		content, err := readFile(path)
		if err != nil {
			return nil, err
		}
		s, err := faults.ParseScript(path, string(content))
		if err != nil {
			return nil, err
		}
		return &Faults{Hash: hashOf([]byte("script/1"), content), source: s.Source}, nil
	},
}

// kindOption is an option of recordings, which say that machines failed, but not
// how.
var kindOption = Option{"kind", "crash", "what befalls a node: crash, hang or partition"}

// kind returns the value of kindOption.
func (s Settings) kind() (faults.Effect, error) {
	kinds := []faults.Kind{faults.Crash, faults.Hang, faults.Partition}
	var names []string
	for _, k := range kinds {
		if s["kind"] == k.String() {
			return faults.Effect{Kind: k}, nil
		}
		names = append(names, k.String())
	}
	_, err := s.choice("kind", names)
	return faults.Effect{}, err
}
