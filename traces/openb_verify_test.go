package traces

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const openbFolder = "alibaba-openb-gpu-v2023"

// needRecording skips the test where a recording isn't: they are too large for the
// repository, and not everybody needs all. In CI, which says where they are, it must be there.
func needRecording(t testing.TB, folder string) {
	t.Helper()
	root := os.Getenv("BERTH_TRACES")
	if root == "" {
		t.Skip("BERTH_TRACES is not set: it names the folder that contains " + folder)
	}
	if _, err := os.Stat(filepath.Join(root, folder)); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("BERTH_TRACES does not contain %s; get it, see docs/traces.md", folder)
		}
		t.Skipf("BERTH_TRACES does not contain %s", folder)
	}
}

// realOpenb returns a TRACE of the recording, and skips the test if it isn't
// there.
func realOpenb(t testing.TB, query string) string {
	t.Helper()
	needRecording(t, openbFolder)
	return "openb:" + openbFolder + query
}

// An openbCount is what was published, or counted by other means, of a list.
type openbCount struct {
	pods       int
	load       float64 // GPU request, % of 6,212
	categories string  // CPU-only, sharing, 1, 2, 4 and 8 GPUs
	withModels int     // pods with gpu_spec
	timed      bool
}

var openbCounts = map[string]openbCount{
	"default":     {8152, 97.98, "1088/3078/3911/16/15/44", 0, true},
	"cpu0":        {7064, 97.98, "0/3078/3911/16/15/44", 0, true},
	"cpu037":      {7336, 97.98, "272/3078/3911/16/15/44", 0, true},
	"cpu050":      {7439, 97.98, "375/3078/3911/16/15/44", 0, true},
	"cpu072":      {7608, 97.98, "544/3078/3911/16/15/44", 0, true},
	"cpu100":      {7853, 97.98, "789/3078/3911/16/15/44", 0, true},
	"cpu200":      {8832, 97.98, "1768/3078/3911/16/15/44", 0, true},
	"cpu235":      {9240, 97.98, "2176/3078/3911/16/15/44", 0, true},
	"cpu250":      {9420, 97.98, "2356/3078/3911/16/15/44", 0, true},
	"cpu300":      {10094, 97.98, "3030/3078/3911/16/15/44", 0, true},
	"gpushare20":  {8152, 105.14, "1088/2324/4653/12/13/62", 0, true},
	"gpushare40":  {8152, 90.81, "1088/4001/3001/12/11/39", 0, true},
	"gpushare60":  {8152, 79.01, "1088/5233/1801/7/9/14", 0, true},
	"gpushare80":  {8152, 70.96, "1088/6279/768/2/3/12", 0, true},
	"gpushare100": {8152, 63.63, "1088/7064/0/0/0/0", 0, true},
	"gpuspec05":   {8152, 97.98, "1088/3078/3911/16/15/44", 369, true},
	"gpuspec10":   {8152, 97.98, "1088/3078/3911/16/15/44", 732, true},
	"gpuspec20":   {8152, 97.98, "1088/3078/3911/16/15/44", 1444, true},
	"gpuspec25":   {8152, 97.98, "1088/3078/3911/16/15/44", 1759, true},
	"gpuspec33":   {8152, 97.98, "1088/3078/3911/16/15/44", 2388, true},
	"multigpu20":  {8324, 114.08, "1088/3078/3911/54/52/141", 0, false},
	"multigpu30":  {8508, 130.18, "1088/3078/3911/112/83/236", 0, false},
	"multigpu40":  {8746, 152.01, "1088/3078/3911/156/154/359", 0, false},
	"multigpu50":  {9061, 182.85, "1088/3078/3911/222/206/556", 0, false},
}

// TestVerifyOpenbLists opens every list of pods in the folder and counts.
func TestVerifyOpenbLists(t *testing.T) {
	realOpenb(t, "")
	dir := filepath.Join(os.Getenv("BERTH_TRACES"), openbFolder)
	lists, err := openbLists(dir, openbPodList)
	if err != nil || len(lists) != len(openbCounts) {
		t.Errorf("%d lists in the folder, want %d: %v", len(lists), len(openbCounts), err)
	}
	for name, want := range openbCounts {
		tr := open(t, realOpenb(t, "?pods="+name))
		if tr.Nodes != 1213 || tr.GPUs != 6212 || tr.Pods != want.pods {
			t.Errorf("%s: %d nodes, %d GPUs, %d pods", name, tr.Nodes, tr.GPUs, tr.Pods)
		}
		categories, load, withModels := countMix(tr.Mix)
		if categories != want.categories || math.Abs(load-want.load) > 0.005 || withModels != want.withModels {
			t.Errorf("%s: %s ask for %.3f %%, %d with models", name, categories, load, withModels)
		}
		checkRealFill(t, name, tr)
		checkRealTime(t, name, want)
	}
	t.Logf("%d lists of pods have the counts published", len(openbCounts))
}

// countMix returns the pods of a mix by category, what they ask for in % of the
// GPUs, and how many name models.
func countMix(mix cluster.Mix) (categories string, load float64, withModels int) {
	var byCount [9]int64
	var sharing, shares int64
	for _, m := range mix {
		if m.Class.GPUs.Shared() {
			sharing += m.Pods
		} else {
			byCount[m.Class.GPUs.Count] += m.Pods
		}
		shares += m.Pods * m.Class.GPUs.Total()
		if len(m.Class.GPUs.Models) > 0 {
			withModels += int(m.Pods)
		}
	}
	categories = fmt.Sprintf("%d/%d/%d/%d/%d/%d", byCount[0], sharing, byCount[1], byCount[2], byCount[4], byCount[8])
	return categories, float64(shares) / 62120, withModels
}

func checkRealFill(t *testing.T, name string, tr *Trace) {
	t.Helper()
	const target = 1.3 * 6_212_000
	p := read(t, tr.Events(42))
	asked := float64(p.asked())
	if asked > target+7*cluster.WholeGPU || asked <= target-8*cluster.WholeGPU {
		t.Errorf("%s: a filling asks for %v, target %v", name, asked, target)
	}
	recorded := 0.0
	for _, m := range tr.Mix {
		recorded += float64(m.Pods * m.Class.GPUs.Total())
	}
	if (recorded > target) != (len(p.pods) < tr.Pods) {
		t.Errorf("%s: a filling has %d pods, the list %d", name, len(p.pods), tr.Pods)
	}
}

func checkRealTime(t *testing.T, name string, want openbCount) {
	t.Helper()
	spec := realOpenb(t, "?mode=time&pods="+name)
	if !want.timed {
		_, err := Opener{Root: os.Getenv("BERTH_TRACES")}.Open(spec)
		if err == nil || !strings.Contains(err.Error(), "give mode=fill") {
			t.Errorf("%s without times gives %v", name, err)
		}
		return
	}
	tr := open(t, spec)
	p := read(t, tr.Events(42))
	if len(p.pods) != want.pods || !tr.Seeded {
		t.Errorf("%s: %d pods came", name, len(p.pods))
	}
	if !(tr.OfferedLoad > 0.0005 && tr.OfferedLoad < 0.02) { // hardly any load, as the folder's page says
		t.Errorf("%s: as recorded, the load is %v", name, tr.OfferedLoad)
	}
	full := open(t, spec+"&load=0.95")
	if got := offeredLoad(read(t, full.Events(42)), full.GPUs); math.Abs(got-0.95) > 1e-6 {
		t.Errorf("%s: the load is %v, want 0.95", name, got)
	}
}

// TestVerifyOpenbAllNodes reads the list that has nodes without GPUs too.
func TestVerifyOpenbAllNodes(t *testing.T) {
	if tr := open(t, realOpenb(t, "?nodes=all_node")); tr.Nodes != 1523 || tr.GPUs != 6212 {
		t.Errorf("%d nodes, %d GPUs", tr.Nodes, tr.GPUs)
	}
}

// TestVerifyOpenbClasses counts the classes of the default list, and looks at
// the capacity of its nodes.
func TestVerifyOpenbClasses(t *testing.T) {
	tr := open(t, realOpenb(t, ""))
	if len(tr.Mix) != 151 {
		t.Errorf("%d classes, want 151", len(tr.Mix))
	}
	var cpu, memory int64
	for _, n := range read(t, tr.Events(42)).nodes {
		cpu += n.Capacity.Get(cluster.CPU)
		memory += n.Capacity.Get(cluster.Memory)
	}
	if cpu != 107_018_000 || memory != 503_828_480*mib {
		t.Errorf("%d milli-CPUs, %d MiB", cpu, memory/mib)
	}
}
