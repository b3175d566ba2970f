package traces

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// openDC reads failures as OpenDC records them:
// https://atlarge-research.github.io/opendc/docs/documentation/Input/FailureModel
var openDC = &Format{
	Name: "opendc",
	Doc:  "OpenDC's recorded failures, each of which hits a share of the nodes",
	Path: "a Parquet file with the columns failure_interval, failure_duration (ms) and failure_intensity (a share of hosts)",
	Options: []Option{
		kindOption,
		{"interval", "start", "what an interval goes by: start: from the beginning of the failure before, as documented; end: from its end, as OpenDC's simulator does"},
		{"from", "0s", "how far into the recording a run begins"},
	},
	Recognise: func(path string) bool {
		return strings.HasPrefix(filepath.Base(path), "failures_") && strings.HasSuffix(path, ".parquet")
	},
	OpenFaults: openOpenDC,
}

// openDCVersion is part of every hash. It changes when the same file and options
// come to give other faults.
const openDCVersion = "opendc/1"

// A recordedFailure is a row of the file, with the time it begins.
type recordedFailure struct {
	at       cluster.Time
	duration cluster.Time // above 0
	share    float64      // of hosts that are hit, above 0
	row      int          // in the file, from 1
}

func openOpenDC(path string, s Settings) (*Faults, error) {
	effect, err := s.kind()
	if err != nil {
		return nil, err
	}
	interval, err := s.choice("interval", []string{"start", "end"})
	if err != nil {
		return nil, err
	}
	from, err := faults.ParseDuration(s["from"])
	if err != nil {
		return nil, s.wrong("from", "give a duration such as 30d")
	}
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	failures, err := readOpenDC(path, content, interval == "end")
	if err != nil {
		return nil, err
	}
	for len(failures) > 0 && failures[0].at < from {
		failures = failures[1:]
	}
	if len(failures) == 0 {
		return nil, &Error{Problem: "no failure after " + s["from"], Remedy: "give an earlier from"}
	}
	for i := range failures {
		failures[i].at -= from
	}
	options := fmt.Sprintf("kind=%v&interval=%s&from=%d", effect.Kind, interval, from)
	return &Faults{
		Hash: hashOf([]byte(openDCVersion), []byte(options), content),
		source: func(run faults.Run) (faults.Source, error) {
			return newShared(failures, effect, run), nil
		},
	}, nil
}

// shared is a Source of failures that hit a share of the nodes: each node with
// that probability, by seed, the failure's row and its own name, whether others are
// hit or not.
type shared struct {
	failures []recordedFailure
	effect   faults.Effect
	horizon  cluster.Time
	names    []string
	hits     []cluster.Draw // of each node
}

func newShared(failures []recordedFailure, effect faults.Effect, run faults.Run) *shared {
	s := &shared{failures: failures, effect: effect, horizon: run.Horizon}
	for i := range run.Nodes {
		name := run.Nodes[i].Name
		s.names = append(s.names, name)
		s.hits = append(s.hits, cluster.NewDraw(run.Seed, run.Purpose+"recorded failure", name))
	}
	return s
}

// Next implements faults.Source. Failures that hit no node are passed over.
func (s *shared) Next() (faults.Fault, error) {
	for len(s.failures) > 0 && s.failures[0].at < s.horizon {
		r := &s.failures[0]
		s.failures = s.failures[1:]
		var hit []string
		for i, d := range s.hits {
			if d.At(r.row).Float() < r.share {
				hit = append(hit, s.names[i])
			}
		}
		if len(hit) > 0 {
			return faults.Fault{At: r.at, Until: r.at + r.duration, Nodes: hit, Effect: s.effect}, nil
		}
	}
	return (&faults.List{}).Next()
}
