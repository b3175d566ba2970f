package quota

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what upstream does into the files of testdata")

// TestKept plays what was worth keeping: stories that once differed, and those in which mistakes show.
func TestKept(t *testing.T) {
	pin()
	list, err := ReadKept("testdata")
	if err != nil || len(list) == 0 {
		t.Fatal(err, len(list))
	}
	for _, k := range list {
		t.Run(strings.TrimSuffix(filepath.Base(k.File), ".txt"), func(t *testing.T) {
			r := play(t, k.Story, mistake{}, newFeatures())
			if *rewrite {
				k.Upstream = r.Upstream
				if err := k.Write(); err != nil {
					t.Fatal(err)
				}
			}
			if r.Upstream != k.Upstream {
				t.Errorf("upstream did\n%s\nand not\n%s", r.Upstream, k.Upstream)
			}
			if r.Difference != "" {
				t.Errorf("Berth does something else:\n%s", r.Difference)
			}
		})
	}
}

// TestReadWrong wants errors that name the step.
func TestReadWrong(t *testing.T) {
	for text, want := range map[string]string{
		"---\nverb: create\nnothing: 1\n":                     `step 1: error unmarshaling JSON: while decoding JSON: json: unknown field "nothing"`,
		"---\nverb: create\nresource: pods\n---\npod: 3\n":    "step 2: ",
		"# why\n---\nverb: set\n---\nverb: end\nseconds: x\n": "step 2: ",
	} {
		if _, err := Read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngave %v, want %s", text, err, want)
		}
	}
}

// TestWritten wants stories to be the same again when they are read.
func TestWritten(t *testing.T) {
	for i := range uint64(50) {
		s := Draw(1, i)
		again, err := Read(s.String())
		if err != nil {
			t.Fatal(err)
		}
		if again.String() != s.String() {
			t.Fatalf("story %d was\n%s\nand is\n%s", i, s, again)
		}
	}
}
