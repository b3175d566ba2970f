package traces

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthsim/berth/traces/model"
)

// fitTo fits a model to a trace under a seed, and says how far what it generates is.
func fitTo(t *testing.T, tr *Trace, seed int64) (*model.Model, *model.Comparison) {
	t.Helper()
	m, err := model.Fit(func() model.Stream { return tr.Events(seed) }, model.Options{Origin: "test"})
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Workload(model.Size{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.Compare(tr.Events(seed), w.Events(seed))
	if err != nil {
		t.Fatal(err)
	}
	return m, c
}

// checkDistances wants each metric's distance to be at most what is listed for it.
func checkDistances(t *testing.T, name string, c *model.Comparison, most map[string]float64) {
	t.Helper()
	seen := 0
	for _, r := range c.Rows {
		if bound, ok := most[r.Metric]; ok {
			seen++
			if r.Distance > bound {
				t.Errorf("%s: the distance in %s is %.3f, want at most %v", name, r.Metric, r.Distance, bound)
			}
		}
	}
	if seen != len(most) {
		t.Errorf("%s: %d of %d metrics were compared", name, seen, len(most))
	}
}

// TestModelFitsSmall fits to small workloads of known distributions.
func TestModelFitsSmall(t *testing.T) {
	for spec, most := range map[string]map[string]float64{
		"synthetic:gpu?mode=time&pods=3000&nodes=10": {
			"arrivals": 0.15, "time between pods": 0.1, "hour of the week": 0.1, "GPUs of a pod": 0.06, "CPUs of a pod": 0.06, "memory of a pod": 0.06, "run time": 0.06,
		},
		"model:training?pods=5000": {"arrivals": 0.2, "time between pods": 0.15, "pods of a job": 0.03, "GPUs of a pod": 0.08, "run time": 0.08},
	} {
		_, c := fitTo(t, open(t, spec), 7)
		checkDistances(t, spec, c, most)
	}
}

// TestModelFormat opens models by name, by file and by what lies in a folder.
func TestModelFormat(t *testing.T) {
	dir := t.TempDir()
	content, ok := model.Named("mixed")
	if !ok {
		t.Fatal("there is no model mixed")
	}
	if err := os.WriteFile(filepath.Join(dir, modelFile), content, 0o666); err != nil {
		t.Fatal(err)
	}
	want := open(t, "model:mixed?pods=300&load=0.5")
	if want.Pods != 300 || want.OfferedLoad != 0.5 || !want.Seeded || !want.Timed || len(want.Mix) == 0 || want.GPUs == 0 {
		t.Errorf("%+v", want)
	}
	events := read(t, want.Events(4)).String()
	hashes := map[string]string{want.Hash: "model:mixed"}
	for _, path := range []string{dir, filepath.Join(dir, modelFile), "model:" + dir, "model:" + filepath.Join(dir, modelFile)} {
		tr := open(t, path+"?pods=300&load=0.5")
		if tr.Format != "model" || tr.Hash != want.Hash || read(t, tr.Events(4)).String() != events {
			t.Errorf("%s is not what it is by name: %+v", path, tr)
		}
	}
	if read(t, want.Events(5)).String() == events {
		t.Error("another seed gives the same")
	}
	for _, query := range []string{"", "?pods=300", "?days=3", "?pods=300&load=0.6", "?nodes=3", "?pods=300&load=0.5&nodes=3"} {
		tr := open(t, "model:mixed"+query)
		if other, ok := hashes[tr.Hash]; ok {
			t.Errorf("%s and %s have the same hash", query, other)
		}
		hashes[tr.Hash] = query
	}
}

func TestModelErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte("{\"format\": \"berth-model\", \"version\": 1,\n\"origin\": 7}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{
		bad:                                bad + ":2: origin is a number; give a value as docs/models.md has it: string",
		"model:" + dir:                     dir + ": no model.json or model.json.gz in the folder; give the folder that contains it, or the file",
		"model:mixed?pods=0":               `model:mixed?pods=0: pods is "0"; give a whole number from 1 to 100000000`,
		"model:mixed?days=-1":              `model:mixed?days=-1: days is "-1"; give days above 0 and up to 36525`,
		"model:mixed?nodes=x":              `model:mixed?nodes=x: nodes is "x"; give a whole number from 1 to 1000000`,
		"model:mixed?pods=9&days=1&load=1": "model:mixed?pods=9&days=1&load=1: pods, days and load are given, of which two make the third; leave one out",
	} {
		checkError(t, spec, want)
	}
}

// TestModelSample checks that the sample that is kept is what its model gives.
func TestModelSample(t *testing.T) {
	kept := read(t, open(t, "../examples/traces/training.berth").Events(1)).String()
	if made := read(t, open(t, "model:training?load=1&days=28&nodes=40").Events(42)).String(); kept != made {
		t.Error("examples/traces/training.berth is not what model:training?load=1&days=28&nodes=40 gives; write it anew with berth trace cut")
	}
}

// TestModelOfGzip reads a compressed model.
func TestModelOfGzip(t *testing.T) {
	content, _ := model.Named("training")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "m.json.gz")
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if a, b := open(t, file).Hash, open(t, "model:training").Hash; a != b {
		t.Errorf("hash %s, want %s", a, b)
	}
}
