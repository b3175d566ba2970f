package lifecycle

import "testing"

// TestDraw wants timelines of 1 to 4 zones, small ones and such of more than 50 nodes, and of 3 to 120 nodes, in which
// nothing happens when controllers act, and a zone that has a node that counts keeps one.
func TestDraw(t *testing.T) {
	zones, large := map[int]int{}, 0
	for _, i := range numbers(timelines) {
		tl := Draw(1, i)
		if err := tl.Check(); err != nil {
			t.Errorf("timeline %d: %v", i, err)
		}
		if n := len(tl.Nodes); n < 3 || n > 120 {
			t.Errorf("timeline %d has %d nodes", i, n)
		}
		counted, of := map[string]int{}, map[string]*Node{}
		most := 0
		for _, s := range tl.Steps() {
			switch {
			case s.Node != nil:
				of[s.Node.Name] = s.Node
				if !s.Node.Excluded {
					counted[s.Node.Zone]++
				} else if counted[s.Node.Zone] == 0 && s.At > 0 {
					t.Errorf("timeline %d: a new zone of excluded nodes only", i)
				}
				most = max(most, counted[s.Node.Zone])
			case s.Event != nil && s.Event.Verb == RemoveNode && !of[s.Event.Name].Excluded:
				zone := of[s.Event.Name].Zone
				if counted[zone]--; counted[zone] == 0 {
					t.Errorf("timeline %d: zone %s loses all nodes that count", i, zone)
				}
			}
		}
		zones[len(counted)]++
		if most > 50 {
			large++
		}
	}
	for n := 1; n <= 4; n++ {
		if zones[n] < 20 {
			t.Errorf("%d timelines of %d zones", zones[n], n)
		}
	}
	if large < 10 {
		t.Errorf("%d timelines with a zone of more than 50 nodes", large)
	}
}
