package fetch

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The hashes are those of what lies in BERTH_TRACES, whether it is compressed there or
// not: who has fetched a trace reads what our figures rest on.
func TestHashesOfRecordings(t *testing.T) {
	root := os.Getenv("BERTH_TRACES")
	if root == "" {
		t.Skip("BERTH_TRACES is not set: it names the folder with the recordings")
	}
	checked := 0
	for _, d := range Datasets {
		for _, f := range d.Files {
			file := filepath.Join(root, d.Name, f.Name)
			if _, err := os.Stat(file); err != nil {
				file += ".gz"
			}
			in, err := os.Open(file)
			if err != nil {
				if os.Getenv("CI") != "" {
					t.Errorf("%s/%s is not among the recordings: %v", d.Name, f.Name, err)
				}
				continue // not everybody has every one
			}
			var r io.Reader = in
			if strings.HasSuffix(file, ".gz") && !strings.HasSuffix(f.Name, ".gz") {
				if r, err = gzip.NewReader(in); err != nil {
					t.Fatal(err)
				}
			}
			h := sha256.New()
			n, err := io.Copy(h, r)
			if sum := hex.EncodeToString(h.Sum(nil)); err != nil || n != f.Bytes || sum != f.SHA256 {
				t.Errorf("%s/%s: %v, %d bytes, %s", d.Name, f.Name, err, n, sum)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			checked++
		}
	}
	t.Logf("%d files have the hashes in the table", checked)
}
