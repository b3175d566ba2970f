package traces

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/berthsim/berth/cluster"
)

// LeastKey is how many bytes a key has at least, so that nobody finds names by trying
// keys.
const LeastKey = 16

// pseudonymBytes is how much of a MAC a pseudonym shows: among a hundred million names
// two are alike with a probability of 4 in a billion.
const pseudonymBytes = 10

// Anonymise returns a workload with pseudonyms for names: of pods, nodes, namespaces,
// owners, containers, images, priority classes, objects and addresses, and for values
// of labels. The same key makes the same pseudonym of the same name, in whatever
// workload and wherever it stands, so that what belonged together still does, and a
// label with a node's name has that node's pseudonym. Who hasn't the key can't tell
// whether a pseudonym is that of a name (HMAC-SHA256).
//
// What stays: times, amounts, keys of labels and taints, names of resources, models of
// GPUs, names of schedulers and features, kinds of owners. Values of labels that some
// pod compares as numbers stay where they are whole numbers; open is read once before
// to find them.
func Anonymise(open func() Stream, key []byte) (Stream, error) {
	if len(key) < LeastKey {
		return nil, fmt.Errorf("the key has %d bytes; give one of %d or more, of random ones", len(key), LeastKey)
	}
	numeric, err := comparedKeys(open())
	if err != nil {
		return nil, err
	}
	pseudonym := pseudonyms(key)
	isNumber := func(key, value string) bool {
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil && numeric[key]
	}
	value := func(key, value string) string {
		if isNumber(key, value) {
			return value
		}
		return pseudonym(value)
	}
	r := &renaming{
		node: pseudonym, namespace: pseudonym, pod: pseudonym, owner: pseudonym, other: pseudonym,
		value: value, bound: value,
	}
	a := &anonymous{open(), r}
	return &itemStream{next: a.next}, nil
}

// pseudonyms returns the function that makes pseudonyms with a key: letters and digits,
// the first a letter, so that they can stand wherever Kubernetes takes a name.
func pseudonyms(key []byte) func(string) string {
	mac := hmac.New(sha256.New, key)
	digits := base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	var sum [sha256.Size]byte
	var text [1 + pseudonymBytes*8/5]byte
	text[0] = 'x'
	return func(name string) string {
		mac.Reset()
		mac.Write([]byte(name))
		digits.Encode(text[1:], mac.Sum(sum[:0])[:pseudonymBytes])
		return string(text[:])
	}
}

// anonymous yields what has pseudonyms.
type anonymous struct {
	from Stream
	r    *renaming
}

// next returns what comes next. Reasons are free text, and go.
func (a *anonymous) next() (item, error) {
	i, err := nextItem(a.from)
	switch {
	case err != nil:
		return item{}, err
	case i.note == nil:
		a.r.event(&i.event)
		i.event.Reason = ""
		return i, nil
	}
	a.r.note(i.note)
	if i.note.Gap != nil {
		gap := *i.note.Gap
		gap.Reason = ""
		i.note.Gap = &gap
	}
	return i, nil
}

// comparedKeys returns the keys of labels that pods compare as numbers.
func comparedKeys(s Stream) (map[string]bool, error) {
	keys, seen := map[string]bool{}, map[*cluster.Class]bool{}
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		if e.PodSpec == nil || e.PodSpec.Class == nil || seen[e.PodSpec.Class] {
			continue
		}
		c := e.PodSpec.Class
		seen[c] = true
		var terms []cluster.NodeSelectorTerm
		if c.RequiredNode != nil {
			terms = append(terms, c.RequiredNode.Terms...)
		}
		for i := range c.Preferred {
			terms = append(terms, c.Preferred[i].NodeSelectorTerm)
		}
		for _, t := range terms {
			for _, q := range t.Labels {
				if q.Op == cluster.Gt || q.Op == cluster.Lt {
					keys[q.Key] = true
				}
			}
		}
	}
}
