package plugins_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// labelledWorld has nodes a (disk=ssd, gen=8), b (disk=hdd, gen=9) and c, bare.
func labelledWorld() *world {
	w := newWorld()
	w.join(cluster.NodeSpec{Name: "a", Labels: labelsOf("disk=ssd,gen=8")})
	w.join(cluster.NodeSpec{Name: "b", Labels: labelsOf("disk=hdd,gen=9")})
	w.join(cluster.NodeSpec{Name: "c"})
	return w
}

// terms reads node selector terms, "disk in ssd & gen gt 7 | name in a"; an empty
// one is "".
func terms(text string) (out []cluster.NodeSelectorTerm) {
	ops := map[string]cluster.Operator{"in": cluster.In, "notin": cluster.NotIn, "exists": cluster.Exists,
		"missing": cluster.DoesNotExist, "gt": cluster.Gt, "lt": cluster.Lt, "unparsable": cluster.Unparsable}
	for part := range strings.SplitSeq(text, "|") {
		var t cluster.NodeSelectorTerm
		for each := range strings.SplitSeq(part, "&") {
			words := strings.Fields(each)
			switch {
			case len(words) == 0:
			case words[0] == "name":
				t.Fields = append(t.Fields, cluster.Requirement{Key: cluster.FieldName, Op: ops[words[1]], Values: words[2:]})
			default:
				t.Labels = append(t.Labels, cluster.Requirement{Key: words[0], Op: ops[words[1]], Values: words[2:]})
			}
		}
		out = append(out, t)
	}
	return out
}

func required(text string) *cluster.NodeSelector { return &cluster.NodeSelector{Terms: terms(text)} }

func TestNodeAffinityFilter(t *testing.T) {
	const added = `{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
		{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}}}`
	tests := []struct {
		name  string
		class cluster.Class
		args  string
		want  string // the nodes that pass; others don't match the pod, those in brackets the scheduler
	}{
		{"nothing asked", cluster.Class{}, "", "a b c"},
		{"a label", cluster.Class{NodeLabels: labelsOf("disk=ssd")}, "", "a"},
		{"two labels", cluster.Class{NodeLabels: labelsOf("disk=ssd,gen=9")}, "", ""},
		{"an empty label value is not an absent one", cluster.Class{NodeLabels: cluster.Labels{{Key: "disk"}}}, "", ""},
		{"a term", cluster.Class{RequiredNode: required("disk in hdd")}, "", "b"},
		{"a term of two", cluster.Class{RequiredNode: required("disk exists & gen gt 8")}, "", "b"},
		{"either of two terms", cluster.Class{RequiredNode: required("disk missing | gen lt 9")}, "", "a c"},
		{"not in matches the absent", cluster.Class{RequiredNode: required("disk notin ssd")}, "", "b c"},
		{"a label and a term", cluster.Class{NodeLabels: labelsOf("disk=ssd"), RequiredNode: required("gen in 9")}, "", ""},
		{"a name", cluster.Class{RequiredNode: required("name in c")}, "", "c"},
		{"not a name", cluster.Class{RequiredNode: required("name notin c")}, "", "a b"},
		{"a name and a label", cluster.Class{RequiredNode: required("name in a & disk in hdd | name in b & disk in hdd")}, "", "b"},
		{"an empty term matches nothing", cluster.Class{RequiredNode: required("")}, "", ""},
		{"no terms match nothing", cluster.Class{RequiredNode: &cluster.NodeSelector{}}, "", ""},
		{"what can't be parsed spoils its term only", cluster.Class{RequiredNode: required("disk unparsable | gen in 8")}, "", "a"},
		{"added", cluster.Class{}, added, "a b [c]"},
		{"added comes first", cluster.Class{NodeLabels: labelsOf("gen=9")}, added, "b [c]"},
		{"added without terms", cluster.Class{}, `{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}`, "[a b c]"},
	}
	words := strings.NewReplacer("3 node(s) didn't match Pod's node affinity/selector", "pod",
		"3 node(s) didn't match scheduler-enforced node affinity", "scheduler")
	for _, tt := range tests {
		got := words.Replace(labelledWorld().filter(t, plugins.NodeAffinity, tt.args, tt.class))
		var want []string
		pass, enforced, _ := strings.Cut(tt.want, "[")
		for _, name := range []string{"a", "b", "c"} {
			switch {
			case strings.Contains(pass, name):
				want = append(want, name+":ok")
			case strings.Contains(enforced, name):
				want = append(want, name+":scheduler")
			default:
				want = append(want, name+":pod")
			}
		}
		if got != strings.Join(want, "\n") {
			t.Errorf("%s: %q; want %q", tt.name, got, strings.Join(want, "\n"))
		}
	}
}

func TestNodeAffinityPreselect(t *testing.T) {
	tests := []struct{ required, want string }{ // want: names, "all" or "conflict"
		{"disk in ssd", "all"},
		{"name in b", "b"},
		{"name in b a", "a b"},
		{"name in b & disk in ssd", "b"},
		{"name in x", "x"}, // there is no such node
		{"name in b | name in a | name in b", "a b"},
		{"name in b | disk in ssd", "all"},
		{"name in b |", "all"},
		{"name notin b", "all"},
		{"name in a & name notin a", "a"},
		{"name notin a & name in a", "a"},
		{"name in a b c & name in b c d & name in c b", "b c"},
		{"name in a & name in b", "conflict"},
		{"name in a & name in b | name in c", "c"},
		{"name in", "conflict"},
		{"", "all"},
	}
	pre := instance[scheduler.Preselector](t, plugins.NodeAffinity, "")
	for _, tt := range tests {
		w := labelledWorld()
		names, restricted, v := pre.Preselect(w.State, w.pending(cluster.Class{RequiredNode: required(tt.required)}, ""))
		got := strings.Join(names, " ")
		switch {
		case v.Code == scheduler.Unresolvable && slices.Equal(v.Reasons, []string{"pod affinity terms conflict"}) && !restricted:
			got += "conflict"
		case v.Code != scheduler.Success:
			t.Errorf("%q: verdict %v", tt.required, v)
		case !restricted:
			got += "all"
		}
		if got != tt.want {
			t.Errorf("%q: %q; want %q", tt.required, got, tt.want)
		}
	}
	w := labelledWorld()
	for _, c := range []cluster.Class{{}, {NodeLabels: labelsOf("disk=ssd")}, {RequiredNode: &cluster.NodeSelector{}}} {
		if names, restricted, v := pre.Preselect(w.State, w.pending(c, "")); names != nil || restricted || v.Code != scheduler.Success {
			t.Errorf("%v: names %v, restricted %t, verdict %v", c, names, restricted, v)
		}
	}
}

func TestNodeAffinityScore(t *testing.T) {
	prefer := func(weights []int32, text string) (out []cluster.PreferredTerm) {
		for i, term := range terms(text) {
			out = append(out, cluster.PreferredTerm{Weight: weights[i], NodeSelectorTerm: term})
		}
		return out
	}
	const added = `{"addedAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
		{"weight": 0, "preference": {"matchExpressions": [{"key": "", "operator": "isn't looked at"}]}},
		{"weight": 5, "preference": {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["a"]}]}}]}}`
	tests := []struct {
		name  string
		class cluster.Class
		args  string
		want  string
	}{
		{"nothing preferred", cluster.Class{}, "", ""},
		{"nothing that matches", cluster.Class{Preferred: prefer([]int32{1}, "disk in tape")}, "", "a:0/0 b:0/0 c:0/0"},
		// 100*4/7 = 57.1 → 57, 100*3/7 = 42.8 → 42
		{"sums", cluster.Class{Preferred: prefer([]int32{4, 3}, "disk exists | gen gt 8")}, "", "a:4/57 b:7/100 c:0/0"},
		{"a name", cluster.Class{Preferred: prefer([]int32{100}, "name in c")}, "", "a:0/0 b:0/0 c:100/100"},
		{"an empty term", cluster.Class{Preferred: prefer([]int32{9, 1}, "| gen in 8")}, "", "a:1/100 b:0/0 c:0/0"},
		{"added", cluster.Class{}, added, "a:0/0 b:5/100 c:5/100"},
		// a: 2, b: 5 + 2 = 7, c: 5; 100*2/7 = 28.5, 100*5/7 = 71.4
		{"added to the pod's", cluster.Class{Preferred: prefer([]int32{2}, "disk exists")}, added, "a:2/28 b:7/100 c:5/71"},
	}
	for _, tt := range tests {
		if got := labelledWorld().score(t, plugins.NodeAffinity, tt.args, tt.class); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

func TestNodeAffinityArgs(t *testing.T) {
	added := func(requirement string) string {
		return `{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [` + requirement + `]}}}`
	}
	label := func(r string) string { return added(`{"matchExpressions": [` + r + `]}`) }
	field := func(r string) string { return added(`{"matchFields": [` + r + `]}`) }
	tests := []struct{ args, words string }{
		{label(`{"key": "k", "operator": "Is"}`), `unknown operator "Is"`},
		{label(`{"operator": "Exists"}`), `key "" is no label name`},
		{label(`{"key": "k", "operator": "In"}`), "k In has no values"},
		{label(`{"key": "k", "operator": "NotIn"}`), "k NotIn has no values"},
		{label(`{"key": "k", "operator": "Exists", "values": ["v"]}`), "it takes none"},
		{label(`{"key": "k", "operator": "DoesNotExist", "values": ["v"]}`), "it takes none"},
		{label(`{"key": "k", "operator": "Gt", "values": []}`), "k Gt has 0 values"},
		{label(`{"key": "k", "operator": "Lt", "values": ["1", "2"]}`), "k Lt has 2 values"},
		{label(`{"key": "k", "operator": "Gt", "values": ["1.5"]}`), "no whole number"},
		{label(`{"key": "k", "operator": "Gt", "values": ["1A"]}`), "no whole number"},
		{label(`{"key": "k", "operator": "Lt", "values": ["9223372036854775808"]}`), "no whole number"},
		{label(`{"key": "a b", "operator": "Exists"}`), "no label name"},
		{label(`{"key": "A/b", "operator": "Exists"}`), "DNS subdomain"},
		{label(`{"key": "k", "operator": "In", "values": ["a b"]}`), "no label value"},
		{label(`{"key": "k", "operator": "Gt", "values": ["-1"]}`), "no label value"},
		{field(`{"key": "metadata.name", "operator": "Exists"}`), "must be In or NotIn"},
		{field(`{"key": "metadata.name", "operator": "In", "values": ["a", "b"]}`), "has 2 values"},
		{field(`{"key": "metadata.name", "operator": "NotIn", "values": []}`), "has 0 values"},
		{`{"addedAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
			{"weight": 1, "preference": {"matchExpressions": [{"key": "k", "operator": "In"}]}}]}}`, "preferredDuring"},
		{`{"added": {}}`, "added"},
	}
	for _, tt := range tests {
		refuses(t, plugins.NodeAffinity, tt.args, tt.words)
	}
}

func TestNodeAffinityAddedOperators(t *testing.T) {
	for requirement, want := range map[string]string{
		`"key": "gen", "operator": "Gt", "values": ["7"]`:       "a b",
		`"key": "gen", "operator": "Lt", "values": ["9"]`:       "a",
		`"key": "disk", "operator": "In", "values": ["ssd"]`:    "a",
		`"key": "disk", "operator": "NotIn", "values": ["hdd"]`: "a c",
		`"key": "disk", "operator": "Exists"`:                   "a b",
		`"key": "disk", "operator": "DoesNotExist"`:             "c",
	} {
		args := `{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
			{"matchExpressions": [{` + requirement + `}]}]}}}`
		var got []string
		for line := range strings.Lines(labelledWorld().filter(t, plugins.NodeAffinity, args, cluster.Class{})) {
			if name, ok := strings.CutSuffix(strings.TrimSpace(line), ":ok"); ok {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("added %s: %v pass; want %s", requirement, got, want)
		}
	}
}
