package bench

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

const (
	goodTrace = "  trace: synthetic:gpu\n"
	goodAxes  = "version: berth/v1\naxes:\n" + goodTrace + "  policy: [fgd, bestfit]\n"
	knownKeys = "known: axes, baseline, for, report, service, set, startup, usage, version, work, zones"
	knownAxes = "known: eviction, faults, policy, quota, seed, trace"
	see       = "see docs/experiments.md"
)

// known is what is said of a plugin that there isn't: which there are.
var known = func() string {
	_, err := scheduler.Find(plugins.All, "")
	_, list, _ := strings.Cut(err.Error(), "; ")
	return list
}()

func TestReadExperiment(t *testing.T) {
	const text = `# A comment.
version: berth/v1
axes:
  trace:    ["synthetic:gpu", "synthetic:gpu?nodes=7"]
  policy:   [fgd, bestfit, fgd:2+bestfit]
  eviction: none
  seed:     [1, 5, 42-44]
baseline: bestfit
report: [gpu_allocated_pct, wait_p99]
`
	got, err := ReadExperiment("x.yaml", []byte(text), plugins.All)
	want := &Experiment{
		Axes: Axes{
			Trace: []string{"synthetic:gpu", "synthetic:gpu?nodes=7"}, Policy: []string{"fgd", "bestfit", "fgd:2+bestfit"},
			Eviction: []string{"none"}, Faults: []string{"none"}, Quota: []string{"none"}, Seed: Seeds{1, 5, 42, 43, 44},
		},
		Baseline: "bestfit", Report: []string{"gpu_allocated_pct", "wait_p99"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	// The same in another style, and shown otherwise, is the same experiment.
	other, err := ReadExperiment("y.yaml", []byte(`{axes: {seed: "1,5,42-44", policy: [fgd, bestfit, 'fgd:2+bestfit'],
  trace: ["synthetic:gpu", "synthetic:gpu?nodes=7"]}, baseline: bestfit, version: berth/v1}`), plugins.All)
	if err != nil || other.Hash() != got.Hash() {
		t.Errorf("got %+v, %v, which has another hash", other, err)
	}
	short, err := ReadExperiment("z.yaml", []byte(goodAxes), plugins.All)
	if err != nil || short.Axes.Seed.String() != "42" || short.Hash() == got.Hash() {
		t.Errorf("got %+v, %v", short, err)
	}
}

func TestReadExperimentErrors(t *testing.T) {
	tests := []struct{ why, text, want string }{
		{"empty", "", ": the file is empty; write version, axes and baseline; " + see},
		{"only a comment", "# nothing\n", ": the file is empty; write version, axes and baseline; " + see},
		{"not YAML", "version: berth/v1\naxes: [\n", ":2: this is not YAML: did not find expected node content; mend it; " + see + " for the format"},
		{"a tab", "version: berth/v1\n\taxes: 1\n", ":2: this is not YAML: found a tab character that violates indentation; mend it; " + see + " for the format"},
		{"not text", "\x00\x01\xff", ": this is not YAML: control characters are not allowed; mend it; " + see + " for the format"},
		{"null", "null\n", ":1: the experiment must be a mapping; write KEY: VALUE lines; " + see},
		{"a list", "\n- version: berth/v1\n", ":2: the experiment must be a mapping; write KEY: VALUE lines; " + see},
		{"two documents", goodAxes + "---\n" + goodAxes, ":5: the file holds more than one document; keep one experiment a file"},
		{"something behind", goodAxes + "---\n[", ": the file holds more than one document; keep one experiment a file"},
		{"no version", "# first\naxes:\n" + goodTrace + "  policy: fgd\n", ":2: version is missing; begin with the line version: berth/v1"},
		{"other version", "version: berth/v2\n", `:1: version is "berth/v2"; this program reads berth/v1`},
		{"version is a list", "version: [berth/v1]\n", `:1: version is ""; this program reads berth/v1`},
		{"unknown key", goodAxes + "basline: fgd\n", `:5: unknown key "basline" in the experiment; ` + knownKeys},
		{"unknown axis", goodAxes + "  sed: 1\n", `:5: unknown key "sed" in axes; ` + knownAxes},
		{"key twice", goodAxes + "baseline: fgd\nbaseline: fgd\n", `:6: the key "baseline" comes twice; keep one`},
		{"axis twice", goodAxes + "  trace: synthetic:gpu\n", `:5: the key "trace" comes twice; keep one`},
		{"key is a list", goodAxes + "? [a, b]\n: 1\n", `:5: unknown key "" in the experiment; ` + knownKeys},
		{"merged keys", goodAxes + "<<: {baseline: fgd}\n", `:5: unknown key "<<" in the experiment; ` + knownKeys},
		{"axes are null", "version: berth/v1\naxes:\n", ":2: axes must be a mapping; write KEY: VALUE lines; " + see},
		{"no axes", "version: berth/v1\n", ":1: no trace; name one, for example synthetic:gpu"},
		{"no policy", "version: berth/v1\naxes:\n" + goodTrace, ":3: no policies; name some, for example fgd,bestfit"},
		{"policy is null", goodAxes[:len(goodAxes)-len("[fgd, bestfit]\n")] + "\n", ":4: policy must be a value or a list of values; " + see},
		{"a null in a list", goodAxes + "  seed:\n  - 1\n  -\n", ":7: seed must be a value or a list of values; " + see},
		{"nested list", goodAxes + "report:\n- wait_p50\n- [wait_p99]\n", ":7: report must be a value or a list of values; " + see},
		{"a mapping", goodAxes + "baseline: {a: b}\n", ":5: baseline must be a value or a list of values; " + see},
		{"an alias", goodAxes + "baseline: &x fgd\nreport: *x\n", ":6: report must be a value or a list of values; " + see},
		{"empty list", goodAxes + "report: []\n", ":5: report is an empty list; name at least one value, or leave the key out"},
		{"unknown policy", "version: berth/v1\naxes:\n" + goodTrace + "  policy:\n  - fgd\n  - fdg\n", `:6: policy "fdg": unknown plugin "fdg"; ` + known},
		{"no weight", "version: berth/v1\naxes:\n" + goodTrace + "  policy: [fgd:]\n", `:4: policy "fgd:": the weight "" is not a whole number; write NAME:WEIGHT, for example fgd:2`},
		{"weight 0", "version: berth/v1\naxes:\n" + goodTrace + "  policy: [fgd:0]\n", `:4: policy "fgd:0": plugin fgd has weight 0; a weight is a whole number from 1 to 1099511627776`},
		{"policy twice", "version: berth/v1\naxes:\n" + goodTrace + "  policy:\n  - fgd\n  - fgd\n", `:6: policy "fgd" comes twice; name each once`},
		{"trace twice", "version: berth/v1\naxes:\n  policy: fgd\n  trace: [a, b,\n    a]\n", `:5: trace "a" comes twice; name each once`},
		{"unknown eviction", goodAxes + "  eviction: cube\n", `:5: unknown eviction policy "cube"; known: ` + "kube, budgetaware, gangaware, circuitbreaker"},
		{"eviction setting", goodAxes + "  eviction: kube:grace=x\n", `:5: eviction "kube:grace=x": grace is "x"; give a duration from 100ms to 24h in tenths of a second, for example 40s`},
		{"zones", goodAxes + "zones: many\n", `:5: zones is "many"; write a whole number`},
		{"too many zones", goodAxes + "zones: 1001\n", `:5: zones is 1001; give 0 to 1000`},
		{"negative time", goodAxes + "for: -1h\n", `:5: for is -1h0m0s; give a duration`},
		{"for ever", goodAxes + "  faults: [none, 'exp(mtbf=1d)']\n", `:5: faults may go on for ever; say for how long, by for`},
		{"unknown quota", goodAxes + "  quota: tree\n", `:5: tree: there is no such file or folder; give the path of a manifest, or of a folder of them`},
		{"setting nothing", goodAxes + "set: [quota/a/pods=1]\n", `:5: "quota/a/pods=1" changes a limit, and there is none; name a quota`},
		{"setting what", goodAxes + "set: [pods=1]\n", `:5: "pods=1" sets nothing; write quota/NAMESPACE/RESOURCE=AMOUNT, for example quota/team-a/requests.cpu=200`},
		{"setting no amount", goodAxes + "set: [quota/a/pods=some]\n", `:5: "quota/a/pods=some": the amount is no quantity; write a number like 200, 1500m or 64Gi`},
		{"unknown metric", goodAxes + "report: wait\n", `:5: unknown metric "wait"; known: ` + strings.Join(selectable(), ", ")},
		{"baseline elsewhere", goodAxes + "baseline: dotprod\n", `:5: the baseline "dotprod" is not among the policies; use one of fgd, bestfit`},
		{"seeds backwards", goodAxes + "  seed: 9-3\n", `:5: seeds "9-3": the range 9-3 ends before it begins; write 3-9; ` + see},
		{"no seed", goodAxes + "  seed: soon\n", `:5: seeds "soon": "soon" is not a seed; write whole numbers from 0 and ranges, for example 1,5,42-51; ` + see},
		{"negative seed", goodAxes + "  seed: -1\n", `:5: seeds "-1": "" is not a seed; write whole numbers from 0 and ranges, for example 1,5,42-51; ` + see},
		{"seed twice", goodAxes + "  seed: [1, 0-2]\n", `:5: seeds "1,0-2": seed 1 comes twice; name each once; ` + see},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			x, err := ReadExperiment("x.yaml", []byte(tt.text), plugins.All)
			var wrong *traces.Error
			if x != nil || !errors.As(err, &wrong) {
				t.Fatalf("got %+v, %v", x, err)
			}
			if got, want := err.Error(), "x.yaml"+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// Experiments that people copy must work.
func TestExperimentsInDocsAndExamples(t *testing.T) {
	t.Chdir("..") // where berth is started
	files, err := filepath.Glob("examples/experiments/*.yaml")
	if err != nil || len(files) == 0 {
		t.Errorf("found no examples: %v", err)
	}
	read := func(file string) []byte {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for _, file := range files {
		if _, err := ReadExperiment(file, read(file), plugins.All); err != nil {
			t.Error(err)
		}
	}
	blocks := regexp.MustCompile("(?s)\n```yaml\n(.*?)```").FindAllSubmatch(read("docs/experiments.md"), -1)
	if len(blocks) == 0 {
		t.Error("docs/experiments.md shows no experiment")
	}
	for _, block := range blocks {
		if _, err := ReadExperiment("docs/experiments.md", block[1], plugins.All); err != nil {
			t.Errorf("%v, in\n%s", err, block[1])
		}
	}
}

func FuzzReadExperiment(f *testing.F) {
	for _, seed := range []string{
		"", "null", "--- ", "...", "a: [b", "- - -", "*a", "&a [*a]", "%YAML 9.9\n---\n", goodAxes, goodAxes + "---\n",
		goodAxes + "  seed: [1, 5, 42-51]\nbaseline: fgd\nreport: [wait_p99]\n", goodAxes + "  seed: \"\\n9-3\"\n",
		goodAxes + "baseline: \"a\\nb; c\"\n", "version: berth/v1\naxes: {trace: a, policy: [\"fgd\\n\"]}\nbaseline: x\n",
		goodAxes + "\"a\\u2028\\x07\": 1\n", "version: !!null berth/v1\n", "? {a: b}\n: c\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		x, err := ReadExperiment("x.yaml", content, plugins.All)
		if err == nil {
			if err := x.Validate(plugins.All); err != nil {
				t.Errorf("read %+v, which is invalid: %v", x, err)
			}
			return
		}
		var wrong *traces.Error
		if !errors.As(err, &wrong) || wrong.Problem == "" || wrong.Remedy == "" || wrong.Line < 0 {
			t.Errorf("got %#v", err)
		}
		if text := err.Error(); strings.ContainsFunc(text, unicode.IsControl) || !strings.HasPrefix(text, "x.yaml:") {
			t.Errorf("got %q, want one line that begins with the file", text)
		}
	})
}
