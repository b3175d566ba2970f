package input

import (
	"strings"
	"testing"
)

func TestErrorIsOneLine(t *testing.T) {
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{Error{File: "a.yaml", Line: 3, Problem: "p", Remedy: "r"}, "a.yaml:3: p; r"},
		{Error{File: "a.yaml", Problem: "p", Remedy: "r"}, "a.yaml: p; r"},
		{Error{File: "a\nb", Line: 3, Problem: "p", Remedy: "r"}, `"a\nb":3: p; r`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestQuotedIsShort(t *testing.T) {
	if got := Quoted("a\n" + strings.Repeat("b", 1000)); len(got) > 70 || strings.Contains(got, "\n") {
		t.Errorf("got %s", got)
	}
}
