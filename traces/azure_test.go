package traces

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

const smallAzure = "testdata/azure"

// TestAzure has two batches and one that isn't finished. Run times are the middle of
// their interval; the one that goes on ends with the recording, at 1200 s.
func TestAzure(t *testing.T) {
	tr := open(t, smallAzure+"?nodes=1&cpus=4&memory=8")
	checkText(t, textOfCPUs(read(t, tr.Events(1))), `
node-1 4000 8192
0 default/batch-1-0  300: 1000 768
0 default/batch-1-1  300: 1000 768
0 default/batch-1-2  750: 2000 3584
0 default/batch-2-0  600: 2000 3584
300 default/batch-3-0  0: 1000 768`)
	checkRows(t, tr, 2, "")
	if load := (600 + 1500 + 1200) / (4 * 300.0); math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.Format != "azure" || tr.Pods != 5 || len(tr.Mix) != 2 {
		t.Errorf("the load is %v, want %v; %+v", tr.OfferedLoad, load, tr)
	}
	checkError(t, smallAzure+"?for=300s", smallAzure+"/v1.dev.txt: all pods come at the same time, so there is no load; give a longer part of the recording with from and for")
	checkError(t, smallAzure+"?part=test", smallAzure+": no v1.test.txt or v1.test.txt.gz in the folder; give the folder that contains it, or the file")
	checkError(t, smallAzure+"?part=../x", smallAzure+`?part=../x: part is "../x"; give dev or test`)
}

const (
	goodFlavours  = "1,0.75 a\n2,3.5 g\n"
	goodIntervals = "0 0\n300 1\n"
)

var badAzure = []struct{ flavours, intervals, vms, times, want string }{
	{"1 a\n", "", "", "", `flavours:1: "1 a" is no flavour; give CPUs,GiB and a letter from a to z, such as 2,3.5 g`},
	{"1,1 A\n", "", "", "", `flavours:1: "1,1 A" is no flavour; give CPUs,GiB and a letter from a to z, such as 2,3.5 g`},
	{"", "1\n", "", "", "intervals:1: 1 fields; give 2: seconds, and the number of their interval"},
	{"", "x 1\n", "", "", `intervals:1: the run time (field 1) is "x"; give a whole number up to 1000000000, or -1 if it isn't known`},
	{"", "-1 1\n", "", "", "intervals:1: a number below 0; give two from 0"},
	{goodFlavours, goodIntervals, "1 a,\n", "", "times:1: it has not as many lines as the file of flavours; fetch both again"},
	{goodFlavours, goodIntervals, "1 a,\n", "2 U1,\n", "times:1: not the time of the same line of flavours, and run times; give SECONDS RUN,RUN,|,…"},
	{goodFlavours, goodIntervals, "1 a,\n1 a,\n", "1 U1,\n1 U1,\n", `vms:2: the time is "1"; give one after that of the line before, up to 900`},
	{goodFlavours, goodIntervals, "901 a,\n", "901 U1,\n", `vms:1: the time is "901"; give one after that of the line before, up to 900`},
	{goodFlavours, goodIntervals, "1 a,|,\n", "1 U1,\n", "times:1: batches are not those of the line of flavours; fetch both files again"},
	{goodFlavours, goodIntervals, "1 a,|,\n", "1 U1,U1,\n", "times:1: batches are not those of the line of flavours; fetch both files again"},
	{goodFlavours, goodIntervals, "1 b,\n", "1 U1,\n", `vms:1: the flavour is "b"; give one of those in flav_map.txt`},
	{goodFlavours, goodIntervals, "1 a,\n", "1 U2,\n", `times:1: the run time is "U2"; give U, or C if it went on, and the number of an interval in v1.interval_map.txt`},
	{goodFlavours, goodIntervals, "1 a,\n", "1 X1,\n", `times:1: the run time is "X1"; give U, or C if it went on, and the number of an interval in v1.interval_map.txt`},
}

// readAzure reads the contents of files as openAzure does.
func readAzure(flavours, intervals, vms, times string) (*azureReader, error) {
	r := &azureReader{end: 900}
	for _, table := range []struct {
		name, content string
		take          func(*lineReader) error
	}{{"flavours", flavours, r.flavour}, {"intervals", intervals, r.interval}} {
		l := newLineReader(table.name, strings.NewReader(table.content))
		for {
			if more, err := l.next(); err != nil {
				return nil, err
			} else if !more {
				break
			}
			if err := table.take(l); err != nil {
				return nil, err
			}
		}
	}
	r.lines = [2]*lineReader{newLineReader("vms", strings.NewReader(vms)), newLineReader("times", strings.NewReader(times))}
	return r, r.read()
}

func TestAzureFails(t *testing.T) {
	for _, tt := range badAzure {
		if _, err := readAzure(tt.flavours, tt.intervals, tt.vms, tt.times); err == nil || err.Error() != tt.want {
			t.Errorf("%+v:\ngot  %v\nwant %s", tt, err, tt.want)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{azureFlavours, azureIntervals, "v1.dev.txt"} {
		writeFile(t, filepath.Join(dir, name), nil)
	}
	checkError(t, dir, dir+": no v1.dev.cEND.txt or .gz, where END is when run times end; give part=dev or part=test, or the folder that contains it")
}

func FuzzAzure(f *testing.F) {
	for _, bad := range badAzure {
		f.Add(bad.vms, bad.times)
	}
	f.Add("1 a,a,g,|,g,|,\n300 a,\n\n", "1 U1,U0,U1,|,C1,|,\n300 U0,\n\n")
	f.Fuzz(func(t *testing.T, vms, times string) {
		r, err := readAzure(goodFlavours, goodIntervals, vms, times)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q is no line to read", err)
			}
			return
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzCPUs()))
	})
}

// TestVerifyAzure counts virtual machines and batches.
func TestVerifyAzure(t *testing.T) {
	const folder = "azure-vm-v1-arrivals"
	needRecording(t, folder)
	for _, tt := range []struct {
		part                string
		rows, pods, batches int
		load                float64
	}{{"dev", 1000, 259_159, 53_109, 0.4735}, {"test", 1638, 410_276, 82_946, 0.8839}} {
		tr := open(t, folder+"?part="+tt.part)
		checkRows(t, tr, tt.rows, "")
		batches := map[string]bool{}
		for _, a := range read(t, tr.Events(1)).pods {
			batches[a.pod.Name[:strings.LastIndex(a.pod.Name, "-")]] = true
		}
		if tr.Pods != tt.pods || len(batches) != tt.batches || math.Abs(tr.OfferedLoad-tt.load) > 0.0001 {
			t.Errorf("%s: %d pods, %d batches, load %v", tt.part, tr.Pods, len(batches), tr.OfferedLoad)
		}
		t.Logf("%s: %d virtual machines in %d batches, offered load %.2f %% of CPUs", tt.part, tr.Pods, len(batches), 100*tr.OfferedLoad)
	}
}
