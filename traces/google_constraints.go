package traces

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// Where a recording has attributes of machines, and what tasks ask of them.
const (
	googleAttributeFolder  = "machine_attributes"
	googleConstraintFolder = "task_constraints"
)

// Columns of both, by the names of the recording's schema.csv.
var (
	googleAttributeColumns  = []string{"time", "machine ID", "attribute name", "attribute value", "attribute deleted"}
	googleConstraintColumns = []string{"time", "job ID", "task index", "comparison operator", "attribute name", "attribute value"}
)

// Comparison operators of constraints.
const (
	googleEqual = iota
	googleNotEqual
	googleLess
	googleGreater
)

// A googleConstraintReader takes attributes of machines in, which become labels of nodes,
// and constraints of tasks, which become a required node affinity. Attributes' names are
// hashed, and so are values that aren't numbers; neither can be part of a label as it is,
// so that they are numbered in order of first appearance.
type googleConstraintReader struct {
	names, values map[string]string // what hashes are called here
	attributes    map[string]map[string]string
	last          int64 // the time of the last row of constraints, in µs
	requirements  requirementSets
	of            map[googleTask]int32    // where versions has the last of each task
	versions      list[googleRequirement] // of what each task asks for
}

// A googleRequirement is the set of what a task asks for from some time on.
type googleRequirement struct {
	at     int64 // µs
	set    int32
	before int32 // the task's version before, -1 for none
}

func newGoogleConstraintReader() *googleConstraintReader {
	return &googleConstraintReader{
		names: map[string]string{}, values: map[string]string{},
		attributes: map[string]map[string]string{}, of: map[googleTask]int32{},
	}
}

// know names the machines that are nodes: attributes of others are nothing to anyone.
func (r *googleConstraintReader) know(nodes []*cluster.NodeSpec) {
	for _, n := range nodes {
		r.attributes[n.Name] = map[string]string{}
	}
}

// attribute takes a row of a machine's attributes in.
func (r *googleConstraintReader) attribute(t *table) (reason string, err error) {
	const timeAt, machineAt, nameAt, valueAt, deletedAt column = 0, 1, 2, 3, 4
	at, err := t.amount(timeAt, math.MaxInt64)
	if err != nil {
		return "", err
	}
	id, err := t.amount(machineAt, math.MaxInt64)
	if err != nil {
		return "", err
	}
	deleted, err := t.amount(deletedAt, 1)
	if err != nil {
		return "", err
	}
	if column := t.empty(nameAt); column != "" {
		return "", t.wrongField(nameAt, "give the name of an attribute")
	}
	if at > int64(googleStart/microsecond) {
		return "an attribute that changed later", nil
	}
	of := r.attributes["machine-"+strconv.FormatInt(id, 10)]
	if of == nil {
		return "of a machine that wasn't there when it began", nil
	}
	if name := r.name(t.text(nameAt)); deleted == 1 {
		delete(of, name)
	} else {
		of[name] = r.value(t.text(valueAt))
	}
	return "", nil
}

// name returns the key of the label that an attribute is.
func (r *googleConstraintReader) name(hash string) string {
	return called(r.names, "attribute-", hash)
}

// value returns the value of the label of an attribute.
func (r *googleConstraintReader) value(text string) string {
	if _, ok := parseInt(text); ok || text == "" {
		return strings.Clone(text)
	}
	return called(r.values, "value-", text)
}

// called returns what a hash is called: a text and a number, by order of first appearance.
func called(known map[string]string, text, hash string) string {
	name, ok := known[hash]
	if !ok {
		name = text + strconv.Itoa(len(known)+1)
		known[strings.Clone(hash)] = name
	}
	return name
}

// label gives nodes the labels that machines' attributes are.
func (r *googleConstraintReader) label(nodes []*cluster.NodeSpec) {
	for _, n := range nodes {
		labels := r.attributes[n.Name]
		for _, l := range n.Labels {
			labels[l.Key] = l.Value
		}
		n.Labels = cluster.MakeLabels(labels)
	}
}

// constraint takes a row of what a task asks for in. Rows of a time belong together; a
// later one says anew what the task asks for.
func (r *googleConstraintReader) constraint(t *table) (reason string, err error) {
	const timeAt, jobAt, indexAt, operatorAt, nameAt, valueAt column = 0, 1, 2, 3, 4, 5
	at, err := t.amount(timeAt, math.MaxInt64)
	if err != nil {
		return "", err
	}
	if at < r.last {
		return "", t.wrongField(timeAt, fmt.Sprintf("a row before has %d: sort the rows by time", r.last))
	}
	r.last = at
	var task googleTask
	if task.job, err = t.amount(jobAt, math.MaxInt64); err != nil {
		return "", err
	}
	if task.index, err = t.amount(indexAt, math.MaxInt64); err != nil {
		return "", err
	}
	operator, err := t.amount(operatorAt, googleGreater)
	if err != nil {
		return "", err
	}
	if t.text(nameAt) == "" {
		return "", t.wrongField(nameAt, "give the name of an attribute")
	}
	value := t.text(valueAt)
	if _, number := parseInt(value); operator >= googleLess && !number {
		return "compares the order of what are no numbers", nil
	}
	n := r.version(task, at)
	n.set = r.requirements.with(n.set, requirement(r.name(t.text(nameAt)), operator, r.value(value)))
	return "", nil
}

// version returns what a task asks for from a time on, which is nothing yet if there is no
// row of that time before.
func (r *googleConstraintReader) version(task googleTask, at int64) *googleRequirement {
	before, known := r.of[task]
	if known {
		if last := r.versions.at(int(before)); last.at == at {
			return last
		}
	} else {
		before = -1
	}
	n := int32(r.versions.count)
	r.versions.add(googleRequirement{at: at, before: before})
	r.of[task] = n
	return r.versions.at(int(n))
}

// asked returns the set of what a task asks for that is submitted at a time, 0 if that is
// nothing.
func (r *googleConstraintReader) asked(task googleTask, at int64) int32 {
	n, known := r.of[task]
	for known && n >= 0 {
		v := r.versions.at(int(n))
		if v.at <= at {
			return v.set
		}
		n = v.before
	}
	return 0
}

// requirement makes what a constraint is of a node's labels. To be equal to nothing is not
// to have the attribute, and to differ from it is to have it, with whatever value. A machine
// without the attribute differs from every value, and is neither above nor below one.
func requirement(key string, operator int64, value string) cluster.Requirement {
	q := cluster.Requirement{Key: key, Values: []string{value}}
	switch {
	case operator == googleLess:
		q.Op = cluster.Lt
	case operator == googleGreater:
		q.Op = cluster.Gt
	case value == "" && operator == googleEqual:
		q.Op, q.Values = cluster.DoesNotExist, nil
	case value == "":
		q.Op, q.Values = cluster.Exists, nil
	case operator == googleNotEqual:
		q.Op = cluster.NotIn
	}
	return q
}

// requirementSets numbers sets of requirements, from 1; 0 is the empty one. Tasks come by
// the million, and there are few sets.
type requirementSets struct {
	all     []cluster.Requirement // those that there are
	numbers map[string]int32      // in all, by their text
	sets    [][]int32             // of numbers, in ascending order; the first is set 1
	known   map[string]int32      // sets by their members
	grown   map[[2]int32]int32    // the set that one becomes with a requirement more
}

// with returns the set that has q beside what another has.
func (s *requirementSets) with(set int32, q cluster.Requirement) int32 {
	if s.numbers == nil {
		s.numbers, s.known, s.grown = map[string]int32{}, map[string]int32{}, map[[2]int32]int32{}
	}
	text := fmt.Sprintf("%d %s %q", q.Op, q.Key, q.Values)
	n, ok := s.numbers[text]
	if !ok {
		n = int32(len(s.all))
		s.numbers[text] = n
		s.all = append(s.all, q)
	}
	if grown, ok := s.grown[[2]int32{set, n}]; ok {
		return grown
	}
	var members []int32
	if set > 0 {
		members = slices.Clone(s.sets[set-1])
	}
	if at, has := slices.BinarySearch(members, n); !has {
		members = slices.Insert(members, at, n)
	}
	var key []byte
	for _, m := range members {
		key = binary.AppendUvarint(key, uint64(m))
	}
	grown, ok := s.known[string(key)]
	if !ok {
		s.sets = append(s.sets, members)
		grown = int32(len(s.sets))
		s.known[string(key)] = grown
	}
	s.grown[[2]int32{set, n}] = grown
	return grown
}

// selectors returns the selector of nodes that each set is; the first is that of set 1.
func (s *requirementSets) selectors() []*cluster.NodeSelector {
	all := make([]*cluster.NodeSelector, len(s.sets))
	for i, members := range s.sets {
		var term cluster.NodeSelectorTerm
		for _, n := range members {
			term.Labels = append(term.Labels, s.all[n])
		}
		all[i] = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{term}}
	}
	return all
}
