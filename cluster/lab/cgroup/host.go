//go:build linux

// Package cgroup makes, limits, empties and removes the control groups that a lab's programs
// live in. A group is how the lab finds its programs again, also after the program that started
// them was killed; and it is what a node container takes for the whole machine.
//
// It works with version 1 (each controller a hierarchy of its own), with hybrid machines, which
// count as version 1 because the kubelet then uses that, and with version 2.
package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A Host is where the machine's hierarchies are mounted.
type Host struct {
	Unified bool        // one hierarchy of version 2, and none of version 1
	Trees   []Hierarchy // sorted by mount point; a single one if Unified
}

// A Hierarchy is one tree of groups.
type Hierarchy struct {
	Mount   string // where it is mounted
	Options string // that mount(2) needs to mount it again: "cpu,cpuacct" or "none,name=systemd"; "" for version 2
}

// Has reports whether the hierarchy is the one of a version 1 controller.
func (h Hierarchy) Has(controller string) bool {
	return slices.Contains(strings.Split(h.Options, ","), controller)
}

// Detect finds the hierarchies of the machine.
func Detect() (Host, error) {
	own, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return Host{}, fmt.Errorf("finding cgroups: %w", err)
	}
	defer own.Close()
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return Host{}, fmt.Errorf("finding cgroups: %w", err)
	}
	defer mounts.Close()
	return read(own, mounts)
}

// read is Detect on the texts of /proc/PID/cgroup, which names the hierarchies, and
// /proc/PID/mountinfo, which says where they are mounted.
func read(own, mounts io.Reader) (Host, error) {
	mounted, err := readMounts(mounts)
	if err != nil {
		return Host{}, err
	}
	var host Host
	lines := bufio.NewScanner(own)
	for lines.Scan() {
		id, rest, _ := strings.Cut(lines.Text(), ":")
		controllers, _, ok := strings.Cut(rest, ":")
		if !ok || id == "0" { // 0 is version 2's
			continue
		}
		where := slices.IndexFunc(mounted, func(m cgroupMount) bool { return m.version == 1 && m.holds(controllers) })
		if where < 0 { // known to the kernel, but mounted nowhere: nobody can use it
			continue
		}
		options := controllers
		if strings.HasPrefix(controllers, "name=") {
			options = "none," + controllers
		}
		host.Trees = append(host.Trees, Hierarchy{mounted[where].point, options})
	}
	if err := lines.Err(); err != nil {
		return Host{}, fmt.Errorf("finding cgroups: %w", err)
	}
	if len(host.Trees) == 0 {
		where := slices.IndexFunc(mounted, func(m cgroupMount) bool { return m.version == 2 })
		if where < 0 {
			return Host{}, errors.New("no cgroup hierarchy is mounted: mount cgroup2 on /sys/fs/cgroup")
		}
		return Host{Unified: true, Trees: []Hierarchy{{Mount: mounted[where].point}}}, nil
	}
	slices.SortFunc(host.Trees, func(a, b Hierarchy) int { return strings.Compare(a.Mount, b.Mount) })
	return host, nil
}

// A cgroupMount is a mounted hierarchy.
type cgroupMount struct {
	version int
	point   string
	options []string
}

// holds reports whether the mount is the hierarchy of all of some controllers.
func (m cgroupMount) holds(controllers string) bool {
	for c := range strings.SplitSeq(controllers, ",") {
		if !slices.Contains(m.options, c) {
			return false
		}
	}
	return true
}

// readMounts finds the mounted hierarchies, in the form of proc(5).
func readMounts(r io.Reader) (found []cgroupMount, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, source := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(source) < 3 {
			continue
		}
		m := cgroupMount{point: unescape.Replace(fields[4]), options: strings.Split(source[2], ",")}
		switch source[0] {
		case "cgroup":
			m.version = 1
		case "cgroup2":
			m.version = 2
		default:
			continue
		}
		found = append(found, m)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading mounts: %w", err)
	}
	return found, nil
}

// unescape undoes what proc(5) does to white space in paths.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
