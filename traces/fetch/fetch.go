// Package fetch downloads public traces: files whose hashes are known before, so that
// what was recorded is what is read, wherever it comes from.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Getter downloads files.
type Getter struct {
	Client *http.Client  // nil for one that gives up on servers that don't answer
	Stall  time.Duration // how long nothing may come in the midst of a file; a minute if it is 0

	// Progress, if set, is told how much of a file there is.
	Progress func(file string, done, total int64)
}

// partial is what the name of a file ends in that isn't whole yet. It stays if a
// download is interrupted, and the next one goes on from there.
const partial = ".partial"

// attempts is how often a file is asked for while each time brings more of it.
const attempts = 5

// An ExistsError says that another file is where one is to be.
type ExistsError struct{ File string }

// Error returns one line, with what to do.
func (e *ExistsError) Error() string {
	return e.File + " is there, and is not the file to be fetched; move it away, or give another folder with --to"
}

// A ContentError says that a server sent something else than what is known by the hash.
type ContentError struct{ File, URL, Got, Want string }

// Error returns one line, with what to do.
func (e *ContentError) Error() string {
	return fmt.Sprintf("%s: what %s sends has the hash %s, not %s, so it was thrown away; tell Berth's maintainers, or get the file elsewhere", e.File, e.URL, e.Got, e.Want)
}

// Get makes dir have all files of a dataset. Those that are there are not fetched again.
// A file is written beside its place, and moved there once its hash is right.
func (g *Getter) Get(ctx context.Context, d *Dataset, dir string) error {
	for i := range d.Files {
		if err := g.file(ctx, &d.Files[i], dir); err != nil {
			return err
		}
	}
	return nil
}

// file makes dir have one file.
func (g *Getter) file(ctx context.Context, f *File, dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	sum, size, err := hashOf(path)
	switch {
	case err == nil && size == f.Bytes && sum == f.SHA256:
		g.tell(f, f.Bytes)
		return nil
	case err == nil:
		return &ExistsError{path}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("looking for %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("making room for %s: %w", f.Name, err)
	}
	resumed, err := g.whole(ctx, f, path+partial)
	if wrong := (*ContentError)(nil); errors.As(err, &wrong) && resumed { // of another download, perhaps
		_, err = g.whole(ctx, f, path+partial)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(path+partial, path); err != nil {
		return fmt.Errorf("moving %s to its place: %w", f.Name, err)
	}
	return nil
}

func hashOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func (g *Getter) tell(f *File, done int64) {
	if g.Progress != nil {
		g.Progress(f.Name, done, f.Bytes)
	}
}

// A download is a file that is being written.
type download struct {
	file *os.File
	hash hash.Hash
	done int64
}

// whole downloads all of f that isn't at path yet, and checks it. It returns whether
// something was there before. What is wrong is removed.
func (g *Getter) whole(ctx context.Context, f *File, path string) (resumed bool, err error) {
	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", f.Name, err)
	}
	defer func() {
		if closing := out.Close(); err == nil && closing != nil {
			err = fmt.Errorf("writing %s: %w", f.Name, closing)
		}
	}()
	d := &download{file: out, hash: sha256.New()}
	if d.done, err = io.Copy(d.hash, out); err != nil {
		return false, fmt.Errorf("reading what there is of %s: %w", f.Name, err)
	}
	resumed = d.done > 0
	if d.done > f.Bytes {
		if err := d.restart(); err != nil {
			return resumed, err
		}
	}
	for try := 1; d.done < f.Bytes; try++ {
		before := d.done
		if err := g.more(ctx, f, d); err != nil {
			if ctx.Err() != nil {
				return resumed, ctx.Err()
			}
			if final := (*statusError)(nil); errors.As(err, &final) {
				return resumed, fmt.Errorf("fetching %s: %w; try again later, or get the file elsewhere", f.Name, err)
			}
			if try < attempts && d.done > before {
				continue
			}
			return resumed, fmt.Errorf("fetching %s: %w; %d of %d bytes are there: run it again, and it goes on from there", f.Name, oneCause(err), d.done, f.Bytes)
		}
	}
	if got := hex.EncodeToString(d.hash.Sum(nil)); got != f.SHA256 {
		wrong := &ContentError{f.Name, f.URL, got, f.SHA256}
		if err := os.Remove(path); err != nil {
			return resumed, fmt.Errorf("%w, and it is still there: %w", wrong, err)
		}
		return resumed, wrong
	}
	if err := out.Sync(); err != nil {
		return resumed, fmt.Errorf("writing %s: %w", f.Name, err)
	}
	return resumed, nil
}

// oneCause is an error of net/http without the method and address, which are known.
func oneCause(err error) error {
	if opErr := (*net.OpError)(nil); errors.As(err, &opErr) {
		return opErr
	}
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		return dns
	}
	if strings.Contains(err.Error(), "unexpected EOF") {
		return errors.New("the connection broke")
	}
	return err
}

// restart forgets what was downloaded.
func (d *download) restart() error {
	d.hash.Reset()
	d.done = 0
	if err := d.file.Truncate(0); err != nil {
		return fmt.Errorf("beginning anew: %w", err)
	}
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("beginning anew: %w", err)
	}
	return nil
}
