//go:build linux

package vm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestResultsAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	b := &building{Config: &Config{Cache: dir}, aside: t.TempDir()}
	made := 0
	write := func(path string) error {
		made++
		return os.WriteFile(path, []byte("x"), 0o600)
	}
	for _, key := range []string{"a", "a", "b", "a"} {
		if _, err := b.result("base", key, write); err != nil {
			t.Fatal(err)
		}
	}
	if made != 2 {
		t.Errorf("two results were made %d times", made)
	}
	broken := errors.New("broken")
	_, err := b.result("base", "c", func(path string) error {
		return errors.Join(os.WriteFile(path, []byte("half"), 0o600), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if paths, _ := filepath.Glob(filepath.Join(dir, "*")); len(paths) != 2 {
		t.Errorf("a failure left %v", paths)
	}
}

func TestOldResultsGo(t *testing.T) {
	dir := t.TempDir()
	b := &building{Config: &Config{Cache: dir}, aside: t.TempDir()}
	write := func(path string) error { return os.WriteFile(path, nil, 0o600) }
	for i, key := range []string{"0", "1", "2", "3"} {
		path, err := b.result("base", key, write)
		if err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(i-100) * time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.result("data", "0", write); err != nil {
		t.Fatal(err)
	}
	if _, err := b.result("base", "1", write); err != nil { // used, and so the newest
		t.Fatal(err)
	}
	if _, err := b.result("base", "4", write); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"base-0": false, "base-1": true, "base-2": false, "base-3": true, "base-4": true, "data-0": true} {
		if _, err := os.Stat(filepath.Join(dir, name+".img")); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
}

func TestBuildsTakeTurns(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockFolder(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := lockFolder(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked twice: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = lockFolder(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatKilledBuildsLeftGoes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{asidePrefix + "1/tree", "kernel/" + asidePrefix + "2", "kernel/linux-image"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeAbandoned(dir); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "linux-image" {
		t.Errorf("left: %v (%v)", left, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, asidePrefix+"*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestMachinesKeepTheirParts(t *testing.T) {
	dir := t.TempDir()
	part := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	m := &Machine{Spec: Spec{Dir: filepath.Join(dir, "vm"), Parts: Parts{
		Kernel: part("k", "kernel"), Initramfs: part("i", "init"), Base: part("b", "base"), Data: part("d", "data"), Accel: KVM,
	}}}
	if err := m.furnish(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path(ownData), []byte("used"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(m.Spec.Parts.Data); err != nil || string(text) != "data" {
		t.Errorf("a machine wrote to what others copy: %q (%v)", text, err)
	}
	for _, path := range []string{m.Spec.Parts.Kernel, m.Spec.Parts.Initramfs, m.Spec.Parts.Base, m.Spec.Parts.Data} {
		if err := os.Remove(path); err != nil { // pruned
			t.Fatal(err)
		}
	}
	if !m.Furnished() {
		t.Error("a furnished machine doesn't know")
	}
	m.Spec.Parts = Parts{} // another program starts it
	if err := m.furnish(); err != nil {
		t.Fatal(err)
	}
	if m.Spec.Parts.Accel != KVM {
		t.Errorf("the machine was on KVM, and now is on %q", m.Spec.Parts.Accel)
	}
	other := &Machine{Spec: Spec{Dir: filepath.Join(dir, "other")}}
	if err := other.furnish(); err == nil || !strings.Contains(err.Error(), "Build") {
		t.Errorf("a machine of nothing: %v", err)
	}
	if other.Furnished() {
		t.Error("a machine of nothing is furnished")
	}
	for name, want := range map[string]string{ownKernel: "kernel", ownInitramfs: "init", ownBase: "base", ownData: "used"} {
		if text, err := os.ReadFile(m.path(name)); err != nil || string(text) != want {
			t.Errorf("%s is %q (%v), want %q", name, text, err, want)
		}
	}
}
