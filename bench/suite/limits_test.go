package suite

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/limits.txt anew")

const (
	limitsFile = "testdata/limits.txt"
	limitSlack = 1.05  // of what was measured
	limitNodes = 5000  // the largest clusters that have limits
	limitStep  = 0.001 // what counts are rounded up to
)

// A limit is the most of a Counter that a case may take, for a pod.
type limit struct{ name, counter string }

// TestLimits checks that no case takes more work than its limits say: counts depend on
// nothing but the code.
func TestLimits(t *testing.T) {
	measured := map[limit]float64{}
	var order []limit
	for _, c := range Cases() {
		if c.Nodes > limitNodes {
			continue
		}
		w := mustWorld(t, c)
		before := w.profile.Work()
		w.Prepare(w.workload.pods)
		for range w.workload.pods {
			w.Place()
		}
		for _, k := range Counters {
			l := limit{c.Name(), k.Name}
			order = append(order, l)
			measured[l] = countsSince(before, w.profile.Work(), w.workload.pods)[k.Name]
		}
	}
	if *update {
		writeLimits(t, order, measured)
		return
	}
	text, err := os.ReadFile(limitsFile)
	if err != nil {
		t.Fatal(err)
	}
	limits, err := readLimits(string(text))
	if err != nil {
		t.Fatal(err)
	}
	const remedy = "if that is meant, run go test ./bench/suite -run Limits -update, and say why in the commit"
	for _, finding := range exceeded(order, measured, limits) {
		t.Errorf("%s; %s", finding, remedy)
	}
}

// exceeded says where more was measured than limits allow, and which limits are of
// nothing, or missing.
func exceeded(order []limit, measured, limits map[limit]float64) (findings []string) {
	for _, l := range order {
		most, ok := limits[l]
		switch {
		case !ok:
			findings = append(findings, fmt.Sprintf("%s has no limit for %s", l.name, l.counter))
		case measured[l] > most:
			findings = append(findings, fmt.Sprintf("%s: %g %s for a pod, and the limit is %g", l.name, measured[l], l.counter, most))
		}
	}
	for l := range limits {
		if !slices.Contains(order, l) {
			findings = append(findings, fmt.Sprintf("there is a limit for %s of %s, which isn't measured", l.counter, l.name))
		}
	}
	return findings
}

func readLimits(text string) (map[limit]float64, error) {
	limits := map[limit]float64{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s:%d: %q isn't case, counter, limit", limitsFile, n, lines.Text())
		}
		most, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", limitsFile, n, err)
		}
		limits[limit{fields[0], fields[1]}] = most
	}
	return limits, nil
}

func writeLimits(t *testing.T, order []limit, measured map[limit]float64) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# The most work that a case may take, for a pod: %g times what was measured.\n", limitSlack)
	fmt.Fprintf(&b, "# Written by go test ./bench/suite -run Limits -update, at commit %s.\n", commit())
	for _, l := range order {
		steps := int64(measured[l]*limitSlack/limitStep + 0.999999)
		fmt.Fprintf(&b, "%-36s %-10s %s\n", l.name, l.counter, strconv.FormatFloat(float64(steps)*limitStep, 'f', 3, 64))
	}
	if err := os.WriteFile(limitsFile, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

// commit returns the commit that is checked out, and says if files differ from it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=, with changes").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func TestExceeded(t *testing.T) {
	a, b, c := limit{"a/nodes=5", "scored"}, limit{"b/nodes=5", "scans"}, limit{"c", "scans"}
	limits, err := readLimits("# why\na/nodes=5 scored 2.5\n\nb/nodes=5 scans 0.000\n")
	if err != nil || len(limits) != 2 {
		t.Fatal(limits, err)
	}
	order := []limit{a, b}
	if got := exceeded(order, map[limit]float64{a: 2.5}, limits); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	want := []string{"a/nodes=5: 2.6 scored for a pod, and the limit is 2.5", "b/nodes=5: 0.1 scans for a pod, and the limit is 0", "c has no limit for scans"}
	if got := exceeded([]limit{a, b, c}, map[limit]float64{a: 2.6, b: 0.1}, limits); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	want = []string{"there is a limit for scans of b/nodes=5, which isn't measured"}
	if got := exceeded(order[:1], map[limit]float64{}, limits); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	for _, text := range []string{"a scored", "a scored many"} {
		if _, err := readLimits(text); err == nil || !strings.HasPrefix(err.Error(), limitsFile+":1: ") {
			t.Errorf("of %q: %v", text, err)
		}
	}
}
