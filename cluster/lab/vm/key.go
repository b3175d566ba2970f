//go:build linux

package vm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
)

// A key is the hash of all that a result is made of: what is made of the same is the same.
type key struct{ hash hash.Hash }

// newKey begins with words, the first of which changes whenever the making does.
func newKey(words ...string) *key {
	k := &key{sha256.New()}
	for _, w := range words {
		k.word(w)
	}
	return k
}

// word adds a string, with its length, so that no two lists of words read alike.
func (k *key) word(s string) { fmt.Fprintf(k.hash, "%d %s", len(s), s) }

// file adds a file's content and permissions, not where it lies.
func (k *key) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintf(k.hash, "%d %o ", info.Size(), info.Mode().Perm())
	_, err = io.Copy(k.hash, f)
	return err
}

// String returns enough of the hash for a file's name.
func (k *key) String() string { return hex.EncodeToString(k.hash.Sum(nil)[:8]) }

// addTo adds a disk's whole content to a key.
func (l *layout) addTo(k *key) error {
	for _, f := range l.folders {
		k.word(f)
	}
	for _, m := range []map[string]string{l.links, l.texts} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			k.word(name)
			k.word(m[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		k.word(name)
		if err := k.file(l.files[name]); err != nil {
			return err
		}
	}
	return nil
}
