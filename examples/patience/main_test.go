package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/berthsim/berth/eviction/evictiontest"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"patience": main}) }

// A policy of one's own, with everything around it, is to take 40 lines.
func TestWholeProgramIsShort(t *testing.T) {
	const most = 40
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > most {
		t.Errorf("main.go has %d lines, more than %d", lines, most)
	}
}

func TestPatience(t *testing.T) { evictiontest.TestPolicy(t, policy) }

// TestComparesWithOthers runs the program as a user does.
func TestComparesWithOthers(t *testing.T) {
	args := strings.Fields("storm -q --trace synthetic:gpu?mode=time&nodes=60&pods=3000 --faults exp(mtbf=5h,mttr=30m) --eviction kube --eviction patience --for 8h --seeds 1-2 -o csv")
	out, err := exec.Command("patience", args...).Output()
	if err != nil {
		t.Fatal(err, string(out))
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	evicted := map[string]string{} // mean, by policy
	for _, row := range rows {
		if row[5] == "evictions" {
			evicted[row[2]] = row[8]
		}
	}
	kube, err1 := strconv.ParseFloat(evicted["kube"], 64)
	patience, err2 := strconv.ParseFloat(evicted["patience"], 64)
	if err1 != nil || err2 != nil || patience >= kube || patience == 0 {
		t.Errorf("kube evicts %q pods, patience %q, of\n%s", evicted["kube"], evicted["patience"], out)
	}
}
