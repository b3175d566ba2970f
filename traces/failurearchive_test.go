package traces

import (
	"os"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster/faults"
)

func TestFailureArchive(t *testing.T) {
	content, err := os.ReadFile(smallFailures + "/failure_models.csv")
	if err != nil {
		t.Fatal(err)
	}
	models, err := readFitted("f", content)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{ // 100.5 h is 4 d 4 h 30 min; e^5.56 h is the median of 10 d 19 h 49 min
		"nodes(mtbf=4d4h30m,mttr=5h55m12s)",
		"nodes(mtbf=weibull(shape=0.48,scale=34d36m),mttr=weibull(shape=0.58,scale=2h10m48s))",
		"nodes(mtbf=lognormal(sigma=2.39,median=10d19h49m22s",
		"nodes(mtbf=gamma(shape=0.35,scale=212d14h42m36s),mttr=gamma(shape=0.38,scale=15h26m24s))",
		"nodes(mtbf=1h,mttr=2h)",
	}
	for i := range models {
		got := models[i].model.String()
		if !strings.HasPrefix(got, want[i]) {
			t.Errorf("%s of %s is %s, want %s", models[i].fit, models[i].archive, got, want[i])
		}
		if m, err := faults.Parse(got); err != nil || m.String() != got {
			t.Errorf("%s is %v, %v", got, m, err)
		}
	}
	if len(models) != len(want) {
		t.Errorf("%d models", len(models))
	}
	run := faults.Run{Nodes: namedNodes("a", "b"), Seed: 1, Horizon: 365 * day}
	list := readFaults(t, openFaults(t, smallArchive+"?archive=Other99&fit=exponential&kind=hang"), run)
	if per := float64(len(list)) / (2 * 365 * 24 / 3); list[0].Kind != faults.Hang || per < 0.9 || per > 1.1 {
		t.Errorf("%d faults", len(list))
	}
}

const fittedHeader = "archive,distribution,interarrival_p1,interarrival_p2,duration_p1,duration_p2\n"

var badFitted = []struct{ content, want string }{
	{"", "f: the file is empty; fetch it again"},
	{fittedHeader, "f: no distributions; give a file with at least one"},
	{"archive\nx\n", "f:1: no column distribution; the header must name archive, distribution, interarrival_p1, interarrival_p2, duration_p1, duration_p2"},
	{fittedHeader + ",exponential,1,,1,\n", `f:2: archive is ""; give a name`},
	{fittedHeader + "a,pareto(x),1,,1,\n", `f:2: distribution is "pareto(x)"; give exponential, weibull, lognormal or gamma`},
	{fittedHeader + "a,exponential,0,,1,\n", `f:2: interarrival_p1 is "0"; give hours from 0.000001 to 1000000`},
	{fittedHeader + "a,exponential,1,,x,\n", `f:2: duration_p1 is "x"; give hours from 0.000001 to 1000000`},
	{fittedHeader + "a,weibull,0.01,1,1,1\n", `f:2: interarrival_p1 is "0.01"; give a shape from 0.1 (gamma: 0.05) to 100, or a sigma up to 5`},
	{fittedHeader + "a,gamma,1,NaN,1,1\n", `f:2: interarrival_p2 is "NaN"; give hours from 0.000001 to 1000000`},
	{fittedHeader + "a,lognormal,1,9,1,1\n", `f:2: interarrival_p2 is "9"; give a shape from 0.1 (gamma: 0.05) to 100, or a sigma up to 5`},
	{fittedHeader + "a,lognormal,1,1,x,1\n", `f:2: duration_p1 is "x"; give the mean of the logarithm of hours, from -20 to 20`},
	{fittedHeader + "a,gamma(x),1,1,1,1\na,gamma(y),1,1,1,1\n", `f:3: distribution is "gamma(y)"; the archive has that distribution already: leave one out`},
}

func TestFailureArchiveFails(t *testing.T) {
	for _, tt := range badFitted {
		if _, err := readFitted("f", []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzFailureArchive(f *testing.F) {
	for _, bad := range badFitted {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(fittedHeader + "a,exponential(mean),32.41,,7.41,\na,weibull,0.48,14.37,0.35,0.47\na,lognormal,1.51,2.42,-2.0,2.2\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		models, err := readFitted("f", content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for i := range models {
			text := models[i].model.String()
			if m, err := faults.Parse(text); err != nil || m.String() != text {
				t.Errorf("%s is %v, %v", text, m, err)
			}
		}
	})
}
