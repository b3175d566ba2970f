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

func newCopyNames(i int) *copyNames {
	n := &copyNames{suffix: "-copy-" + strconv.Itoa(i)}
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
