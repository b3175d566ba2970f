package certify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

// stage notes what happens, and when.
type stage struct {
	began  time.Time
	lines  []string
	failAt int // the call that fails, from 1; 0 for none
}

func (s *stage) note(format string, args ...any) error {
	s.lines = append(s.lines, fmt.Sprintf("%v ", time.Since(s.began))+fmt.Sprintf(format, args...))
	if len(s.lines) == s.failAt {
		return errors.New("it failed")
	}
	return nil
}

func (s *stage) Create(_ context.Context, group, n int) error {
	return s.note("create %d/%d", group, n)
}

func (s *stage) Strike(_ context.Context, kind faults.Kind, node string, over bool) error {
	return s.note("%v %s over=%v", kind, node, over)
}

func script(t *testing.T, faults string) *Script {
	t.Helper()
	s, err := ReadScript("s", []byte("version: berth/v1\npods: [{file: a, count: 2}, {file: b, count: 1}]\nevery: 1s\nfor: 10s\nfaults: '"+faults+"'\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		time.Sleep(100 * time.Second)
		on := &stage{began: time.Now()}
		struck, err := script(t, "at 1500ms hang n1,n2 for 3s; at 8s partition n1 for ever").Play(t.Context(), on, epoch)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"0s create 0/0", "1s create 0/1", "1.5s hang n1 over=false", "1.5s hang n2 over=false", "2s create 1/0",
			"4.5s hang n1 over=true", "4.5s hang n2 over=true", "8s partition n1 over=false", "10s partition n1 over=true",
		}
		if !slices.Equal(on.lines, want) {
			t.Errorf("got  %q\nwant %q", on.lines, want)
		}
		if len(struck) != 3 || struck[0].At != 101500*cluster.Second/1000 || struck[0].Until != 104500*cluster.Second/1000 || struck[2].Until != cluster.Never {
			t.Errorf("%+v", struck)
		}
	})
}

// TestPlayMends wants nothing to stay broken when a script ends before its time.
func TestPlayMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := &stage{began: time.Now(), failAt: 4}
		_, err := script(t, "at 1500ms hang n1 for 5s").Play(t.Context(), on, time.Now())
		if err == nil || on.lines[len(on.lines)-1] != "2s hang n1 over=true" {
			t.Errorf("%v; %q", err, on.lines)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		on = &stage{began: time.Now()}
		_, err = script(t, "at 1500ms hang n1 for 5s").Play(ctx, on, time.Now())
		if !errors.Is(err, context.DeadlineExceeded) || on.lines[len(on.lines)-1] != "3s hang n1 over=true" {
			t.Errorf("%v; %q", err, on.lines)
		}
	})
}
