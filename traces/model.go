package traces

import (
	"io"
	"strconv"
	"strings"

	"github.com/berthsim/berth/traces/model"
)

// modelled generates from a model that was fitted to a recording.
var modelled = &Format{
	Name:  "model",
	Doc:   "generated from a model that was fitted to a recording: inference, training, batch, mixed, or a file that berth trace fit wrote",
	Path:  "the name of one of Berth's own models, a file, or the folder with model.json",
	Names: model.Names(),
	Options: []Option{
		{"pods", "", "how many pods"},
		{"days", "", "over how many days; the model's if neither this nor pods is given"},
		{"load", "", "the mean demand, as a share of capacity: as recorded if left out, or what follows from pods and days"},
		{"nodes", "", "how many nodes, of each kind in proportion; as recorded if left out. Arrivals stay as they are unless load is given"},
	},
	Recognise: func(path string) bool { return isWorkloadModel(firstLine(path, modelFile)) },
	Open:      openModel,
}

// modelFile is what a model is called in a folder.
const modelFile = "model.json"

// isWorkloadModel reports whether a line is how models begin.
func isWorkloadModel(line string) bool {
	return strings.HasPrefix(line, `{"format": "`+model.Format+`"`)
}

// modelVersion is part of every hash. It changes when the same model and options
// come to give other events.
const modelVersion = "model/1"

// longestModel is more than a model that is worth it takes, in bytes.
const longestModel = 64 << 20

func openModel(path string, s Settings) (*Trace, error) {
	size, err := s.modelSize()
	if err != nil {
		return nil, err
	}
	content, own := model.Named(path)
	if !own {
		if path, err = recordedFile(path, modelFile); err != nil {
			return nil, err
		}
		if content, err = readModel(path); err != nil {
			return nil, err
		}
	}
	m, err := model.Read(path, content)
	if err != nil {
		return nil, err
	}
	w, err := m.Workload(size)
	if err != nil {
		return nil, err
	}
	t := &Trace{
		Nodes: len(w.Nodes), GPUs: gpusOf(w.Nodes), Pods: int(w.Pods), Mix: w.Mix,
		OfferedLoad: w.Load, Seeded: true, Timed: true,
	}
	t.events = func(seed int64) Stream { return w.Events(seed) }
	options := "pods=" + strconv.FormatInt(size.Pods, 10) + "&days=" + formatNumber(size.Days) + "&load=" + formatNumber(size.Load) + "&nodes=" + strconv.Itoa(size.Nodes)
	t.Hash = hashOf([]byte(modelVersion), []byte(options), content)
	return t, nil
}

// modelSize returns the values of the options.
func (s Settings) modelSize() (size model.Size, err error) {
	if _, given := s["pods"]; given {
		n, err := s.integer("pods", 1, model.MaxPods)
		if err != nil {
			return size, err
		}
		size.Pods = int64(n)
	}
	if _, given := s["days"]; given {
		if size.Days, err = strconv.ParseFloat(s["days"], 64); err != nil || !(size.Days > 0 && size.Days <= 36525) {
			return size, s.wrong("days", "give days above 0 and up to 36525")
		}
	}
	if size.Load, err = s.load(0); err != nil {
		return size, err
	}
	if _, given := s["nodes"]; given {
		size.Nodes, err = s.integer("nodes", 1, model.MaxNodes)
	}
	return size, err
}

// readModel returns what a file holds, decompressed.
func readModel(path string) ([]byte, error) {
	in, err := openStream(path)
	if err != nil {
		return nil, err
	}
	defer in.close()
	content, err := io.ReadAll(io.LimitReader(in, longestModel+1))
	if err == nil && len(content) > longestModel {
		err = &Error{File: path, Problem: "longer than 64 MiB", Remedy: "fit a model with fewer kinds of jobs"}
	}
	return content, err
}
