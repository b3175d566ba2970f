//go:build linux

package vm

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"
)

// unpack reads an archive: content of files by name, "/" behind those of folders.
func unpack(t *testing.T, archive []byte) (names []string, texts map[string]string) {
	t.Helper()
	texts = map[string]string{}
	for r := cpio.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, texts
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := h.Name
		if h.Mode.IsDir() {
			name += "/"
		}
		names = append(names, name)
		texts[name] = string(text)
	}
}

func TestInitramfs(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program, b, a := put("some-program", "I"), put("b.ko", "BBBBB"), put("a.ko", "")
	var archive bytes.Buffer
	if err := initramfs(&archive, program, []string{b, a}); err != nil {
		t.Fatal(err)
	}
	names, texts := unpack(t, archive.Bytes())
	want := []string{"dev/", "modules/", "new/", "proc/", "sys/", "init", "modules/b.ko", "modules/a.ko", "modules/order"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	for name, want := range map[string]string{"init": "I", "modules/b.ko": "BBBBB", "modules/a.ko": "", "modules/order": "b.ko\na.ko\n"} {
		if texts[name] != want {
			t.Errorf("%s is %q, want %q", name, texts[name], want)
		}
	}
	// The kernel looks for the next archive where this one ends.
	if archive.Len()%4 != 0 {
		t.Errorf("%d bytes are no multiple of 4", archive.Len())
	}
	if err := initramfs(io.Discard, filepath.Join(dir, "none"), nil); err == nil {
		t.Error("an initramfs without init was written")
	}
}

func TestConfigGoesBehindTheSharedInitramfs(t *testing.T) {
	dir := t.TempDir()
	shared, whole := filepath.Join(dir, "shared"), filepath.Join(dir, "whole")
	var first bytes.Buffer
	if err := writeInitramfs(&first, nil, []file{{"init", 0o755, []byte("I")}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shared, first.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	config := map[string][]byte{"boot.json": []byte("{}"), "net.d/x": []byte("yy"), "a": nil}
	for range 2 { // the second time over what is there
		if err := joinInitramfs(whole, shared, config); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	second, ok := bytes.CutPrefix(text, first.Bytes())
	if !ok {
		t.Fatal("the shared archive isn't first")
	}
	names, texts := unpack(t, second)
	if d := cmp.Diff([]string{"conf/", "conf/net.d/", "conf/a", "conf/boot.json", "conf/net.d/x"}, names); d != "" {
		t.Error(d)
	}
	if texts["conf/net.d/x"] != "yy" {
		t.Errorf("got %q", texts)
	}
	if info, err := os.Stat(whole); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file with a private key has the mode %v (%v)", info.Mode(), err)
	}
}
