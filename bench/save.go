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

// A SavedFile is one file of a Folder.
type SavedFile struct {
	Name  string
	Write func(io.Writer) error
}

// A Folder is results as files. The first is what such a folder is known by: JSON with
// a member "version" that begins with "berth/".
type Folder []SavedFile

// folder returns all files of a result folder.
func (r *Results) folder() Folder {
	in := func(f Format) func(io.Writer) error {
		return func(w io.Writer) error { return r.Write(w, f, nil) }
	}
	return Folder{
		{resultsFile, in(FormatJSON)},
		{"summary.csv", in(FormatCSV)},
		{"table.txt", in(FormatTable)},
		{"curves.csv", func(w io.Writer) error { return writeCurves(w, r.Runs) }},
	}
}

// SaveWithPictures is Save with what a storm shows over time: timeline.csv, timeline.svg and
// pareto.svg.
func (r *Results) SaveWithPictures(dir string) error {
	return append(r.folder(), r.pictures()...).Save(dir)
}

// CheckPicturesDir returns nil if SaveWithPictures would accept dir.
func CheckPicturesDir(dir string) error {
	return append((*Results)(nil).folder(), (*Results)(nil).pictures()...).Check(dir)
}

// Save writes the results into the folder dir: results.json, summary.csv,
// table.txt and curves.csv, as Folder.Save does.
func (r *Results) Save(dir string) error { return r.folder().Save(dir) }

// CheckSaveDir returns nil if Save would accept dir.
func CheckSaveDir(dir string) error { return (*Results)(nil).folder().Check(dir) }

// Check returns nil if Save would accept dir: it does not exist, is
// empty, or holds an earlier result of the kind and nothing else. It lets a program
// refuse before hours of work rather than after.
func (f Folder) Check(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't save results to %s: %w; give another folder", dir, err)
	}
	if !f.is(dir) {
		return fmt.Errorf("can't save results to %s: it holds %s but no result of Berth; give a folder that is new, empty or an earlier result", dir, entries[0].Name())
	}
	for _, e := range entries {
		if !slices.ContainsFunc(f, func(ours SavedFile) bool { return ours.Name == e.Name() }) {
			return fmt.Errorf("can't replace the result in %s: it also holds %s, which would be lost; move that elsewhere or give another folder", dir, e.Name())
		}
	}
	return nil
}

// is reports whether dir has the first file, of some version of Berth. Other programs
// use that name too.
func (f Folder) is(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, f[0].Name))
	var head struct {
		Version string `json:"version"`
	}
	return err == nil && json.Unmarshal(data, &head) == nil && strings.HasPrefix(head.Version, "berth/")
}

// Save makes the files the content of dir, all or none. Missing parents are created; an
// earlier result at dir is replaced. Anything else there is an error, see Check.
//
// The folder is written beside dir, synced, and renamed into place. Whenever
// the program or the machine stops, a whole result is at dir or, in the
// moment between two renames, in the folder NAME.*.partial beside it.
func (f Folder) Save(dir string) (err error) {
	if dir, err = filepath.Abs(dir); err != nil { // "." can't be renamed
		return fmt.Errorf("saving results: %w", err)
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // replace what a link points to, not the link
	}
	if err := f.Check(dir); err != nil {
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
	err = writeFolder(filepath.Join(work, "new"), f)
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
func writeFolder(folder string, files Folder) error {
	if err := os.Mkdir(folder, 0o777); err != nil { // not MkdirTemp's 0700: the umask decides
		return err
	}
	for _, f := range files {
		if err := writeSynced(filepath.Join(folder, f.Name), f.Write); err != nil {
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
