//go:build linux

package virtual

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster/lab"
	"github.com/berthsim/berth/cluster/lab/vm"
)

// TestProgramsOfTheFolderComeFirst has a folder of programs, as --bin-dir names one.
func TestProgramsOfTheFolderComeFirst(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"containerd", "runc"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	with, without := settings(&lab.Config{BinDir: dir}), settings(&lab.Config{})
	if with.Programs.Containerd != filepath.Join(dir, "containerd") || with.Programs.Runc != filepath.Join(dir, "runc") {
		t.Errorf("machines are made of %+v, not of what is in %s", with.Programs, dir)
	}
	if with.Programs.Ctr != without.Programs.Ctr || strings.HasPrefix(without.Programs.Containerd, dir) {
		t.Errorf("with a folder %+v, without %+v", with.Programs, without.Programs)
	}
	for _, n := range vm.Needs(with) {
		if n.What == "there is no containerd" || n.What == "there is no runc" {
			t.Errorf("they are in the folder, and yet: %v", n)
		}
	}
}

// TestPartsAreMadeOnce has two nodes with disks of one size, of which the second needs nothing more.
func TestPartsAreMadeOnce(t *testing.T) {
	l := &lab.Lab{}
	made := vm.Parts{Kernel: "kernel", Data: "data"}
	r := &Runtime{made: map[making]vm.Parts{{l, 1 << 30}: made}}
	n := lab.Node{NodeSpec: lab.NodeSpec{Name: "vm2", Disk: 1 << 30}}
	if err := r.Build(t.Context(), l, n); err != nil || len(r.made) != 1 {
		t.Errorf("building again: %v, %d kinds of parts", err, len(r.made))
	}
}
