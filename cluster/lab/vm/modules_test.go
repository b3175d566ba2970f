//go:build linux

package vm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// module returns a file that has a section .modinfo and nothing else, as the kernel's
// own build writes them.
func module(t *testing.T, info string) []byte {
	t.Helper()
	names := "\x00.modinfo\x00.shstrtab\x00"
	const head, entry = 64, 64
	infoAt := uint64(head)
	namesAt := infoAt + uint64(len(info))
	sectionsAt := namesAt + uint64(len(names))
	var out bytes.Buffer
	write := func(v any) {
		if err := binary.Write(&out, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	h := elf.Header64{Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: 1, Shoff: sectionsAt, Ehsize: head, Shentsize: entry, Shnum: 3, Shstrndx: 2}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	write(h)
	out.WriteString(info + names)
	write(elf.Section64{})
	write(elf.Section64{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: infoAt, Size: uint64(len(info))})
	write(elf.Section64{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: namesAt, Size: uint64(len(names))})
	return out.Bytes()
}

// moduleFolder writes modules, given by file name and what each says of itself.
func moduleFolder(t *testing.T, modules map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, info := range modules {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, module(t, info), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "modules.builtin"), []byte("kernel/fs/ext4/ext4.ko\nkernel/lib/crc-x.ko\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestModulesComeBehindWhatTheyNeed(t *testing.T) {
	dir := moduleFolder(t, map[string]string{
		"kernel/net/virtio_net.ko":     "license=GPL\x00depends=net_failover,virtio,crc_x\x00name=virtio_net\x00",
		"kernel/net/net_failover.ko":   "depends=failover\x00",
		"kernel/net/core/failover.ko":  "depends=\x00",
		"kernel/drivers/virtio-rng.ko": "depends=virtio\x00",
		"kernel/drivers/virtio.ko":     "softdep=pre: x\x00",
		"kernel/drivers/another.ko":    "depends=virtio\x00",
	})
	tree, err := readModuleTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := tree.order([]string{"virtio_net", "ext4", "virtio_rng", "virtio_net"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	if d := cmp.Diff([]string{"failover.ko", "net_failover.ko", "virtio.ko", "virtio_net.ko", "virtio-rng.ko"}, names); d != "" {
		t.Error(d)
	}
}

func TestModulesThatCannotBe(t *testing.T) {
	dir := moduleFolder(t, map[string]string{
		"a.ko": "depends=b\x00", "b.ko": "depends=a\x00",
		"c.ko": "depends=missing\x00",
	})
	for name, text := range map[string]string{"packed.ko.xz": "\xfd7zXZ" + strings.Repeat("\x00", 100), "empty.ko": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := readModuleTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		module, want string
		need         bool
	}{
		{"a", "depends on itself", false},
		{"c", "no module missing, which c depends on", true},
		{"none", "no module none;", true},
		{"packed", "compressed", true},
		{"empty", "no plain module", true},
	} {
		_, err := tree.order([]string{tt.module})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.module, err, tt.want)
			continue
		}
		if n := (*Need)(nil); errors.As(err, &n) != tt.need {
			t.Errorf("%s: %v is a need: %v, want %v", tt.module, err, !tt.need, tt.need)
		}
	}
	if _, err := readModuleTree(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that isn't there was read")
	}
}

func TestModulesWithoutInfo(t *testing.T) {
	self, err := os.Executable() // an ELF file that is no module
	if err != nil {
		t.Fatal(err)
	}
	if _, err := moduleNeeds(self); err == nil || !strings.Contains(err.Error(), "says nothing of itself") {
		t.Errorf("got %v", err)
	}
}
