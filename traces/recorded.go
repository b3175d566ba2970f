package traces

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
)

// recordedFile returns the file that path names: path itself, or one of names in
// the folder path, plain or with .gz behind it. The first that is there is taken.
// Without names it must be a file.
func recordedFile(path string, names ...string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("reading the trace: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	if len(names) == 0 {
		return "", &Error{File: path, Problem: "it is a folder", Remedy: "give a file"}
	}
	for _, name := range names {
		for _, suffix := range []string{"", ".gz"} {
			file := filepath.Join(path, name+suffix)
			_, err := os.Stat(file)
			if err == nil {
				return file, nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("reading the trace: %w", err)
			}
		}
	}
	return "", &Error{File: path, Problem: "no " + names[0] + " or " + names[0] + ".gz in the folder", Remedy: "give the folder that contains it, or the file"}
}

// isFolder reports whether path is a folder.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// longestOpening is as much of a file as is read to recognise it, in bytes.
const longestOpening = 4096

// opening returns how the file begins that recordedFile finds, decompressed; "" if there
// is none, or no text.
func opening(path string, names ...string) string {
	file, err := recordedFile(path, names...)
	if err != nil {
		return ""
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() { // a pipe would wait
		return ""
	}
	in, err := openStream(file)
	if err != nil {
		return ""
	}
	defer in.close()
	begin, err := bufio.NewReaderSize(in, longestOpening).Peek(longestOpening)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	return string(begin)
}

// firstLine returns the first line of that, without its line break.
func firstLine(path string, names ...string) string {
	line, _, _ := strings.Cut(opening(path, names...), "\n")
	return strings.TrimSuffix(line, "\r")
}

// A recorded is what a Trace made of a recording needs to know of it, beside the
// replay.
type recorded struct {
	file     string // that errors are about
	version  string // of the format, for the hash
	options  string // of the format, for the hash
	content  []byte // the hash of what was read
	span     span
	settings Settings

	epoch func(at cluster.Time) time.Time // when a time of the recording's clock was; nil if nobody knows
}

// sinceUnix is when a time of a clock was that counts from 1970.
func sinceUnix(at cluster.Time) time.Time { return time.Unix(0, int64(at)) }

// recordedWaits returns how long the jobs waited that are played, nil if nobody knows.
func (r *replay) recordedWaits() (waits []cluster.Time) {
	for i := range r.batches.count {
		if b := r.batches.at(i); r.waits && b.waited >= 0 && !b.more {
			waits = append(waits, b.waited)
		}
	}
	return waits
}

// trace makes a Trace of a replay and of the counts of its rows.
func (y *tally) trace(r *replay, from recorded) (*Trace, error) {
	if others := r.cut(from.span); others > 0 {
		y.rejectAll(outOfSpan, from.file, 0, others)
	}
	t := &Trace{Rows: y.rows, Rejected: y.rejected, Waits: r.recordedWaits()}
	load, err := t.play(r, from.settings, from.file)
	if err != nil {
		return nil, err
	}
	if from.epoch != nil {
		t.Epoch = from.epoch(r.batches.at(0).at).UTC()
	}
	options := from.options + "&" + from.span.String() + "&" + load
	t.Hash = hashOf([]byte(from.version), []byte(options), from.content)
	return t, nil
}
