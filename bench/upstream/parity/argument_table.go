package parity

import (
	"fmt"
	"strings"
)

// argumentTable lists what plugins are given: values at and beside every bound that either side
// checks.
func argumentTable() (cases []ArgumentCase) {
	for _, of := range []struct {
		plugin string
		texts  []string
	}{
		{"NodeAffinity", nodeAffinityArguments()},
		{"NodeResourcesFit", fitArguments()},
		{"InterPodAffinity", interPodAffinityArguments()},
		{"PodTopologySpread", spreadArguments()},
		{"NodeResourcesBalancedAllocation", balanceArguments()},
		{"DefaultPreemption", preemptionArguments()},
	} {
		seen := map[string]bool{}
		for _, text := range append([]string{"", "{}"}, of.texts...) {
			if !seen[text] {
				cases = append(cases, ArgumentCase{Plugin: of.plugin, Args: text})
			}
			seen[text] = true
		}
	}
	return cases
}

// each puts every value into a format.
func each(format string, values ...string) (texts []string) {
	for _, v := range values {
		texts = append(texts, fmt.Sprintf(format, v))
	}
	return texts
}

// cross puts every value of each list into a format that has a place for each.
func cross(format string, lists ...[]string) []string {
	values := [][]any{nil}
	for _, list := range lists {
		var longer [][]any
		for _, head := range values {
			for _, v := range list {
				longer = append(longer, append(head[:len(head):len(head)], v))
			}
		}
		values = longer
	}
	var texts []string
	for _, v := range values {
		texts = append(texts, fmt.Sprintf(format, v...))
	}
	return texts
}

// quoted are texts as JSON.
func quoted(texts ...string) []string { return each("%q", texts...) }

// optional are values of a field, and none: what goes behind another field.
func optional(field string, values ...string) []string {
	return append([]string{""}, each(`, "`+field+`": %s`, values...)...)
}

// labelNames are keys of labels, and what is next to one.
func labelNames() []string {
	long := func(n int) string { return strings.Repeat("x", n) }
	return quoted("k", "", "7", "K.a-b_c", "metadata.name", "a b", "a\n", ".k", "k.", "-k", "_k", "k-", "é",
		"example.com/k", "example.com/", "/k", "/", "a/b/c", "Example.com/k", "a_b/k", "a..b/k", ".a/k", "a-/k", "-a/k", "a.b-/k",
		"1.2/3", "requests.example.com/x", "kubernetes.io/x",
		long(63), long(64), "a/"+long(63), "a/"+long(64), long(253)+"/k", long(254)+"/k", long(64)+".a/k")
}

var operatorNames = quoted("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "", "in", "Is")

const addedTerms = `{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [%s]}}}`

func nodeAffinityArguments() (texts []string) {
	values := []string{"null", "[]", `["9", "10"]`, `["a", "-"]`}
	values = append(values, each("[%q]",
		"9", "10", "010", "a", "", "1.5", "1e3", "0x1F", "1_0", "+1", "-1", "-0", "9223372036854775807", "9223372036854775808",
		"-9223372036854775808", "a.b_c-D", "a b", "a/b", "-a", "a-", "é", "a\n", strings.Repeat("1", 63), strings.Repeat("x", 63), strings.Repeat("x", 64))...)
	const label = `{"matchExpressions": [{"key": %s, "operator": %s, "values": %s}]}`
	terms := cross(label, []string{`"k"`}, operatorNames, values)
	terms = append(terms, cross(label, labelNames(), quoted("Exists", "NotIn"), []string{`[]`, `["a"]`})...)
	const field = `{"matchFields": [{"key": %s, "operator": %s, "values": %s}]}`
	terms = append(terms, cross(field, quoted("metadata.name", "metadata.uid", "", "a b"), operatorNames,
		[]string{"[]", `["a"]`, `[""]`, `["-1"]`, `["a", "b"]`})...)
	texts = append(each(addedTerms, terms...), `{"addedAffinity": {}}`,
		`{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}`,
		`{"addedAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}`)

	const good, broken = `{"matchExpressions": [{"key": "k", "operator": "Exists"}]}`, `{"matchExpressions": [{"key": "k", "operator": "Gt", "values": ["a"]}]}`
	const half = `{"matchExpressions": [{"key": "k", "operator": "Exists"}], "matchFields": [{"key": "metadata.name", "operator": "In"}]}`
	const second = `{"matchExpressions": [{"key": "k", "operator": "Exists"}, {"key": "k", "operator": "Is"}]}`
	kinds := []string{"{}", good, broken, half, second, `{"matchExpressions": []}`, `{"matchFields": []}`}
	texts = append(texts, cross(fmt.Sprintf(addedTerms, "%s, %s"), kinds, kinds)...)

	const preferred = `{"addedAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [%s{"preference": %s%s}]}}`
	texts = append(texts, cross(preferred, []string{"", `{"weight": 1, "preference": ` + good + `}, `}, kinds,
		optional("weight", "-1", "0", "1", "100", "101", "2147483647", "2147483648"))...)
	const both = `{"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [%s]}, ` +
		`"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": %s}]}}`
	return append(texts, cross(both, kinds[:3], kinds[:3])...)
}

// weighedLists are lists of resources with weights.
func weighedLists() []string {
	names := quoted("", "cpu", "memory", "pods", "ephemeral-storage", "hugepages-2Mi", "requests.example.com/x",
		"attachable-volumes-x", "kubernetes.io/x", "example.com/x", "a b")
	weights := optional("weight", "-1", "0", "1", "2", "99", "100", "101", "4294967297", "9223372036854775807", "9223372036854775808")
	lists := append(cross(`[{"name": %s%s}]`, names[:2], weights), each(`[{"name": %s}]`, names...)...)
	lists = append(lists, cross(`[{"name": "cpu"%s}, {"name": %s%s}]`, weights[:4], names[1:3], weights[:4])...)
	return append(lists, "null", "[]", "[{}]", `[{"weight": 1}]`, `[{"name": "a"}, {"name": "b"}, {"name": "a"}]`)
}

func fitArguments() (texts []string) {
	types := quoted("", "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio", "leastAllocated", "Random")
	shape := func(points string) string { return `{"shape": [` + points + `]}` }
	shapes := []string{"null", "{}", `{"shape": null}`, shape("")}
	numbers := []string{"-1", "0", "1", "10", "11", "99", "100", "101", "4294967296", "2147483648"}
	for _, points := range cross(`{"utilization": %s}`, numbers) {
		shapes = append(shapes, shape(points))
	}
	for _, points := range cross(`{"utilization": 0, "score": 0}, {"utilization": 50, "score": %s}`, numbers) {
		shapes = append(shapes, shape(points))
	}
	for _, points := range cross(`{"utilization": %s}, {"utilization": %s}`, numbers[1:7], numbers[1:7]) {
		shapes = append(shapes, shape(points))
	}
	for _, score := range numbers[:6] {
		shapes = append(shapes, shape(`{"score": `+score+`}`))
	}
	shapes = append(shapes, shape(`{}, {}`), shape(`{"utilization": 1}, {"utilization": 3}, {"utilization": 2}`), shape(`{"utilization": 1}, {"utilization": 2}, {"utilization": 3}`))

	texts = append(each(`{"scoringStrategy": {"type": "RequestedToCapacityRatio", "requestedToCapacityRatio": %s}}`, shapes...),
		cross(`{"scoringStrategy": {"type": %s%s}}`, types, optional("requestedToCapacityRatio", "null", "{}", shape(`{"utilization": 1}`), shape(`{"score": 11}`)))...)
	texts = append(texts, `{"scoringStrategy": null}`, `{"scoringStrategy": {}}`, `{"scoringStrategy": {"resources": [{"name": "cpu"}]}}`)
	texts = append(texts, each(`{"scoringStrategy": {"type": "LeastAllocated", "resources": %s}}`, weighedLists()...)...)
	for _, other := range types[2:] {
		texts = append(texts, each(`{"scoringStrategy": {"type": `+other+`, "resources": [{"name": "cpu", "weight": %s}]}}`, "0", "1", "100", "101")...)
	}
	for _, field := range []string{"ignoredResources", "ignoredResourceGroups"} {
		texts = append(texts, each(`{"`+field+`": [%s]}`, labelNames()...)...)
		texts = append(texts, each(`{"`+field+`": ["k", %s]}`, quoted("k", "", "example.com/k", "k-")...)...)
		texts = append(texts, each(`{"`+field+`": %s}`, "[]", "null")...)
	}
	return texts
}

func interPodAffinityArguments() []string {
	weights := []string{"null", "-2147483649", "-1", "0", "1", "99", "100", "101", "2147483648"}
	texts := each(`{"hardPodAffinityWeight": %s}`, weights...)
	texts = append(texts, cross(`{"ignorePreferredTermsOfExistingPods": %s%s}`, []string{"true", "false"}, optional("hardPodAffinityWeight", weights...))...)
	return texts
}

func spreadArguments() (texts []string) {
	const good = `"maxSkew": 1, "topologyKey": "k", "whenUnsatisfiable": "DoNotSchedule"`
	lists := []string{"null", "[]", "[{}]", "[{" + good + "}]"}
	texts = append(cross(`{"defaultingType": %s%s}`, quoted("", "System", "List", "system", "list", "Other"), optional("defaultConstraints", lists...)),
		each(`{"defaultConstraints": %s}`, lists...)...)

	const list = `{"defaultingType": "List", "defaultConstraints": [%s]}`
	numbers := []string{"null", "-1", "0", "1", "2", "2147483647", "2147483648"}
	actions := optional("whenUnsatisfiable", quoted("DoNotSchedule", "ScheduleAnyway", "", "doNotSchedule", "Never")...)
	var constraints []string
	constraints = append(constraints, cross(`{"topologyKey": "k"%s%s}`, optional("maxSkew", numbers...), actions)...)
	constraints = append(constraints, cross(`{"maxSkew": 1%s%s}`, optional("topologyKey", labelNames()...), actions[1:2])...)
	constraints = append(constraints, cross(`{"maxSkew": 1, "topologyKey": "k"%s%s}`, actions[1:3], optional("minDomains", numbers...))...)
	policies := append(quoted("Honor", "Ignore", "", "honor", "Never"), "null")
	constraints = append(constraints, cross(`{`+good+`%s%s}`, optional("nodeAffinityPolicy", policies...), optional("nodeTaintsPolicy", policies...))...)
	constraints = append(constraints, cross(`{`+good+`%s%s}`,
		optional("labelSelector", "null", "{}", `{"matchLabels": {"a": "b"}}`, `{"matchExpressions": [{"key": "a", "operator": "Exists"}]}`),
		optional("matchLabelKeys", "null", "[]", `["a"]`, `["a b"]`))...)

	constraints = append(constraints, cross(`{`+good+`}, {"maxSkew": %s, "topologyKey": %s%s}`,
		[]string{"0", "1", "2"}, quoted("k", "l", "-"), actions[:3])...)
	constraints = append(constraints, cross(`{`+good+`}, {"maxSkew": 1, "topologyKey": "l", "whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 1, "topologyKey": %s%s}`,
		quoted("k", "l", "m"), actions[1:3])...)
	return append(texts, each(list, constraints...)...)
}

func balanceArguments() []string { return each(`{"resources": %s}`, weighedLists()...) }

func preemptionArguments() []string {
	percentages := []string{"null", "-2147483649", "-1", "0", "1", "10", "33", "99", "100", "101", "4294967297"}
	absolutes := []string{"null", "-1", "0", "1", "7", "100", "2147483647", "2147483648", "4294967297"}
	texts := each(`{"minCandidateNodesPercentage": %s}`, percentages...)
	texts = append(texts, each(`{"minCandidateNodesAbsolute": %s}`, absolutes...)...)
	return append(texts, cross(`{"minCandidateNodesPercentage": %s, "minCandidateNodesAbsolute": %s}`, percentages, absolutes)...)
}
