//go:build verify

package bench

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The published results of Weng et al., "Beware of Fragmentation", USENIX ATC'23:
// a row for each policy and seed, with 0 to 130 % of capacity asked for. They have
// two decimals. Of what is allocated, each sample was rounded before the mean of
// those at one % was, so that the two may add up to 0.01.
const (
	paperTrace  = "openb:alibaba-openb-gpu-v2023?pods=default"
	paperFolder = "fgd-atc23-expected-default"
	paperPoints = 131
	paperDigits = 0.01
)

// paperFiles are the published figures and the curves that they must equal.
var paperFiles = []struct{ family, file string }{
	{"gpu_allocated_pct", "analysis_allo_discrete.csv"},
	{"gpu_fragmented_pct", "analysis_frag_discrete.csv"},
}

// A paperRow names a run, in the paper and here.
type paperRow struct {
	policy string
	seed   int64
}

// A paperCurves holds curves by run.
type paperCurves map[paperRow][]float64

// recordedFolder is where recorded traces are.
func recordedFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BERTH_TRACES")
	if dir == "" {
		t.Skip("BERTH_TRACES doesn't name the folder of recorded traces and published results")
	}
	return dir
}

// TestVerifyPaper runs the paper's experiment and compares every published row.
// Random is compared by distribution: it draws its nodes from a list that the
// authors' program fills in an order of its own each time.
func TestVerifyPaper(t *testing.T) {
	dir := filepath.Join(recordedFolder(t), paperFolder)
	x := experiment(paperTrace, paperPolicies)
	var err error
	if x.Axes.Seed, err = ParseSeeds("42-51"); err != nil {
		t.Fatal(err)
	}
	results := do(t, x, 0)
	pairs := make([]paperPair, len(paperFiles))
	for i, f := range paperFiles {
		pairs[i] = paperPair{family: f.family, published: readPaper(t, filepath.Join(dir, f.file)), here: paperCurves{}}
		for _, run := range results.Runs {
			pairs[i].here[paperRow{run.Policy, run.Seed}] = run.Curves[f.family]
		}
	}
	t.Run("rows", func(t *testing.T) { checkPaperRows(t, pairs) })
	t.Run("random", func(t *testing.T) { checkPaperRandom(t, pairs) })
	t.Run("document", func(t *testing.T) { checkPaperDocument(t, results, pairs) })
}

// A paperPair is one figure, as published and as Berth has it.
type paperPair struct {
	family          string
	published, here paperCurves
}

// readPaper reads one of the published files.
func readPaper(t *testing.T, file string) paperCurves {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	curves := paperCurves{}
	for i, row := range rows[1:] {
		if row[column["workload"]] != "openb_pod_list_default" || row[column["tune"]] != "1.3" {
			t.Fatalf("%s:%d: not the default workload at 130 %%", file, i+2)
		}
		_, policy, _ := strings.Cut(row[column["sc_policy"]], "-") // 06-FGD
		seed, err := strconv.ParseInt(row[column["seed"]], 10, 64)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, i+2, err)
		}
		curve := make([]float64, paperPoints)
		for at := range curve {
			if curve[at], err = strconv.ParseFloat(row[column[strconv.Itoa(at)]], 64); err != nil {
				t.Fatalf("%s:%d: %v", file, i+2, err)
			}
		}
		curves[paperRow{strings.ToLower(policy), seed}] = curve
	}
	if len(curves) != len(paperPolicies)*10 {
		t.Fatalf("%s has %d rows, want 60", file, len(curves))
	}
	return curves
}

// largest returns the largest difference on the row, infinite if a point is
// missing.
func (p paperPair) largest(row paperRow) float64 {
	published, here := p.published[row], p.here[row]
	if len(published) != paperPoints || len(here) != paperPoints {
		return math.Inf(1)
	}
	largest := 0.0
	for at := range published {
		difference := math.Abs(published[at] - here[at])
		if math.IsNaN(difference) {
			return math.Inf(1)
		}
		largest = max(largest, difference)
	}
	return largest
}

// rows lists the published rows of a policy by seed.
func (p paperPair) rows(policy string) (rows []paperRow) {
	for row := range p.published {
		if row.policy == policy {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b paperRow) int { return cmp.Compare(a.seed, b.seed) })
	return rows
}

func checkPaperRows(t *testing.T, pairs []paperPair) {
	largest := 0.0
	for _, p := range pairs {
		compared := 0
		for _, policy := range paperPolicies {
			if policy == "random" {
				continue
			}
			for _, row := range p.rows(policy) {
				difference := p.largest(row)
				if difference > paperDigits+1e-9 {
					t.Errorf("%s of %s with seed %d differs by %v", p.family, row.policy, row.seed, difference)
				}
				largest = max(largest, difference)
				compared++
			}
		}
		if compared != 50 {
			t.Errorf("%s: compared %d rows, want 50", p.family, compared)
		}
	}
	t.Logf("50 rows × %d columns × %d figures compared, largest difference %.4f", paperPoints, len(pairs), largest)
}

// checkPaperRandom takes the difference of two means of ten for chance while it
// is less than three standard errors.
func checkPaperRandom(t *testing.T, pairs []paperPair) {
	for _, p := range pairs {
		for _, at := range []int{100, 130} {
			published, sd := meanSD(p.at(p.published, "random", at))
			here, _ := meanSD(p.at(p.here, "random", at))
			tolerance := 3 * sd * math.Sqrt(2./10)
			if !(math.Abs(here-published) <= tolerance) {
				t.Errorf("%s of random at %d %% is %.4f, published %.4f ± %.4f, may differ by %.4f", p.family, at, here, published, sd, tolerance)
			}
			t.Logf("%s of random at %d %%: mean of 10 seeds %.4f, published %.4f, may differ by %.4f", p.family, at, here, published, tolerance)
		}
	}
}

// at returns a policy's values at a point, by seed.
func (p paperPair) at(curves paperCurves, policy string, at int) (values []float64) {
	for _, row := range p.rows(policy) {
		values = append(values, curves[row][at])
	}
	return values
}

// The document and the part of it that the test writes.
const (
	paperDocument = "../docs/results.md"
	paperBegin    = "<!-- paper:begin -->\n"
	paperEnd      = "<!-- paper:end -->\n"
)

// checkPaperDocument compares the document's tables with those of the run, or
// rewrites them with -update.
func checkPaperDocument(t *testing.T, r *Results, pairs []paperPair) {
	content, err := os.ReadFile(paperDocument)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), paperBegin)
	_, after, ends := strings.Cut(rest, paperEnd)
	if !begins || !ends {
		t.Fatalf("%s lacks the lines %s and %s", paperDocument, strings.TrimSpace(paperBegin), strings.TrimSpace(paperEnd))
	}
	want := before + paperBegin + paperTables(r, pairs) + paperEnd + after
	if string(content) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: go test -tags verify -run TestVerifyPaper ./bench -update; it should say\n%s", paperDocument, want)
	}
	if err := os.WriteFile(paperDocument, []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
}

// paperTables are the tables of the document, in Markdown.
func paperTables(r *Results, pairs []paperPair) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Trace %s, SHA-256 %s…; decisions of all %d runs, SHA-256 %s….\n", r.Traces[0].Name, r.Traces[0].Hash[:12], len(r.Runs), r.Reproduce.Digest[:12])
	for _, p := range pairs {
		title := "GPU allocated"
		if p.family == "gpu_fragmented_pct" {
			title = "GPU fragmented"
		}
		fmt.Fprintf(&b, "\n%s, %% of capacity, when pods had asked for so many %% of it:\n\n| policy | |", title)
		for _, at := range reportedAt {
			fmt.Fprintf(&b, " %d |", at)
		}
		fmt.Fprintf(&b, " largest difference |\n| --- | --- |%s\n", strings.Repeat(" ---: |", len(reportedAt)+1))
		for _, policy := range paperPolicies {
			p.writeRows(&b, policy)
		}
	}
	return b.String()
}

// writeRows writes a policy's two rows: as published, and here.
func (p paperPair) writeRows(b *bytes.Buffer, policy string) {
	rows := p.rows(policy)
	difference, sum := "–", 0.0
	for _, row := range rows {
		sum += p.largest(row)
	}
	if policy != "random" {
		difference = fmt.Sprintf("%.4f", sum/float64(len(rows)))
	}
	for _, which := range []struct {
		label, difference string
		curves            paperCurves
	}{{"published", "", p.published}, {"Berth", difference, p.here}} {
		fmt.Fprintf(b, "| %s | %s |", policy, which.label)
		for _, at := range reportedAt {
			mean, sd := meanSD(p.at(which.curves, policy, at))
			fmt.Fprintf(b, " %.2f ± %.2f |", mean, sd)
		}
		fmt.Fprintf(b, " %s |\n", which.difference)
	}
}
