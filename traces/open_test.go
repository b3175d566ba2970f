package traces

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenErrors(t *testing.T) {
	const dir = "testdata/openb"
	file := dir + "/openb_node_list_gpu_node.csv"
	tests := []struct{ why, spec, want string }{
		{"nothing", "", "no path is given; write [FORMAT:]PATH[?key=value&…]"},
		{"no path", "openb:", "no path is given; write [FORMAT:]PATH[?key=value&…]"},
		{"nothing there", "openb:nowhere", `no file or folder "nowhere"; give one that exists, or set BERTH_TRACES to the folder that contains it`},
		{"nothing there, no format", "nowhere", `no file or folder "nowhere"; give one that exists, or set BERTH_TRACES to the folder that contains it`},
		{"below a file", "openb:" + file + "/x", `no file or folder "` + file + `/x"; give one that exists, or set BERTH_TRACES to the folder that contains it`},
		{"too long", strings.Repeat("x", 5000), `no file or folder "` + strings.Repeat("x", 60) + `"; give one that exists, or set BERTH_TRACES to the folder that contains it`},
		{"unknown format", "openc:" + dir, `there is no format "openc"; write one of berth, openb, philly, swf, synthetic, model before the colon`},
		{"unrecognised", "testdata", "no format recognises it; write FORMAT:PATH, where FORMAT is one of berth, openb, philly, swf, synthetic, model"},
		{"unrecognised file", file, "no format recognises it; write FORMAT:PATH, where FORMAT is one of berth, openb, philly, swf, synthetic, model"},
		{"generated, no format", "gpu", `no file or folder "gpu"; give one that exists, or set BERTH_TRACES to the folder that contains it`},
		{"unknown option", smallOpenb + "?lod=1", `there is no option "lod"; openb takes pods, nodes, mode, load`},
		{"option of no name", smallOpenb + "?=1", `there is no option ""; openb takes pods, nodes, mode, load`},
		{"no value", smallOpenb + "?load", "load has no value; write load=VALUE, or leave it out"},
		{"empty value", smallOpenb + "?load=", "load has no value; write load=VALUE, or leave it out"},
		{"twice", smallOpenb + "?load=1&load=2", "load is given twice; leave one out"},
		{"mode", smallOpenb + "?mode=fast", `mode is "fast"; give one of fill, time`},
		{"pods", smallOpenb + "?pods=all", `pods is "all"; give one of default, multigpu50`},
		{"nodes", smallOpenb + "?nodes=../x", `nodes is "../x"; give one of cpu_node, gpu_node`},
		{"load is no number", smallOpenb + "?load=high", `load is "high"; give a share of capacity above 0 and up to 1000, such as 1.3`},
		{"load 0", smallOpenb + "?load=0", `load is "0"; give a share of capacity above 0 and up to 1000, such as 1.3`},
		{"load NaN", smallOpenb + "?load=NaN", `load is "NaN"; give a share of capacity above 0 and up to 1000, such as 1.3`},
		{"load infinite", smallOpenb + "?load=Inf", `load is "Inf"; give a share of capacity above 0 and up to 1000, such as 1.3`},
		{"load negative", smallOpenb + "?mode=time&load=-1", `load is "-1"; give a share of capacity above 0 and up to 1000, such as 1.3`},
		{"unknown preset", "synthetic:cpu", `synthetic has no "cpu"; write synthetic:gpu`},
		{"no preset", "synthetic:", `synthetic has no ""; write synthetic:gpu`},
		{"no nodes", "synthetic:gpu?nodes=0", `nodes is "0"; give a whole number from 1 to 1000000`},
		{"synthetic mode", "synthetic:gpu?mode=x", `mode is "x"; give one of fill, time`},
		{"synthetic load", "synthetic:gpu?load=x", `load is "x"; give a share of capacity above 0 and up to 1000, such as 1.3`},
		{"few pods", "synthetic:gpu?mode=time&pods=99", `pods is "99"; give a whole number from 100 to 10000000`},
		{"pods and fill", "synthetic:gpu?pods=100", "pods is given with mode=fill, where load says how many there are; leave pods out, or give mode=time"},
		{"years", "synthetic:gpu?nodes=1&mode=time&pods=1000000", "1000000 pods at load 0.9 come over more than ten years; give a higher load, fewer pods or more nodes"},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) { checkError(t, tt.spec, tt.spec+": "+tt.want) })
	}
}

func TestOpenFolderErrors(t *testing.T) {
	file := "testdata/openb/openb_node_list_gpu_node.csv"
	checkError(t, "openb:"+file, file+": not a folder; give the folder that contains openb_node_list_*.csv.gz")
	checkError(t, "openb:testdata", "testdata: no openb_node_list_*.csv or .csv.gz in the folder; give the folder that contains the trace")
}

func TestOpenControlCharacters(t *testing.T) {
	checkError(t, "a\nb", `"a\nb": the path contains control characters; leave them out`)
	checkError(t, "openb:\x00", `"openb:\x00": the path contains control characters; leave them out`)
}

func TestOpenUnderRoot(t *testing.T) {
	o := Opener{Root: "testdata"}
	for _, spec := range []string{"openb:openb", "openb", "openb?load=1", "openb/", "testdata/openb", smallOpenb} {
		tr, err := o.Open(spec)
		if err != nil {
			t.Error(err)
			continue
		}
		if tr.Name != spec || tr.Format != "openb" {
			t.Errorf("%s: got name %q, format %q", spec, tr.Name, tr.Format)
		}
	}
	checkOpenerError(t, o, "openc", `openc: no file or folder "openc", nor is it under "testdata"; give one that exists, or set BERTH_TRACES to the folder that contains it`)
	abs, err := filepath.Abs("nowhere")
	if err != nil {
		t.Fatal(err)
	}
	checkOpenerError(t, o, abs, abs+`: no file or folder "`+abs+`", nor is it under "testdata"; give one that exists, or set BERTH_TRACES to the folder that contains it`)
}

// TestOpenWorldErrors checks that what the system fails at is no bad input.
func TestOpenWorldErrors(t *testing.T) {
	dir := writeOpenb(t, goodNodes, goodPods)
	file := filepath.Join(dir, "openb_pod_list_default.csv")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil { // which can't be read as a file, whoever asks
		t.Fatal(err)
	}
	_, err := Opener{}.Open("openb:" + dir)
	var wrong *Error
	if err == nil || errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "reading the trace: ") {
		t.Errorf("got %v", err)
	}
}

func TestErrorIsOneLine(t *testing.T) {
	e := &Error{File: "a\nb", Line: 3, Problem: "p", Remedy: "r"}
	if got, want := e.Error(), `"a\nb":3: p; r`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFormats checks what programs show of formats.
func TestFormats(t *testing.T) {
	for _, f := range Formats {
		if f.Name == "" || f.Doc == "" || f.Path == "" || f.Open == nil {
			t.Errorf("%+v lacks something", f)
		}
		seen := map[string]bool{}
		for _, o := range f.Options {
			if o.Name == "" || o.Doc == "" || seen[o.Name] {
				t.Errorf("%s: %+v lacks something, or is there twice", f.Name, o)
			}
			seen[o.Name] = true
		}
	}
}
