package traces

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

const smallMachines = "testdata/machines/"

// TestMachineLists has the nodes of each list, sorted; pods are a synthetic cluster's.
func TestMachineLists(t *testing.T) {
	for _, tt := range []struct{ spec, format, rejected, want string }{
		{"pai_machine_spec.csv", "pai", "", "aa11 96 512 0 \"\"; bb22 64 512 2 \"P100\""},
		{"node_info_df.csv?memory=100", "spot", "", "node-0 128 100 1 \"A10\"; node-1 192 100 8 \"H800\""},
		{"Venus_vc_config.csv?cpus=40", "helios", "no machines: 1 from Venus_vc_config.csv:3", "vcA-1 40 376 8 \"\"; vcA-2 40 376 8 \"\""},
	} {
		for _, mode := range []string{"fill", "time"} {
			query := "?mode=" + mode
			if strings.Contains(tt.spec, "?") {
				query = "&mode=" + mode
			}
			tr := open(t, smallMachines+tt.spec+query)
			p := read(t, tr.Events(1))
			var got []string
			gpus := 0
			for _, n := range p.nodes {
				gpus += n.GPUs
				got = append(got, fmt.Sprintf("%s %d %d %d %q", n.Name, n.Capacity[cluster.CPU]/1000, n.Capacity[cluster.Memory]>>30, n.GPUs, n.GPUModel))
			}
			slices.Sort(got)
			if strings.Join(got, "; ") != tt.want || tr.Format != tt.format || tr.GPUs != gpus || tr.Nodes != len(got) {
				t.Errorf("%s: got %s: %s, want %s", tt.spec, tr.Format, strings.Join(got, "; "), tt.want)
			}
			if (mode == "time") != tr.Timed || len(p.pods) == 0 {
				t.Errorf("%s, %s: %d pods come, timed %v", tt.spec, mode, len(p.pods), tr.Timed)
			}
			checkRows(t, tr, 2, tt.rejected)
		}
	}
	vc, _ := read(t, open(t, smallMachines+"Venus_vc_config.csv").Events(1)).nodes[0].Labels.Get("vc")
	if vc != "vcA" {
		t.Errorf("the virtual cluster is %s", vc)
	}
	if open(t, smallMachines+"Venus_vc_config.csv").Hash == open(t, smallMachines+"Venus_vc_config.csv?cpus=40").Hash {
		t.Error("CPUs aren't in the hash")
	}
}

var badMachineLists = []struct{ format, content, want string }{
	{"pai", "a,CPU,96,512\n", "f:1: 4 fields; give 5, machine, gpu_type, cap_cpu, cap_mem, cap_gpu"},
	{"pai", "a,CPU,96,512,2\na,CPU,96,512,2\n", `f:2: machine is "a"; line 1 has that name already: give another`},
	{"pai", "a,CPU,x,512,2\n", `f:1: cap_cpu is "x"; give a whole number from 0 to 1000000`},
	{"pai", "a,CPU,1,x,2\n", `f:1: cap_mem is "x"; give a whole number from 0 to 1000000`},
	{"pai", "a,CPU,1,1,65\n", `f:1: cap_gpu is "65"; give a whole number from 0 to 64`},
	{"pai", "a,CPU,1,1,0\n", "f: no machine has a GPU; give a list of which some have"},
	{"spot", "gpu_model,gpu_capacity_num,cpu_num\n", "f:1: no column node_name; the header must name gpu_model, gpu_capacity_num, cpu_num, node_name"},
	{"spot", "gpu_model,gpu_capacity_num,cpu_num,node_name\nA,-1,1,1\n", `f:2: gpu_capacity_num is "-1"; give a whole number from 0 to 64`},
	{"helios", ",num\na b,1\n", `f:2: the column without a name is "a b"; give a name without spaces and slashes`},
	{"helios", ",num\na,10001\n", `f:2: num is "10001"; give a whole number from 0 to 10000`},
}

// machineListNames are the formats that lists have.
var machineListNames = []string{"pai", "spot", "helios"}

// openMachineList opens content as a file of a format.
func openMachineList(t *testing.T, format string, content []byte) (*Trace, error) {
	t.Helper()
	file := t.TempDir() + "/f"
	writeFile(t, file, content)
	tr, err := Opener{}.Open(format + ":" + file)
	if err != nil {
		err = &Error{File: "f", Problem: strings.TrimPrefix(err.Error(), file), Remedy: "r"}
	}
	return tr, err
}

func TestMachineListsFail(t *testing.T) {
	for _, tt := range badMachineLists {
		if _, err := openMachineList(t, tt.format, []byte(tt.content)); err == nil || err.(*Error).Problem != strings.TrimPrefix(tt.want, "f") {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

func FuzzMachineLists(f *testing.F) {
	for _, bad := range badMachineLists {
		f.Add(uint(slices.Index(machineListNames, bad.format)), []byte(bad.content))
	}
	f.Fuzz(func(t *testing.T, format uint, content []byte) {
		tr, err := openMachineList(t, machineListNames[format%3], content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if nodes := read(t, tr.Events(1)).nodes; len(nodes) != tr.Nodes || gpusOf(nodes) != tr.GPUs || tr.GPUs == 0 || tr.Rows == 0 {
			t.Errorf("%d nodes came: %+v", len(nodes), tr)
		}
	})
}

func BenchmarkMachineListRead(b *testing.B) {
	var rows bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&rows, "%024x,P100,64,512,2\n", i)
	}
	list := bytes.Clone(rows.Bytes())
	file := b.TempDir() + "/pai_machine_spec.csv"
	writeFile(b, file, list)
	b.SetBytes(int64(len(list)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Opener{}).Open(file); err != nil {
			b.Fatal(err)
		}
	}
}

// TestVerifyMachineLists counts nodes and GPUs of the lists.
func TestVerifyMachineLists(t *testing.T) {
	for _, tt := range []struct {
		folder, format    string
		rows, nodes, gpus int
	}{
		{"alibaba-pai-gpu-v2020", "pai", 1897, 1897, 798*2 + 497*2 + (280+135+59+45)*8},
		{"alibaba-spot-gpu-v2026", "spot", 4278, 4278, 2494 + 902 + (432+219+122+77+22)*8 + 10*4},
		{"helios-2020", "helios", 15, 135, 135 * 8},
	} {
		needRecording(t, tt.folder)
		tr := open(t, tt.folder)
		checkRows(t, tr, tt.rows, "")
		if tr.Format != tt.format || tr.Nodes != tt.nodes || tr.GPUs != tt.gpus {
			t.Errorf("%s: %d nodes, %d GPUs", tr.Format, tr.Nodes, tr.GPUs)
		}
		t.Logf("%s: %d nodes, %d GPUs", tr.Name, tr.Nodes, tr.GPUs)
	}
}
