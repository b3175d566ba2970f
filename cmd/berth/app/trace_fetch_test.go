package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/traces/fetch"
)

// TestTraceFetch fetches from a server here, and plays what it got.
func TestTraceFetch(t *testing.T) {
	jobs := []byte("timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-03 00:00:00,300.0,1,300.0,vc-a\n2017-10-03 05:00:00,100.0,2,200.0,vc-a\n")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jobs.csv" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(jobs) // the other end may be gone
	}))
	defer web.Close()
	sum := sha256.Sum256(jobs)
	file := func(path string) []fetch.File {
		return []fetch.File{{Name: "philly.csv", URL: web.URL + path, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(jobs))}}
	}
	datasets := []fetch.Dataset{
		{Name: "small", What: "two jobs", Licence: "CC0-1.0", Cite: "nobody", Format: "philly", Files: file("/jobs.csv"), ByHand: "the rest: elsewhere"},
		{Name: "lost", What: "not there", Licence: "CC0-1.0", Cite: "nobody", Files: file("/lost.csv")},
		{Name: "manual", What: "for people", Licence: "CC0-1.0", Cite: "nobody", ByHand: "example.org"},
	}
	root := t.TempDir()
	run := func(args ...string) (status int, stdout, stderr string) {
		var out, errs bytes.Buffer
		status = Run(t.Context(), Env{Args: args, Stdout: &out, Stderr: &errs, TraceDir: root, Datasets: datasets})
		return status, out.String(), errs.String()
	}
	if err := os.MkdirAll(filepath.Join(root, "other", "small"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "other", "small", "philly.csv"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   string
		status int
		says   string // on standard output, or if it fails on standard error
	}{
		{"trace fetch", 0, "manual  for people  CC0-1.0  –       example.org"},
		{"trace fetch -o json", 0, `"by_hand": "example.org"`},
		{"trace fetch small", 0, "small: 0.1 kB in " + filepath.Join(root, "small") + "\nlicence: CC0-1.0\nto be cited: nobody\nread as: philly:"},
		{"trace fetch small", 0, "small: 0.1 kB"},
		{"trace info philly:small", 0, "rows read                        2"},
		{"trace fetch small --to " + filepath.Join(root, "other"), 2, "is not the file to be fetched; move it away"},
		{"trace fetch lost", 3, "/lost.csv answers 404 Not Found; try again later"},
		{"trace fetch manual", 2, "manual can't be fetched; get it by hand from example.org"},
		{"trace fetch nothing", 2, `there is no trace "nothing" to fetch; berth trace fetch lists`},
		{"trace fetch small lost", 2, "see berth trace fetch --help"},
		{"trace fetch -o xml", 2, "unknown output format"},
	} {
		status, stdout, stderr := run(strings.Fields(tt.args)...)
		said := stdout
		if tt.status != 0 {
			said = stderr
			if stdout != "" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%s: wrote %q and %q", tt.args, stdout, stderr)
			}
		}
		if status != tt.status || !strings.Contains(said, tt.says) {
			t.Errorf("%s: status %d, want %d; said\n%s\nwant\n%s", tt.args, status, tt.status, said, tt.says)
		}
	}
}
