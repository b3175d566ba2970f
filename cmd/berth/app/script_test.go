package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/klog/v2"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard()) // client-go's, of what is run in this process
	testscript.Main(m, map[string]func(){"berth": func() { Main() }})
}

// TestScripts runs the program as a user does. Beside testscript's own, scripts
// have the commands below.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       exits,
			"refused":     refused,
			"interrupt":   interrupt,
			"interruptat": interruptAt,
			"write":       writeFile,
			"gzip":        gzipFile,
			"lines":       countLines,

			"samedigest": sameDigest,
		},
	})
}

// exits STATUS COMMAND... runs a command, which must end with that very status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	status := 0
	err := ts.Exec(args[1], args[2:]...)
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		status = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("the exit status is %d, want %s", status, args[0])
	}
}

// refused COMMAND... runs berth with bad input. It must end with status 2, say
// why on one line of standard error, write nothing to standard output, and leave
// all files as they are.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	before := files(ts)
	exits(ts, neg, append([]string{"2"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("wrote to standard output:\n%s", out)
	}
	text := ts.ReadFile("stderr")
	if !strings.HasPrefix(text, "berth: ") || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("standard error isn't one line that begins with the program's name:\n%s", text)
	}
	if problem, remedy, found := strings.Cut(text, "; "); !found && !strings.Contains(text, "use one of") {
		ts.Fatalf("%q has no remedy %q", problem, remedy)
	}
	if after := files(ts); !slices.Equal(after, before) {
		ts.Fatalf("the files were\n%s\nand are\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

var digestLine = regexp.MustCompile(`"digest": "[0-9a-f]+"`)

// sameDigest A.json B.json compares the digest of the first run in each.
func sameDigest(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samedigest A.json B.json")
	}
	a, b := digestLine.FindString(ts.ReadFile(args[0])), digestLine.FindString(ts.ReadFile(args[1]))
	if a == "" || (a == b) == neg {
		ts.Fatalf("%s has %s, %s has %s", args[0], a, args[1], b)
	}
}

// files lists what is in the script's folder, with sizes and times.
func files(ts *testscript.TestScript) (list []string) {
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() { // when it was changed tells of files that came and went
			list = append(list, path)
			return nil
		}
		info, err := d.Info()
		if err == nil {
			list = append(list, fs.FormatFileInfo(info)+" "+path)
		}
		return err
	}))
	return list
}

// interrupt COMMAND... is interruptat when the first run is finished.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	interruptAt(ts, neg, append([]string{"run finished"}, args...))
}

// interruptat TEXT COMMAND... runs berth, which must log (-v), and presses Ctrl-C when
// the text is in the log. It must end with status 130.
func interruptAt(ts *testscript.TestScript, neg bool, args []string) {
	if runtime.GOOS == "windows" {
		ts.Fatalf("there is no SIGINT here; guard with [!windows]")
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Dir, cmd.Stdout = ts.MkAbs("."), ts.Stdout()
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	// What goes wrong must not last as long as the experiment would.
	deadline := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer deadline.Stop()
	interrupted := false
	log := bufio.NewScanner(stderr)
	for log.Scan() {
		ts.Stderr().Write(append(log.Bytes(), '\n'))
		if !interrupted && strings.Contains(log.Text(), args[0]) {
			ts.Check(cmd.Process.Signal(os.Interrupt))
			interrupted = true
		}
	}
	ended, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if neg || !interrupted || !ok || ended.ExitCode() != 130 {
		ts.Fatalf("interrupted: %v, ended: %v, want exit status 130", interrupted, ended)
	}
}

// write FILE TEXT writes a text, in which \n, \x00 and the like have their
// meaning in Go, to a file.
func writeFile(ts *testscript.TestScript, _ bool, args []string) {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(args[1], `"`, `\"`) + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// gzip FILE [CUT] compresses a file to FILE.gz, and leaves out so many bytes at
// the end.
func gzipFile(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(z.Close())
	cut := 0
	if len(args) > 1 {
		cut, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".gz"), b.Bytes()[:b.Len()-cut], 0o666))
}

// lines N FILE checks how many lines a file has.
func countLines(ts *testscript.TestScript, _ bool, args []string) {
	if n := strings.Count(ts.ReadFile(args[1]), "\n"); strconv.Itoa(n) != args[0] {
		ts.Fatalf("%s has %d lines, want %s:\n%s", args[1], n, args[0], ts.ReadFile(args[1]))
	}
}
