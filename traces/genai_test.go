package traces

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

const smallGenAI = "testdata/genai"

// TestGenAI has a container that is silent for 11 minutes, one without a GPU, and one of
// which only the GPU was seen. Samples are 50 s apart.
func TestGenAI(t *testing.T) {
	tr := open(t, smallGenAI+"?nodes=1&podmemory=2")
	p := read(t, tr.Events(1))
	checkText(t, textOfCPUs(p), `
node-1 96000 786432
0 default/pod-aa  200: 0 2048
0 default/pod-bb  100: 0 2048
50 default/pod-cc  50: 0 2048
810 default/pod-aa-again-1  50: 0 2048`)
	gpus := ""
	for _, a := range p.pods {
		gpus += strings.Repeat("|", int(a.pod.Class.GPUs.Count)) + "."
	}
	if load := (200 + 50) / (8 * 810.0); gpus != "|..|.." || math.Abs(tr.OfferedLoad-load) > 1e-12 || tr.Format != "genai" {
		t.Errorf("GPUs %s, load %v, want %v", gpus, tr.OfferedLoad, load)
	}
	checkRows(t, tr, 12, "container_ip is empty: 1 from pod_memory_util_anon.csv:4; the container has a sample of that time already: 1 from pod_memory_util_anon.csv:5; "+
		"the line is empty: 1 from pod_gpu_duty_cycle_anon.csv:4")
	checkUsage(t, tr, `
0 0: -1 1073741824
0 2: -1 0
50 0: -1 536870912
50 2: -1 2147483648
150 0: -1 1073741824
810 6: -1 214748365`)
	checkUsage(t, open(t, smallGenAI), "")
	if c := read(t, open(t, smallGenAI+"?podgpus=4").Events(1)).pods[0].pod.Class; c.GPUs.Count != 4 || c.Requests != nil {
		t.Errorf("it asks for %+v, %v", c.GPUs, c.Requests)
	}
	for query, want := range map[string]string{
		"?podgpus=9":   `: podgpus is "9"; give a whole number from 1 to 8`,
		"?podmemory=0": `: podmemory is "0"; give a whole number from 1 to 1000000`,
		"?gpus=0":      `: gpus is "0"; give a whole number from 1 to 64`,
	} {
		checkError(t, smallGenAI+query, smallGenAI+query+want)
	}
}

// asTar packs a file.
func asTar(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, err := range []error{
		w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(content))}),
		func() error { _, err := w.Write([]byte(content)); return err }(), w.Close(), z.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestGenAITar has the same files packed, which makes no difference to the hash.
func TestGenAITar(t *testing.T) {
	folder := t.TempDir()
	for _, f := range genAIFiles {
		content, err := readFile(filepath.Join(smallGenAI, f.name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(folder, f.name+".tar.gz"), asTar(t, f.name+".csv", string(content)))
	}
	if a, b := open(t, smallGenAI).Hash, open(t, folder).Hash; a != b {
		t.Errorf("packed, the hash is %s and not %s", b, a)
	}
	file := filepath.Join(folder, genAIFiles[1].name+".tar.gz")
	for _, tt := range []struct {
		content []byte
		want    string
	}{
		{asTar(t, "x.csv", "value,container_ip\n"), "/x.csv:1: no column timestamp_anon; the header must name timestamp_anon, value, container_ip"},
		{asTar(t, "x.txt", "a"), ": no .csv file in it; fetch the file again"},
		{[]byte("a"), ": not gzip data; fetch the file again"},
		{asTar(t, "x.csv", "a")[:20], ": the gzip data ends early; fetch the file again"},
	} {
		writeFile(t, file, tt.content)
		checkError(t, folder, file+tt.want)
	}
}

const goodGenAI = "timestamp_anon,value,container_ip\n0,0.5,a\n60,0.25,a\n"

var badGenAI = []struct{ content, want string }{
	{"value,container_ip\n", "f:1: no column timestamp_anon; the header must name timestamp_anon, value, container_ip"},
	{goodGenAI + "-1,0.5,a\n", `f:4: timestamp_anon is "-1"; give a number from 0 to 4000000000`},
	{goodGenAI + "50,0.5,a\n", `f:4: timestamp_anon is "50"; the container has a later one already: sort the rows by time`},
	{goodGenAI + "70,1.5,a\n", `f:4: value is "1.5"; give a number from 0 to 1`},
	{goodGenAI + "70,-0.01,a\n", `f:4: value is "-0.01"; give a number from 0 to 1`},
	{goodGenAI + "70,NaN,a\n", `f:4: value is "NaN"; give a number from 0 to 1`},
	{goodGenAI + "70,1,a/b\n", `f:4: container_ip is "a/b"; give a name without spaces and slashes`},
}

// readGenAI reads content as memory, with containers that ask for 1000 bytes.
func readGenAI(content []byte) (*genAIReader, error) {
	r := newGenAI()
	r.memory = 1000
	err := readContent(content, func(file string, in *stream) error { return r.read(file, in, genAIFiles[0]) })
	if err == nil {
		r.finish()
	}
	return r, err
}

func TestGenAIFails(t *testing.T) {
	for _, tt := range badGenAI {
		if _, err := readGenAI([]byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	checkError(t, "genai:testdata/dlrm", "testdata/dlrm: no pod_memory_util_anon.tar or pod_memory_util_anon.tar.gz in the folder; give the folder that contains it, or the file")
}

func FuzzGenAI(f *testing.F) {
	for _, bad := range badGenAI {
		f.Add([]byte(bad.content))
	}
	f.Add([]byte(goodGenAI + "9999,0,a\n9999,0,\n9999,1,b\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := readGenAI(content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		for _, u := range r.uses {
			if b := r.batches.at(int(u.name)); u.age < 0 || u.age > b.run || u.memory < 0 || u.memory > 1000 {
				t.Errorf("%+v of %+v", u, b)
			}
		}
		checkFuzzReplay(t, &r.tally, r.replay(fuzzNodes()))
	})
}

// TestVerifyGenAI has the rows and containers that were counted by other means.
func TestVerifyGenAI(t *testing.T) {
	const folder = "alibaba-genai-v2026"
	needRecording(t, folder)
	tr := open(t, folder+"?podmemory=64")
	if tr.Rows != 157_417+214_890+161_413 {
		t.Errorf("%d rows", tr.Rows)
	}
	containers, gpu := map[string]bool{}, map[string]bool{}
	p := read(t, tr.Events(1))
	for _, a := range p.pods {
		name, _, _ := strings.Cut(a.pod.Name, "-again-")
		containers[name] = true
		if a.pod.Class.GPUs.Count > 0 {
			gpu[name] = true
		}
	}
	if len(containers) != 207 || len(gpu) != 144 {
		t.Errorf("%d containers, %d with a GPU", len(containers), len(gpu))
	}
	used, err := tr.Usage(1)
	if err != nil {
		t.Fatal(err)
	}
	rejected := 0
	for _, r := range tr.Rejected {
		rejected += r.Rows
		t.Logf("%s: %d from %s:%d", r.Reason, r.Rows, r.File, r.Line)
	}
	if len(used) != 214_890-rejected {
		t.Errorf("%d samples of memory", len(used))
	}
	t.Logf("%d pods of %d containers, offered load %.2f %% of GPUs, %d samples", len(p.pods), len(containers), 100*tr.OfferedLoad, len(used))
}
