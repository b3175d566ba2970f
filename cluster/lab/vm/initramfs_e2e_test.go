//go:build linux && e2e

package vm

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCpioReadsIt holds the writer against another reader.
func TestCpioReadsIt(t *testing.T) {
	reader, args := "cpio", []string{"-it", "--quiet"}
	if _, err := exec.LookPath(reader); err != nil {
		reader, args = "busybox", []string{"cpio", "-t"}
		if _, err := exec.LookPath(reader); err != nil {
			t.Fatal("neither cpio nor busybox is here to read the archive: apt-get install busybox-static")
		}
	}
	var archive bytes.Buffer
	if err := writeInitramfs(&archive, []string{"dev"}, []file{{"a/b/c", 0o644, []byte("12345")}}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(reader, args...)
	cmd.Stdin = &archive
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(out)); !cmp.Equal(got, []string{"a", "a/b", "dev", "a/b/c"}) {
		t.Errorf("%s lists %q", reader, got)
	}
}
