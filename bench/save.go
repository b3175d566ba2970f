package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

const resultsFile = "results.json"

// A savedFile is one file of a result folder.
type savedFile struct {
	name  string
	write func(io.Writer) error
}

// savedFiles are all files of a result folder.
func (r *Results) savedFiles() []savedFile {
	in := func(f Format) func(io.Writer) error {
		return func(w io.Writer) error { return r.Write(w, f, nil) }
	}
	return []savedFile{
		{resultsFile, in(FormatJSON)},
		{"summary.csv", in(FormatCSV)},
		{"table.txt", in(FormatTable)},
		{"curves.csv", func(w io.Writer) error { return writeCurves(w, r.Runs) }},
	}
}

// Save writes the results into the folder dir: results.json, summary.csv,
// table.txt and curves.csv. Missing parents are created; an earlier result at
// dir is replaced. Anything else there is an error, see CheckSaveDir.
//
// The folder is written beside dir, synced, and renamed into place. Whenever
// the program or the machine stops, a whole result is at dir or, in the
// moment between two renames, in the folder NAME.*.partial beside it.
func (r *Results) Save(dir string) error {
	return saveFolder(dir, r.savedFiles())
}

// CheckSaveDir returns nil if Save would accept dir: it does not exist, is
// empty, or holds an earlier result and nothing else. It lets a program refuse
// before hours of work rather than after.
func CheckSaveDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't save results to %s: %w; give another folder", dir, err)
	}
	if !isResultFolder(dir) {
		return fmt.Errorf("can't save results to %s: it holds %s but no result of Berth; give a folder that is new, empty or an earlier result", dir, entries[0].Name())
	}
	ours := (*Results)(nil).savedFiles()
	for _, e := range entries {
		if !slices.ContainsFunc(ours, func(f savedFile) bool { return f.name == e.Name() }) {
			return fmt.Errorf("can't replace the result in %s: it also holds %s, which would be lost; move that elsewhere or give another folder", dir, e.Name())
		}
	}
	return nil
}

// isResultFolder reports whether dir has a results.json of some version of
// Berth. Other programs use that name too.
func isResultFolder(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, resultsFile))
	var head struct {
		Version string `json:"version"`
	}
	return err == nil && json.Unmarshal(data, &head) == nil && strings.HasPrefix(head.Version, "berth/")
}

// saveFolder makes files the content of dir, all or none.
func saveFolder(dir string, files []savedFile) (err error) {
	if dir, err = filepath.Abs(dir); err != nil { // "." can't be renamed
		return fmt.Errorf("saving results: %w", err)
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // replace what a link points to, not the link
	}
	if err := CheckSaveDir(dir); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return fmt.Errorf("saving results to %s: %w", dir, err)
	}
	work, err := os.MkdirTemp(parent, filepath.Base(dir)+".*.partial")
	if err != nil {
		return fmt.Errorf("saving results to %s: %w", dir, err)
	}
	err = writeFolder(filepath.Join(work, "new"), files)
	if err == nil {
		err = swapFolders(work, dir)
	}
	if clearing := clearAway(work, dir); err == nil {
		err = clearing
	} else if clearing != nil {
		err = fmt.Errorf("%w; %w", err, clearing)
	}
	if err != nil {
		return fmt.Errorf("saving results to %s: %w", dir, err)
	}
	return nil
}

// clearAway removes work, unless the earlier result is in it and nothing at
// dir, which is so if moving it back failed too.
func clearAway(work, dir string) error {
	old := filepath.Join(work, "old")
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(old); err == nil {
			return fmt.Errorf("the earlier result is now in %s", old)
		}
	}
	return os.RemoveAll(work)
}

// writeFolder makes the folder and its files, and waits until they are on disk.
func writeFolder(folder string, files []savedFile) error {
	if err := os.Mkdir(folder, 0o777); err != nil { // not MkdirTemp's 0700: the umask decides
		return err
	}
	for _, f := range files {
		if err := writeSynced(filepath.Join(folder, f.name), f.write); err != nil {
			return err
		}
	}
	return syncFolder(folder)
}

func writeSynced(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

// swapFolders moves dir, if it exists, to work/old and work/new to dir. If
// the second step fails it takes the first back.
func swapFolders(work, dir string) error {
	old := filepath.Join(work, "old")
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	had := err == nil
	if err := os.Rename(filepath.Join(work, "new"), dir); err != nil {
		if had {
			if back := os.Rename(old, dir); back != nil {
				err = fmt.Errorf("%w; %w", err, back)
			}
		}
		return err
	}
	return syncFolder(filepath.Dir(dir)) // until then a power cut may undo the renames
}

// syncFolder makes the names in a folder durable, where the system can.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // folders can't be opened for that
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil // some network file systems
	}
	return err
}
