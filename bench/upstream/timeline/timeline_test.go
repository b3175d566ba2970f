package timeline

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// play has both sides live through a story, and returns what differs.
func play(t *testing.T, s *Story, seen *features) (theirs, ours Trace) {
	t.Helper()
	err := pin()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { theirs, err = runUpstream(s, seen) })
	if err != nil {
		t.Fatal(err)
	}
	if ours, err = runBerth(s); err != nil {
		t.Fatal(err)
	}
	return theirs, ours
}

func TestFirst(t *testing.T) {
	s, err := Read(`service 5.010007ms end 30s
503 node n1 cpu=4000
1001 pod a cpu=3000
1002 pod b cpu=3000
3500 no pod a
`)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := play(t, s, newFeatures())
	for _, l := range theirs {
		fmt.Println("T", l)
	}
	for _, l := range ours {
		fmt.Println("O", l)
	}
}
