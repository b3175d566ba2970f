package setting

import (
	"fmt"
	"testing"
)

// failing is a test that may fail without failing the one that runs it.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(format string, args ...any) { f.said = fmt.Sprintf(format, args...) }

func TestInt(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
		said string
	}{
		{"", 5, ""},
		{"0", 0, ""},
		{"20000", 20000, ""},
		{"-1", 0, `SIZE is "-1"; it must be a whole number from 0`},
		{"1e5", 0, `SIZE is "1e5"; it must be a whole number from 0`},
		{" 7", 0, `SIZE is " 7"; it must be a whole number from 0`},
	} {
		t.Setenv("SIZE", tt.text)
		f := &failing{TB: t}
		// What is returned after a failure is nobody's, since a test ends there.
		if n := Int(f, "SIZE", 5); f.said != tt.said || tt.said == "" && n != tt.want {
			t.Errorf("%q: %d and %q, want %d and %q", tt.text, n, f.said, tt.want, tt.said)
		}
	}
}
