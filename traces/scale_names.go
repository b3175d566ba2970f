package traces

import (
	"strconv"
	"strings"
)

// copyKind tells apart what copies' names are made by: classes of namespaces that are
// copied as a whole become other ones than those of jobs.
type copyKind struct {
	kind string
	copy int
}

// copyNames gives the i-th copies of groups their names: what it was, and "-copy-i". The
// copy of a namespace is another namespace, in which names are as they were. In that of
// a job, pods, their owner and labels with its name are called otherwise; in that of a
// user, labels with the user's name, too.
type copyNames struct {
	renaming
	group  group // of the event that is renamed
	suffix string
}

func newCopyNames(suffix string, i int) *copyNames {
	n := &copyNames{suffix: suffix + strconv.Itoa(i)}
	n.namespace = func(name string) string {
		if n.group.kind == "namespace" && name == n.group.namespace {
			return name + n.suffix
		}
		return name
	}
	within := func(name string) string {
		if n.group.kind == "namespace" {
			return name
		}
		return name + n.suffix
	}
	n.pod, n.owner = within, within
	n.value = func(key, value string) string {
		if n.named(key, value) {
			return value + n.suffix
		}
		return value
	}
	return n
}

// copyWord is what the names of copies have in them; behind it stand the level, if it
// isn't the first, and a dash.
const copyWord = "-copy"

// copySuffix returns what the names of copies end in, before the number, where there are
// names of a level: so copies of a workload that has copies are called otherwise.
func copySuffix(level int) string {
	if level == 0 {
		return copyWord + "-"
	}
	return copyWord + strconv.Itoa(level+1) + "-"
}

// copyLevel returns the highest level in a name; 0 if it isn't that of a copy.
func copyLevel(name string) (level int) {
	for {
		_, rest, found := strings.Cut(name, copyWord)
		if !found {
			return level
		}
		digits, _, dash := strings.Cut(rest, "-")
		if n, err := strconv.Atoi(digits); dash && (digits == "" || err == nil && n > 1 && n < 1e6) {
			level = max(level, n, 1)
		}
		name = rest
	}
}

// named reports whether a label's value is the name of what is copied.
func (n *copyNames) named(key, value string) bool {
	switch n.group.kind {
	case "namespace":
		return key == namespaceLabel && value == n.group.namespace
	case "user":
		return key == userLabel && value == n.group.name
	}
	_, job, _ := strings.Cut(n.group.name, "/")
	return value == job
}
