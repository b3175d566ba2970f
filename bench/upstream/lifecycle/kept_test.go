package lifecycle

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what upstream does into the files of testdata")

// TestKept plays what was worth keeping: what upstream does where one would expect something else, and
// timelines that once differed.
func TestKept(t *testing.T) {
	list, err := ReadKept("testdata")
	if err != nil || len(list) == 0 {
		t.Fatal(err, len(list))
	}
	for _, k := range list {
		t.Run(strings.TrimSuffix(filepath.Base(k.File), ".txt"), func(t *testing.T) {
			got := Lines(Upstream(t)(k.Timeline))
			if *rewrite {
				k.Upstream = got
				if err := k.Write(); err != nil {
					t.Fatal(err)
				}
			}
			if got != k.Upstream {
				t.Errorf("upstream did\n%s\nand not\n%s", got, k.Upstream)
			}
			if d := Compare(Upstream(t)(k.Timeline), Berth(k.Timeline), 0); d != "" {
				t.Errorf("Berth does something else:\n%s", d)
			}
		})
	}
}

// TestReadWrong wants errors that name the line.
func TestReadWrong(t *testing.T) {
	const settings = "settings period=5s startup=1m grace=50s rate=0.1 secondary=0.01 large=50 threshold=0.55 end=1m\n"
	for text, want := range map[string]string{
		"":                                               "no settings",
		settings + "nodes a":                             "line 2: \"nodes a\"",
		settings + "node a zones=z":                      "line 2: zones=z: nodes have no",
		settings + "pod p node=a stops=1s":               "line 2: stops=1s: pods have no",
		settings + "at 1.001s fails a":                   "line 2: nothing called \"fails\"",
		settings + "at 1.5s fail a":                      "fail a at 1.5s, when controllers act",
		settings + "at 1.001s post a Ready":              "line 2: Ready: want a condition",
		settings + "at 1.001s taint a key":               "line 2: want an effect",
		settings + "at 2.001s fail a\nat 1.001s fail a":  "fail a at 1.001s comes after 2.001s",
		"settings grade=1s":                              "line 1: grade=1s: unknown setting",
		settings + "node a lease=10s":                    "line 2: lease=10s: want a period and a phase",
		settings + "pod p node=a tolerate=k:NoExecute/x": "line 2: tolerate=k:NoExecute/x",
	} {
		if _, err := Read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngave %v, want %s", text, err, want)
		}
	}
}
