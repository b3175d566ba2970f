package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// kept is how many folders of a part the cache keeps: source trees that differ, or an older
// commit that is looked at again, have folders of their own.
const kept = 3

// used notes that a folder is needed now, for prune.
func used(dir string) {
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // a cache that can't be written to isn't pruned either
}

// prune removes all but the folders of a part that were needed last, and those whose programs run:
// a lab that is up starts more of them when it is told to.
func (b *Builder) prune(part string) error {
	dirs, err := filepath.Glob(filepath.Join(b.Cache, part+"-*"))
	if err != nil {
		return fmt.Errorf("looking for old programs: %w", err)
	}
	needed := map[string]time.Time{}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err == nil {
			needed[dir] = info.ModTime()
		} else if !errors.Is(err, fs.ErrNotExist) { // another builder may have removed it
			return fmt.Errorf("looking for old programs: %w", err)
		}
	}
	slices.SortFunc(dirs, func(x, y string) int { return needed[y].Compare(needed[x]) })
	for _, dir := range dirs[min(kept, len(dirs)):] {
		if b.runs(dir) {
			continue
		}
		aside := filepath.Join(b.Cache, ".removing-"+filepath.Base(dir)) // so that nobody takes half of it
		if err := os.RemoveAll(aside); err != nil {                      // who removed it before was killed
			return fmt.Errorf("removing old programs: %w", err)
		}
		if err := os.Rename(dir, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing old programs: %w", err)
		}
		if err := os.RemoveAll(aside); err != nil {
			return fmt.Errorf("removing old programs: %w", err)
		}
	}
	return nil
}

// runs reports whether a process runs a program of a folder. Each lab that is up has one of each
// part that it needs: its proxy is the agent.
func (b *Builder) runs(dir string) bool {
	proc := b.Proc
	if proc == "" {
		proc = "/proc"
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	links, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "exe"))
	if err != nil { // the pattern is a good one
		panic(err)
	}
	return slices.ContainsFunc(links, func(link string) bool {
		program, err := os.Readlink(link) // one that has ended has none
		return err == nil && strings.HasPrefix(program, dir+string(filepath.Separator))
	})
}
