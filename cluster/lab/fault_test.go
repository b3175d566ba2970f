//go:build linux

package lab

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		f    Fault
		want string
	}{
		{Fault{Kind: "explode"}, "there is no fault"},
		{Fault{Kind: Partition}, "wants the name of a node"},
		{Fault{Kind: StopAPIServer, Node: "n1"}, "no fault of a node"},
		{Fault{Kind: Heal, Node: "n1", For: time.Second}, "doesn't last"},
		{Fault{Kind: Partition, Node: "n1", For: -1}, "can't last"},
		{Fault{Kind: FillDisk, Node: "n1", Leave: -1}, "can't leave"},
	} {
		if err := (&Lab{}).Fault(t.Context(), tt.f); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.f, err, tt.want)
		}
	}
}

func TestEveryFaultWithATimeIsUndone(t *testing.T) {
	for _, k := range FaultKinds() {
		if k.undo == "" {
			continue
		}
		undo, err := Fault{Kind: k.undo, Node: map[bool]string{true: "n1"}[k.Node]}.info()
		if err != nil || undo.undo != "" {
			t.Errorf("%s is undone by %s: %v", k.Kind, k.undo, err)
		}
	}
}

func TestFaultAsksTheNodeAndUndoesIt(t *testing.T) {
	var asked []string
	l := &Lab{Config: Config{Name: "x", Dir: t.TempDir(), Nodes: []NodeSpec{{Name: "n1", Runtime: "fake"}}, Extra: map[string]Runtime{"fake": fakeRuntime{asked: &asked}}}}
	if err := os.WriteFile(l.path(stateFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Fault(t.Context(), Fault{Kind: KillKubelet, Node: "n1", For: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if err := l.Fault(t.Context(), Fault{Kind: FillMemory, Node: "n1", Leave: 5}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"stop kubelet", "start kubelet", "fill memory 5"}; !cmp.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	if err := l.Fault(t.Context(), Fault{Kind: KillKubelet, Node: "n2"}); err == nil || !strings.Contains(err.Error(), "[n1]") {
		t.Errorf("a node that isn't there: %v", err)
	}
}
