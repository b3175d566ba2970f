package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]size{"0": 0, "100": 100, "64Ki": 64 << 10, "20Mi": 20 << 20, "1Gi": 1 << 30} {
		var got size
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "1M", "Mi", "9999999999Gi"} {
		if err := new(size).Set(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestGrowTakesAllAndNoMore(t *testing.T) {
	var got, calls size
	if err := grow(10, 8, func(n size) error { got += n; calls++; return nil }); err != nil {
		t.Fatal(err)
	}
	if got != 10 || calls != 5 { // 8 a second are 2 a step
		t.Errorf("%d bytes in %d steps", got, calls)
	}
	full := errors.New("full")
	if err := grow(10, 0, func(size) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	p := program{runs: 1, exit: 7}
	if got := p.run(); got != 7 {
		t.Errorf("status %d", got)
	}
	p = program{disk: 5000, diskDir: dir}
	if err := p.fill(); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Stat(filepath.Join(dir, "filled")); err != nil || f.Size() != 5000 {
		t.Errorf("file %v, %v", f, err)
	}
	p = program{disk: 1, diskDir: filepath.Join(dir, "gone")}
	if got := p.run(); got != 1 {
		t.Errorf("status %d with a folder that isn't there", got)
	}
}
