package traces

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
)

const (
	google2011Folder = "google-2011-v2"
	openDCFolder     = "opendc"
)

// TestVerifyGoogle2011 compares the recording with counts that were made by other
// means.
func TestVerifyGoogle2011(t *testing.T) {
	needRecording(t, google2011Folder)
	f := openFaults(t, google2011Folder)
	m := f.Machines
	if m.rows != [3]int{21_443, 8_957, 7_380} || len(m.events) != 37_780 || len(m.names) != 12_583 || m.repairs != 8_860 {
		t.Errorf("%v rows, %d events, %d machines, %d repairs", m.rows, len(m.events), len(m.names), m.repairs)
	}
	nodes := m.Nodes()
	var named []faults.Node
	zones := map[string]int{}
	unknown := 0
	for _, n := range nodes {
		node := faults.NodeOf(n)
		named = append(named, node)
		zones[node.Zone]++
		if n.Capacity[cluster.CPU] == 0 && n.Capacity[cluster.Memory] == 0 {
			unknown++
		}
	}
	if unknown != 32 || len(zones) != 3 || zones["zone-1"] < 4000 || zones["zone-2"] < 4000 || zones["zone-3"] < 4000 {
		t.Errorf("%d machines of unknown capacity; zones %v", unknown, zones)
	}
	list := readFaults(t, f, faults.Run{Nodes: named, Horizon: cluster.Never})
	var repairs []cluster.Time
	forever := 0
	for _, fault := range list {
		if fault.Until == cluster.Never {
			forever++
		} else {
			repairs = append(repairs, fault.Until-fault.At)
		}
	}
	if len(list) != 8_957 || forever != 97 {
		t.Errorf("%d faults, %d of them for ever", len(list), forever)
	}
	slices.Sort(repairs)
	var quantiles []string
	for _, q := range []struct {
		percent int
		want    float64 // s, by one of the ways to reckon quantiles; they differ by one rank or two
	}{{10, 98}, {50, 998}, {90, 31_139}, {99, 328_593}} {
		got := repairs[(len(repairs)*q.percent+99)/100-1].Seconds()
		if math.Abs(got/q.want-1) > 0.005 {
			t.Errorf("%d %% of repairs take up to %.0f s, want %v", q.percent, got, q.want)
		}
		quantiles = append(quantiles, fmt.Sprintf("%.0f", got))
	}
	st, last := observe(m)
	if live := len(st.Nodes.Live()); live != 12_583-97 || last > 29*day || last < 28*day {
		t.Errorf("after %v days, %d machines are there", float64(last)/float64(day), live)
	}
	t.Logf("Google 2011: %d machines, %d outages, %d repairs of %s s at 10, 50, 90 and 99 %%", len(m.names), len(list), m.repairs, strings.Join(quantiles, ", "))
}

// TestVerifyOpenDC counts the failures of each file.
func TestVerifyOpenDC(t *testing.T) {
	needRecording(t, openDCFolder)
	var names []string
	for i := range 400 {
		names = append(names, fmt.Sprint("n", i))
	}
	for name, want := range map[string]struct {
		failures int
		days     float64 // from the first to the last, beginning to beginning
		share    float64
	}{
		"Facebook":  {4069, 447.5, 0.640},
		"Instagram": {3926, 333.6, 0.624},
		"Netflix":   {3388, 394.7, 0.598},
	} {
		f := openFaults(t, openDCFolder+"/failures_"+name+"_user_reported.parquet")
		list := readFaults(t, f, faults.Run{Nodes: namedNodes(names...), Seed: 1, Horizon: cluster.Never})
		hit := 0
		for _, fault := range list {
			hit += len(fault.Nodes)
		}
		days, share := float64(list[len(list)-1].At)/float64(day), float64(hit)/400/float64(len(list))
		if len(list) != want.failures || days < want.days-0.05 || days > want.days+0.05 || share < want.share-0.003 || share > want.share+0.003 {
			t.Errorf("%s: %d failures in %.2f days that hit %.4f of nodes", name, len(list), days, share)
		}
		t.Logf("OpenDC, %s: %d failures in %.1f days hit %.3f of nodes", name, len(list), days, share)
	}
}

// TestVerifyFailureArchive opens each distribution of each archive, and lets nodes
// fail for a year.
func TestVerifyFailureArchive(t *testing.T) {
	needRecording(t, openDCFolder)
	archives := []string{"G5k06", "Lanl05", "Ldns04", "Microsoft99", "Nd07cpu", "Overnet03", "Pl05", "Skype06", "Websites02"}
	for _, archive := range archives {
		for _, fit := range []string{"exponential", "weibull", "lognormal", "gamma"} {
			f := openFaults(t, openDCFolder+"/failure_models.csv?archive="+archive+"&fit="+fit)
			if list := readFaults(t, f, faults.Run{Nodes: namedNodes("a", "b", "c", "d", "e"), Seed: 1, Horizon: 365 * day}); len(list) == 0 {
				t.Errorf("%s, %s: no node fails", archive, fit)
			}
		}
	}
	t.Logf("Failure Trace Archive: %d archives, 4 distributions each", len(archives))
}
