package traces

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// TestGoogleConstraints has two tasks that ask for the same in different order, one that is
// changed when it is there, which isn't followed, and one that asks for something else when
// it comes again.
func TestGoogleConstraints(t *testing.T) {
	tr := open(t, smallGoogleTasks+"?constraints=node")
	p := read(t, tr.Events(1))
	var got []string
	for _, n := range p.nodes {
		var labels []string
		for _, l := range n.Labels {
			if strings.HasPrefix(l.Key, "attribute-") {
				labels = append(labels, l.Key+"="+l.Value)
			}
		}
		got = append(got, n.Name+" "+strings.Join(labels, " "))
	}
	for _, a := range p.pods {
		var on []string
		for _, n := range p.nodes {
			if a.pod.Class.RequiredNode.Matches(n.Name, n.Labels) {
				on = append(on, n.Name)
			}
		}
		got = append(got, fmt.Sprintf("%s %v on %v", a.pod.Name, a.pod.Class.RequiredNode.Terms, on))
	}
	checkText(t, strings.Join(got, "\n"), `
machine-5 attribute-1=2 attribute-2=value-1 attribute-3=
machine-10 attribute-1=10
machine-6 attribute-2=value-2
job-7-0 [{[{attribute-1 4 [1]} {attribute-2 1 [value-2]}] []}] on [machine-5 machine-10]
job-7-1 [{[{attribute-1 4 [1]} {attribute-2 1 [value-2]}] []}] on [machine-5 machine-10]
job-9-0 [{[{attribute-3 3 []}] []}] on [machine-10 machine-6]
job-9-0-again-1 [{[{attribute-3 2 []} {attribute-2 0 [value-1]}] []}] on [machine-5]`)
	if p.pods[0].pod.Class != p.pods[1].pod.Class {
		t.Error("tasks that ask for the same are of two classes")
	}
	for _, want := range []string{"an attribute that changed later", "of a machine that wasn't there when it began", "compares the order of what are no numbers"} {
		rows := 0
		for _, r := range tr.Rejected {
			if r.Reason == want {
				rows = r.Rows
			}
		}
		if rows != 1 {
			t.Errorf("%d rows are rejected as %s", rows, want)
		}
	}
	if want := 18 + 10 + 9 + 9; tr.Rows != want {
		t.Errorf("%d rows, want %d", tr.Rows, want)
	}
}

func TestGoogleConstraintOperators(t *testing.T) {
	there, other, none := cluster.Labels{{Key: "a", Value: "5"}}, cluster.Labels{{Key: "a", Value: "x"}}, cluster.Labels(nil)
	for _, tt := range []struct {
		operator int64
		value    string
		want     [3]bool // of a machine with 5, with x, and without
	}{
		{googleEqual, "5", [3]bool{true, false, false}},
		{googleNotEqual, "5", [3]bool{false, true, true}},
		{googleEqual, "", [3]bool{false, false, true}},
		{googleNotEqual, "", [3]bool{true, true, false}},
		{googleLess, "6", [3]bool{true, false, false}},
		{googleLess, "5", [3]bool{false, false, false}},
		{googleGreater, "4", [3]bool{true, false, false}},
		{googleGreater, "5", [3]bool{false, false, false}},
	} {
		q := requirement("a", tt.operator, tt.value)
		if got := [3]bool{q.Matches(there), q.Matches(other), q.Matches(none)}; got != tt.want {
			t.Errorf("operator %d of %q: %v, want %v", tt.operator, tt.value, got, tt.want)
		}
	}
}

var badGoogleConstraints = []struct {
	attributes    bool
	content, want string
}{
	{true, "0,5,a\n", "f:1: 3 fields; give 5, time, machine ID, attribute name, attribute value, attribute deleted"},
	{true, "x,5,a,1,0\n", `f:1: time is "x"; give a whole number from 0 to 9223372036854775807`},
	{true, "0,x,a,1,0\n", `f:1: machine ID is "x"; give a whole number from 0 to 9223372036854775807`},
	{true, "0,5,,1,0\n", `f:1: attribute name is ""; give the name of an attribute`},
	{true, "0,5,a,1,2\n", `f:1: attribute deleted is "2"; give a whole number from 0 to 1`},
	{false, "0,5,a\n", "f:1: 3 fields; give 6, time, job ID, task index, comparison operator, attribute name, attribute value"},
	{false, "5,9,0,0,a,1\n4,9,0,0,a,1\n", `f:2: time is "4"; a row before has 5: sort the rows by time`},
	{false, "x,9,0,0,a,1\n", `f:1: time is "x"; give a whole number from 0 to 9223372036854775807`},
	{false, "0,x,0,0,a,1\n", `f:1: job ID is "x"; give a whole number from 0 to 9223372036854775807`},
	{false, "0,9,x,0,a,1\n", `f:1: task index is "x"; give a whole number from 0 to 9223372036854775807`},
	{false, "0,9,0,4,a,1\n", `f:1: comparison operator is "4"; give a whole number from 0 to 3`},
	{false, "0,9,0,0,,1\n", `f:1: attribute name is ""; give the name of an attribute`},
}

// readGoogleConstraints reads content as attributes of machines 0 to 9, or as constraints.
func readGoogleConstraints(attributes bool, content []byte) (*googleTaskReader, []*cluster.NodeSpec, error) {
	r := newGoogleTaskReader(&Machines{zones: 3, cpu: 64_000, memory: 1 << 38}, "none")
	r.constraints = newGoogleConstraintReader()
	var nodes []*cluster.NodeSpec
	for i := range 10 {
		nodes = append(nodes, machine{name: fmt.Sprintf("machine-%d", i), cpu: 1000}.node())
	}
	r.constraints.know(nodes)
	columns, row := googleConstraintColumns, r.constraints.constraint
	if attributes {
		columns, row = googleAttributeColumns, r.constraints.attribute
	}
	err := readContent(content, r.rowsOf(columns, row))
	r.constraints.label(nodes)
	return r, nodes, err
}

func TestGoogleConstraintsFail(t *testing.T) {
	for _, tt := range badGoogleConstraints {
		if _, _, err := readGoogleConstraints(tt.attributes, []byte(tt.content)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot  %v\nwant %s", tt.content, err, tt.want)
		}
	}
	checkError(t, "google2011:testdata/google2019?constraints=node", "testdata/google2019: no part-*.csv or .csv.gz in the folder; give the folder that contains machine_events")
}

func FuzzGoogleConstraints(f *testing.F) {
	for _, bad := range badGoogleConstraints {
		f.Add(bad.attributes, []byte(bad.content))
	}
	f.Add(true, []byte("0,5,a,1,0\n0,5,b,x,0\n0,5,a,1,1\n"))
	f.Add(false, []byte("0,9,0,0,a,1\n0,9,0,3,a,1\n0,9,1,1,b,\n5,9,0,2,a,1\n"))
	f.Fuzz(func(t *testing.T, attributes bool, content []byte) {
		r, nodes, err := readGoogleConstraints(attributes, content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		c := r.constraints
		selectors := c.requirements.selectors()
		for i := range c.versions.count {
			set := c.versions.at(i).set
			if set == 0 {
				t.Fatalf("version %d asks for nothing", i)
			}
			for _, q := range selectors[set-1].Terms[0].Labels {
				if !strings.HasPrefix(q.Key, "attribute-") || (len(q.Values) == 0) != (q.Op == cluster.Exists || q.Op == cluster.DoesNotExist) {
					t.Errorf("requirement %+v", q)
				}
			}
		}
		s := cluster.NewState()
		for _, n := range nodes {
			s.Observe(0, []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: n}}) // panics at what it must not get
		}
	})
}
