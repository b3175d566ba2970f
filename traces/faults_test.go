package traces

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

const (
	smallFailures = "testdata/failures"
	smallGoogle   = "google2011:" + smallFailures
	smallArchive  = "fta:" + smallFailures + "/failure_models.csv"
	day           = 24 * cluster.Hour
)

// openFaults opens faults that must be good.
func openFaults(t testing.TB, spec string) *Faults {
	t.Helper()
	f, err := Opener{Root: os.Getenv("BERTH_TRACES")}.OpenFaults(spec)
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != spec || f.String() != spec || len(f.Hash) != 64 {
		t.Errorf("%s is %+v", spec, f)
	}
	return f
}

// namedNodes returns nodes for faults to befall.
func namedNodes(names ...string) (list []faults.Node) {
	for _, name := range names {
		list = append(list, faults.Node{Name: name})
	}
	return list
}

// readFaults reads the faults of a run, and checks what holds of all sources.
func readFaults(t testing.TB, m faults.Model, run faults.Run) (list []faults.Fault) {
	t.Helper()
	s, err := m.Source(run)
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.At < 0 || f.Until <= f.At || f.At >= run.Horizon || len(f.Nodes) == 0 || len(list) > 0 && f.At < list[len(list)-1].At {
			t.Fatalf("%v: fault %+v", m, f)
		}
		list = append(list, f)
	}
}

// textOf writes faults out in seconds.
func textOf(list []faults.Fault) string {
	var b strings.Builder
	for _, f := range list {
		until := "ever"
		if f.Until != cluster.Never {
			until = fmt.Sprint(f.Until.Seconds())
		}
		fmt.Fprintf(&b, "%v-%s %v %s\n", f.At.Seconds(), until, f.Kind, strings.Join(f.Nodes, ","))
	}
	return b.String()
}

func TestOpenFaults(t *testing.T) {
	for spec, format := range map[string]string{
		"none":                              "",
		"exp(mtbf=1h,mttr=1m)":              "",
		"at 40s crash a for 10m":            "",
		smallFailures + "/afternoon.faults": "script",
		"script:" + smallFailures + "/afternoon.faults": "script",
		smallFailures + "/machine_events":               "google2011",
		smallFailures:                                   "google2011",
		smallArchive + "?archive=Small05":               "fta",
	} {
		if f := openFaults(t, spec); f.Format != format || (f.Machines != nil) != (format == "google2011") {
			t.Errorf("%s has format %q", spec, f.Format)
		}
	}
	got := textOf(readFaults(t, openFaults(t, smallFailures+"/afternoon.faults"), faults.Run{Nodes: namedNodes("a", "b"), Horizon: day}))
	if want := "40-640 crash a\n1800-2100 partition b\n3600-ever crash a\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	spec := openFaults(t, "at 40s crash a for 10m")
	if spec.Hash == openFaults(t, "at 41s crash a for 10m").Hash || spec.Hash != openFaults(t, " at 40s crash a for 600s").Hash {
		t.Error("the hash isn't that of what the model is")
	}
}

func TestOpenFaultsErrors(t *testing.T) {
	const dir = smallFailures
	const absent = "give one that exists, or set BERTH_TRACES to the folder that contains it"
	for _, tt := range []struct{ spec, want string }{
		{"", "no path is given; write [FORMAT:]PATH[?key=value&…]"},
		{"exp", `no file or folder "exp"; ` + absent},
		{"exp(mttr=1h)", "exp has no mtbf; write mtbf=VALUE"},
		{"script:nowhere(1)", `no file or folder "nowhere(1)"; ` + absent},
		{"scrypt:x", `there is no format "scrypt"; write one of ` + formatNames(FaultFormats) + " before the colon"},
		{"testdata/openb", "no format recognises it; write FORMAT:PATH, where FORMAT is one of " + formatNames(FaultFormats)},
		{"script:" + dir + "/afternoon.faults?kind=hang", `there is no option "kind"; script takes none`},
		{smallGoogle + "?kind=flap", `kind is "flap"; give one of crash, hang, partition`},
		{smallGoogle + "?zones=0", `zones is "0"; give a whole number from 1 to 1000`},
		{smallGoogle + "?cpus=x", `cpus is "x"; give a whole number from 1 to 10000`},
		{smallGoogle + "?memory=-1", `memory is "-1"; give a whole number from 1 to 1000000`},
		{smallArchive, `archive is ""; give one of Small05, Other99`},
		{smallArchive + "?archive=Other99", `fit is "weibull"; give one of exponential`},
		{smallArchive + "?archive=Other99&fit=x", `fit is "x"; give one of exponential`},
		{smallArchive + "?archive=Small05&kind=x", `kind is "x"; give one of crash, hang, partition`},
		{"opendc:" + dir + "/afternoon.faults?interval=x", `interval is "x"; give one of start, end`},
		{"opendc:" + dir + "/afternoon.faults?from=x", `from is "x"; give a duration such as 30d`},
	} {
		if _, err := (Opener{}).OpenFaults(tt.spec); err == nil || err.Error() != tt.spec+": "+tt.want {
			t.Errorf("got  %v\nwant %s: %s", err, tt.spec, tt.want)
		}
	}
	_, err := Opener{}.OpenFaults("google2011:testdata/openb")
	if want := "testdata/openb: no part-*.csv or .csv.gz in the folder; give the folder that contains machine_events"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestScriptOfOthers has a script that names a node which isn't there.
func TestScriptOfOthers(t *testing.T) {
	f := openFaults(t, smallFailures+"/afternoon.faults")
	_, err := f.Source(faults.Run{Nodes: namedNodes("a"), Horizon: day})
	if want := smallFailures + `/afternoon.faults:4: there is no node "b"; name one of the nodes there are, such as "a"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzOpenFaults(f *testing.F) {
	for _, spec := range []string{"", "none", "exp(mtbf=1h,mttr=1m)", "at 1s crash a for 1m", smallGoogle + "?zones=2&cpus=1", smallArchive + "?archive=Small05&fit=gamma"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		got, err := Opener{Root: "testdata"}.OpenFaults(spec)
		if err == nil && (got.Name != spec || len(got.Hash) != 64) {
			t.Errorf("%q gives %+v", spec, got)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q gives %q", spec, err)
		}
	})
}
