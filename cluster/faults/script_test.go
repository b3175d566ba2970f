package faults

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const goodScript = `
# an afternoon
at 3h late n2 for 1h by=45s     # in any order
at 40s crash n0,n3 for 10m
	at 1h   outage zone-0 for 20m kind=partition

at 90m outage rack r1 for ever
at 2h flap n1 for 10m period=90s down=60s
at 4h pressure n2 for 30m signal=memory
at 5h outage zone zone-1 for 1m kind=flap period=10s down=1s
`

func TestScript(t *testing.T) {
	s, err := ParseScript("f", goodScript)
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for i := range s.Entries {
		written = append(written, s.Entries[i].String())
	}
	want := []string{
		"at 3h late n2 for 1h by=45s",
		"at 40s crash n0,n3 for 10m",
		"at 1h outage zone-0 for 20m kind=partition",
		"at 1h30m outage rack r1 for ever",
		"at 2h flap n1 for 10m period=1m30s down=1m",
		"at 4h pressure n2 for 30m signal=memory",
		"at 5h outage zone-1 for 1m kind=flap period=10s down=1s",
	}
	if got := strings.Join(written, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("written, it is\n%s", got)
	}
	if s.Entries[0].Line != 3 || s.Entries[3].Line != 7 {
		t.Errorf("lines %d and %d", s.Entries[0].Line, s.Entries[3].Line)
	}
	if again := parse(t, s.String()); again.String() != s.String() {
		t.Errorf("as a spec, it is %s", again)
	}
	list := all(t, s, Run{Nodes: nodes(40), Horizon: 4*cluster.Hour + 1})
	if len(list) != 6 {
		t.Fatalf("%d faults begin in time", len(list))
	}
	if f := list[0]; f.At != 40*cluster.Second || f.Until != 640*cluster.Second || strings.Join(f.Nodes, " ") != "n0 n3" || f.Kind != Crash {
		t.Errorf("first %+v", f)
	}
	if f := list[1]; len(f.Nodes) != 20 || f.Nodes[19] != "n19" || f.Kind != Partition {
		t.Errorf("an outage of a zone: %+v", f)
	}
	if f := list[2]; len(f.Nodes) != 20 || f.Nodes[0] != "n20" || f.Until != cluster.Never || f.Kind != Crash {
		t.Errorf("an outage of a rack: %+v", f)
	}
	if f := list[4]; f.By != 45*cluster.Second || f.Kind != Late {
		t.Errorf("late: %+v", f)
	}
}

// TestScriptNames has zones that are called like words of the language.
func TestScriptNames(t *testing.T) {
	for _, name := range []string{"rack", "zone", "for", "ever", "at", "rack,zone"} {
		for by, word := range map[Domain]string{ByNode: "crash", ByRack: "outage rack", ByZone: "outage zone"} {
			s, err := ParseScript("f", "at 1s "+word+" "+name+" for 1m")
			if err != nil {
				t.Error(err)
				continue
			}
			if e := s.Entries[0]; e.By != by || strings.Join(e.Names, ",") != name {
				t.Errorf("%s %s is %v %q", word, name, e.By, e.Names)
			}
			again, err := ParseScript("f", s.Entries[0].String())
			if err != nil || again.Entries[0].By != by || strings.Join(again.Entries[0].Names, ",") != name {
				t.Errorf("%s %s is written %s: %v", word, name, s.Entries[0].String(), err)
			}
		}
	}
}

var badScripts = []struct{ text, want string }{
	{"\n\ncrash n1", "f:3: this is no fault; " + form},
	{"at 1s crash n1 for", "f:1: this is no fault; " + form},
	{"on 1s crash n1 for 1m", "f:1: this is no fault; " + form},
	{"at noon crash n1 for 1m", `f:1: "noon" is no duration; write whole numbers of d, h, m, s, ms, us, ns, the longest first, such as 1h30m`},
	{"at 1s burn n1 for 1m", `f:1: there is no kind of fault "burn"; write one of crash, hang, partition, flap, late, pressure, shutdown`},
	{"at 1s crash n1 n2 for 1m", "f:1: it isn't said for how long; " + form},
	{"at 1s outage rack r1 for", "f:1: it isn't said for how long; " + form},
	{"at 1s outage rack r1 r2 for 1m", "f:1: it isn't said for how long; " + form},
	{"at 1s crash n1, for 1m", `f:1: "n1," is no list of names; write names with commas between, without spaces`},
	{"at 1s crash n1;n2 for 1m", `f:1: "n1;n2" is no list of names; write names with commas between, without spaces`},
	{"at 1s crash n1,n1 for 1m", `f:1: "n1" is there twice; leave one out`},
	{"at 1s crash n1 for 5", `f:1: "5" is no duration; write whole numbers of d, h, m, s, ms, us, ns, the longest first, such as 1h30m`},
	{"at 1s crash n1 for 1m hard", `f:1: no KEY=VALUE at "hard"; ` + form},
	{"at 1s crash n1 for 1m kind=hang", `f:1: crash has no option "kind"; it takes none`},
	{"at 1s late n1 for 1m", "f:1: late has no by; write by=VALUE"},
	{"at 1s late n1 for 1m by=1s by=2s", "f:1: by is given twice; leave one out"},
	{"at 1s outage z for 1m kind=out", `f:1: there is no kind of fault "out"; write one of crash, hang, partition, flap, late, pressure, shutdown`},
	{"at 1s outage z for 1m rack=1", `f:1: outage has no option "rack"; it takes kind`},
}

func TestScriptFails(t *testing.T) {
	for _, tt := range badScripts {
		if _, err := ParseScript("f", tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

// TestScriptOtherCluster has scripts for nodes that aren't there.
func TestScriptOtherCluster(t *testing.T) {
	for text, want := range map[string]string{
		"at 1s crash n1 for 1m\nat 1s crash n9 for 1m": `f:2: there is no node "n9"; name one of the nodes there are, such as "n0"`,
		"at 1s outage z for 1m":                        `f:1: there is no zone "z"; name one of the zones there are, such as "zone-0"`,
		"\nat 1s outage rack z for 1m":                 `f:2: there is no rack "z"; name one of the racks there are, such as "r0"`,
	} {
		s, err := ParseScript("f", text)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := s.Source(Run{Nodes: nodes(5), Horizon: week}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzScript(f *testing.F) {
	f.Add(goodScript)
	for _, bad := range badScripts {
		f.Add(bad.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScript("f", text)
		if err != nil {
			checkError(t, err)
			return
		}
		var lines []string
		for i := range s.Entries {
			lines = append(lines, s.Entries[i].String())
		}
		again, err := ParseScript("g", strings.Join(lines, "\n"))
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is written %q, which is %v, %v", text, lines, again, err)
		}
		if _, err := s.Source(Run{Nodes: nodes(4), Horizon: week}); err != nil {
			checkError(t, err)
		}
	})
}
