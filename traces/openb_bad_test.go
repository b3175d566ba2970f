package traces

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	goodNodes = "sn,cpu_milli,memory_mib,gpu,model\nn1,1000,1024,2,T4\n"
	goodPods  = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np1,1000,1024,1,500\n"
	nodeHead  = "sn,cpu_milli,memory_mib,gpu,model\n"
	podHead   = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
	timeHead  = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time,scheduled_time\n"
)

// A badList is a list and the error it gives, without the file before it.
type badList struct{ why, content, want string }

var badNodes = []badList{
	{"empty", "", ": the file is empty; fetch it again"},
	{"empty lines", "\n\n", ": the file has only empty lines; fetch it again"},
	{"binary", "sn,cpu\x00\x01\n", ": not text; give a CSV file, or one whose name ends in .gz if it is compressed"},
	{"compressed", string(gzipped([]byte(goodNodes))), ": not text; give a CSV file, or one whose name ends in .gz if it is compressed"},
	{"other encoding", nodeHead + "n\xff,1,1,1,T4\n", ": not text; give a CSV file, or one whose name ends in .gz if it is compressed"},
	{"no rows", nodeHead, ": no nodes; give a list with at least one"},
	{"column missing", "sn,cpu_milli,memory_mib,model\n", ":1: no column gpu; the header must name sn, cpu_milli, memory_mib, gpu, model"},
	{"column twice", "sn,gpu,gpu\n", `:1: column "gpu" is there twice; rename one`},
	{"few fields", nodeHead + "n1,1,1,1,T4\nn2,1,1,1\n", ":3: 4 fields; give 5, as in the header"},
	{"many fields", nodeHead + "n1,1,1,1,T4,\n", ":2: 6 fields; give 5, as in the header"},
	{"quote", nodeHead + "n\"1,1,1,1,T4\n", `:2: bare " in non-quoted-field; correct the quotes of the row`},
	{"quote open", nodeHead + "n1,1,1,1,T4\n\"n2,1,1,1,T4\nn3,1,1,1,T4\n", `:3: extraneous or missing " in quoted-field; correct the quotes of the row`},
	{"no number", nodeHead + "\nn1,many,1,1,T4\n", `:3: cpu_milli is "many"; give a whole number from 0 to 9223372036854775807`},
	{"no name", nodeHead + ",1,1,1,T4\n", `:2: sn is ""; give a name`},
	{"name with space", nodeHead + "n 1,1,1,1,T4\n", `:2: sn is "n 1"; give a name without spaces and slashes`},
	{"name over lines", nodeHead + "n1,1,1,1,\"T\n4\"\nn2,1,1,x,T4\n", `:4: gpu is "x"; give a whole number from 0 to 64`},
	{"negative", nodeHead + "n1,1,-1,1,T4\n", `:2: memory_mib is "-1"; give a whole number from 0 to 8796093022207`},
	{"overflow of bytes", nodeHead + "n1,1,8796093022208,1,T4\n", `:2: memory_mib is "8796093022208"; give a whole number from 0 to 8796093022207`},
	{"overflow", nodeHead + "n1,9223372036854775808,1,1,T4\n", `:2: cpu_milli is "9223372036854775808"; give a whole number from 0 to 9223372036854775807`},
	{"fraction", nodeHead + "n1,1.5,1,1,T4\n", `:2: cpu_milli is "1.5"; give a whole number from 0 to 9223372036854775807`},
	{"empty field", nodeHead + "n1,,1,1,T4\n", `:2: cpu_milli is ""; give a whole number from 0 to 9223372036854775807`},
	{"too many GPUs", nodeHead + "n1,1,1,65,T4\n", `:2: gpu is "65"; give a whole number from 0 to 64`},
	{"twice", nodeHead + "n1,1,1,1,T4\nn2,1,1,1,T4\nn1,1,1,1,T4\n", `:4: sn is "n1"; line 2 has that name already: give another`},
	{"a very long field", nodeHead + strings.Repeat("x", 99) + " ,1,1,1,T4\n", `:2: sn is "` + strings.Repeat("x", 60) + `"; give a name without spaces and slashes`},
	{"no GPU", nodeHead + "n1,1,1,0,\n", ": no node has a GPU; give a list of nodes with GPUs: nodes=gpu_node"},
}

var badPods = []badList{
	{"empty", "", ": the file is empty; fetch it again"},
	{"no rows", podHead, ": no pods; give a list with at least one"},
	{"column missing", "name,cpu_milli,memory_mib,num_gpu\n", ":1: no column gpu_milli; the header must name name, cpu_milli, memory_mib, num_gpu, gpu_milli"},
	{"few fields", podHead + "p1,1,1,1,1,\np2,1\n", ":3: 2 fields; give 6, as in the header"},
	{"no number", podHead + "p1,x,1,1,1,\n", `:2: cpu_milli is "x"; give a whole number from 0 to 9223372036854775807`},
	{"negative", podHead + "p1,1,-5,1,1,\n", `:2: memory_mib is "-5"; give a whole number from 0 to 8796093022207`},
	{"overflow", podHead + "p1,1,8796093022208,1,1,\n", `:2: memory_mib is "8796093022208"; give a whole number from 0 to 8796093022207`},
	{"too many GPUs", podHead + "p1,1,1,65,1000,\n", `:2: num_gpu is "65"; give a whole number from 0 to 64`},
	{"more than a GPU", podHead + "p1,1,1,1,1001,\n", `:2: gpu_milli is "1001"; give a whole number from 0 to 1000`},
	{"parts of several GPUs", podHead + "p1,1,1,2,500,\n", `:2: gpu_milli is "500"; give 1000, as num_gpu is above 1: only a single GPU can be shared`},
	{"nothing of a GPU", podHead + "p1,1,1,1,0,\n", `:2: gpu_milli is "0"; give 1 to 1000, as num_gpu is above 0`},
	{"a part of no GPU", podHead + "p1,1,1,0,500,\n", `:2: gpu_milli is "500"; give 0, as num_gpu is 0`},
	{"model without GPU", podHead + "p1,1,1,0,0,T4\n", `:2: gpu_spec is "T4"; leave it empty, as num_gpu is 0`},
	{"no model", podHead + "p1,1,1,1,1,T4|\n", `:2: gpu_spec is "T4|"; give models with | between`},
	{"twice", podHead + "p1,1,1,1,1,\np1,1,1,1,1,\n", `:3: name is "p1"; line 2 has that name already: give another`},
	{"name with slash", podHead + "a/p1,1,1,1,1,\n", `:2: name is "a/p1"; give a name without spaces and slashes`},
}

var badTimes = []badList{
	{"no times", goodPods, ":1: no column creation_time; mode=time needs it: give mode=fill, or a list of pods with times"},
	{"no time of creation", timeHead + "p1,1,1,1,1,,5,1\n", `:2: creation_time is ""; give a whole number from 0 to 9223372036`},
	{"no end", timeHead + "p1,1,1,1,1,0,,1\n", `:2: deletion_time is ""; give a whole number from 0 to 9223372036`},
	{"overflow", timeHead + "p1,1,1,1,1,0,9223372037,1\n", `:2: deletion_time is "9223372037"; give a whole number from 0 to 9223372036`},
	{"not a number", timeHead + "p1,1,1,1,1,0,5,soon\n", `:2: scheduled_time is "soon"; give a whole number from 0 to 9223372036`},
	{"ends before it begins", timeHead + "p1,1,1,1,1,0,5,6\n", `:2: deletion_time is "5"; give a time at or after scheduled_time, "6"`},
	{"none scheduled", timeHead + "p1,1,1,1,1,0,5,\np2,1,1,1,1,1,5,\n", `: no pod was ever scheduled, so no run time is known; give mode=fill`},
	{"all at once", timeHead + "p1,1,1,1,1,3,5,4\np2,1,1,1,1,3,5,4\n", `: all pods are created at the same time; give mode=fill`},
}

func TestOpenbBadNodes(t *testing.T) {
	for _, tt := range badNodes {
		t.Run(tt.why, func(t *testing.T) {
			dir := writeOpenb(t, tt.content, goodPods)
			checkError(t, "openb:"+dir, filepath.Join(dir, "openb_node_list_gpu_node.csv")+tt.want)
		})
	}
}

func TestOpenbBadPods(t *testing.T) {
	for _, tt := range badPods {
		t.Run(tt.why, func(t *testing.T) {
			dir := writeOpenb(t, goodNodes, tt.content)
			checkError(t, "openb:"+dir, filepath.Join(dir, "openb_pod_list_default.csv")+tt.want)
		})
	}
	for _, tt := range badTimes {
		t.Run(tt.why, func(t *testing.T) {
			dir := writeOpenb(t, goodNodes, tt.content)
			checkError(t, "openb:"+dir+"?mode=time", filepath.Join(dir, "openb_pod_list_default.csv")+tt.want)
		})
	}
}

// TestOpenbBadLoads has what is wrong with an option for a list.
func TestOpenbBadLoads(t *testing.T) {
	idle := timeHead + "p1,1,1,0,0,0,5,1\np2,1,1,0,0,2,5,4\n"
	zero := timeHead + "p1,1,1,1,1,0,5,5\np2,1,1,1,1,2,5,5\n"
	long := timeHead + "p1,1,1,1,1000,0,9000000000,0\np2,1,1,1,1000,2,9000000000,2\n"
	tests := []struct{ why, pods, query, want string }{
		{"no pod with a GPU", idle, "", "?; no pod asks for a GPU, so none fill the cluster's; give a list of pods that do: pods=default"},
		{"no GPU time", idle, "?mode=time&load=1", ": no pod uses a GPU for any time, so there is no load to change; leave load out"},
		{"no time", zero, "?mode=time&load=1", ": no pod uses a GPU for any time, so there is no load to change; leave load out"},
		{"too low", long, "?mode=time&load=1e-3", "?; load 0.001 spreads arrivals over more than a century; give a higher load"},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			dir := writeOpenb(t, goodNodes, tt.pods)
			spec := "openb:" + dir + tt.query
			want := filepath.Join(dir, "openb_pod_list_default.csv") + tt.want
			if problem, ok := strings.CutPrefix(tt.want, "?; "); ok {
				want = spec + ": " + problem
			}
			checkError(t, spec, want)
		})
	}
	dir := writeOpenb(t, nodeHead+"n,1,1,64,T4\n", podHead+"p1,1,1,1,1,\n")
	spec := "openb:" + dir + "?load=1000"
	checkError(t, spec, spec+": load 1000 takes about 64000000 pods; give a load that takes at most 20000000")
}

func TestOpenbBadFiles(t *testing.T) {
	dir := t.TempDir()
	copyOpenb(t, dir, gzipped)
	file := filepath.Join(dir, "openb_pod_list_default.csv.gz")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(whole)
	changed[len(changed)-6] ^= 1 // of the checksum
	tests := []struct{ why, content, want string }{
		{"cut short", string(whole[:len(whole)-20]), ": the gzip data ends early; fetch the file again"},
		{"cut in the header", string(whole[:5]), ": not gzip data; fetch the file again"},
		{"empty", "", ": not gzip data; fetch the file again"},
		{"not compressed", goodPods, ": not gzip data; fetch the file again"},
		{"something behind", string(whole) + "x", ": the gzip data ends early; fetch the file again"},
		{"changed", string(changed), ": damaged gzip data; fetch the file again"},
		{"empty inside", string(gzipped(nil)), ": the file is empty; fetch it again"},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			checkError(t, "openb:"+dir, file+tt.want)
		})
	}
}

// writeOpenb writes a trace to a folder of its own.
func writeOpenb(t testing.TB, nodes, pods string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"openb_node_list_gpu_node.csv": nodes, "openb_pod_list_default.csv": pods} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// checkError checks that a trace doesn't open, and the one line that says why.
func checkError(t *testing.T, spec, want string) {
	t.Helper()
	checkOpenerError(t, Opener{}, spec, want)
}

func checkOpenerError(t *testing.T, o Opener, spec, want string) {
	t.Helper()
	_, err := o.Open(spec)
	if err == nil {
		t.Fatalf("%s was opened", spec)
	}
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Errorf("%v is not an *Error", err)
	}
	if got := err.Error(); got != want || strings.Contains(got, "\n") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
