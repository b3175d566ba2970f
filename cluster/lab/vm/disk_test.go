//go:build linux

package vm

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// programFiles makes stand-ins for all programs: this test's own, which is an ELF file.
func programFiles(t *testing.T) Programs {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := Programs{Kubelet: filepath.Join(dir, "hyper")}
	paths := []string{p.Kubelet}
	for _, w := range p.wanted() {
		*w.path = filepath.Join(dir, w.file)
		paths = append(paths, *w.path)
	}
	for _, path := range paths {
		if err := os.Symlink(self, path); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestBaseLayout(t *testing.T) {
	image := filepath.Join(t.TempDir(), "pause.tar")
	if err := os.WriteFile(image, []byte("tar"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &Config{Programs: programFiles(t), Images: []string{image}}
	l, err := baseLayout(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(t.TempDir(), "tree")
	if err := l.stage(tree); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"usr/bin/kubelet", "usr/bin/containerd", "usr/sbin/runc", "usr/lib/cni/bridge", "images/000-pause.tar", "bin/busybox"} {
		info, err := os.Lstat(filepath.Join(tree, name))
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			t.Errorf("%s: %v (%v); what links lead to is to be copied", name, info, err)
		}
	}
	for name, want := range map[string]string{"var/run": "/run", "bin/sh": "busybox"} {
		if got, err := os.Readlink(filepath.Join(tree, name)); got != want || err != nil {
			t.Errorf("%s leads to %q (%v), want %q", name, got, err, want)
		}
	}
	for _, dir := range []string{"proc", "data", "var/lib/kubelet", "run"} {
		if info, err := os.Stat(filepath.Join(tree, dir)); err != nil || !info.IsDir() {
			t.Errorf("%s is no folder (%v)", dir, err)
		}
	}
	testBaseDisk(t, tree)
}

// testBaseDisk makes a disk of the tree and looks into it with debugfs.
func testBaseDisk(t *testing.T, tree string) {
	t.Helper()
	for _, tool := range []string{"mke2fs", "debugfs"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("there is no %s: apt-get install e2fsprogs", tool)
			}
			t.Skipf("there is no %s to make disks and look into them: apt-get install e2fsprogs", tool)
		}
	}
	disk := filepath.Join(t.TempDir(), "base.img")
	if err := makeBaseDisk(context.Background(), tree, disk); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("debugfs", "-R", "stat /usr/bin/kubelet", disk).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Type: regular")) {
		t.Errorf("debugfs says of the kubelet: %v: %s", err, out)
	}
}

func TestKeysFollowContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	keyOf := func(l *layout) string {
		t.Helper()
		k := newKey("test")
		if err := l.addTo(k); err != nil {
			t.Fatal(err)
		}
		return k.String()
	}
	write := func(text string, mode fs.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	l := &layout{files: map[string]string{"a": path}, links: map[string]string{"l": "x", "m": "y"}}
	write("1", 0o644)
	first := keyOf(l)
	if again := keyOf(l); again != first {
		t.Errorf("the same content has the keys %s and %s", first, again)
	}
	seen := map[string]string{first: "the first"}
	for _, change := range []struct {
		what string
		do   func()
	}{
		{"content", func() { write("2", 0o644) }},
		{"permissions", func() { write("2", 0o755) }},
		{"a link", func() { l.links["l"] = "z" }},
		{"a folder", func() { l.folders = []string{"d"} }},
		{"a text", func() { l.texts = map[string]string{"t": ""} }},
		{"a name", func() { l.files = map[string]string{"b": path} }},
	} {
		change.do()
		k := keyOf(l)
		if other, ok := seen[k]; ok {
			t.Errorf("with another %s, the key is that of %s", change.what, other)
		}
		seen[k] = change.what
	}
}

func TestLibraries(t *testing.T) {
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	libs, err := libraries(context.Background(), sh)
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range libs { // none if the shell is static, as in busybox' world
		if _, err := os.Stat(lib); err != nil || !filepath.IsAbs(lib) {
			t.Errorf("%s: %v", lib, err)
		}
	}
	if all := strings.Join(libs, " "); len(libs) > 0 && (!strings.Contains(all, "libc") || !strings.Contains(all, "ld-")) {
		t.Errorf("neither a C library nor its linker among %s", all)
	}
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := libraries(context.Background(), script); err == nil {
		t.Error("a script passes for a program that needs no interpreter")
	}
}

func TestCopySparse(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 64 << 20
	want := make([]byte, size)
	for at, text := range map[int]string{0: "beginning", 10 << 20: "middle", size - 3: "end"} {
		copy(want[at:], text)
		if _, err := f.WriteAt([]byte(text), int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	// A hole at the end, too.
	want = append(want, make([]byte, 1<<20)...)
	if err := f.Truncate(int64(len(want))); err != nil {
		t.Fatal(err)
	}
	if err := copySparse(from, to); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the copy differs")
	}
	room := func(path string) int64 {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks
	}
	if a, b := room(from), room(to); b > 2*a+64 {
		t.Errorf("the copy takes %d blocks, the original %d", b, a)
	}
	if err := copySparse(from, to); err == nil {
		t.Error("a copy was written over a file")
	}
}
