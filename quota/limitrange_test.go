package quota

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// amountsOf reads "cpu=500 memory=7".
func amountsOf(text string) (list []cluster.NamedAmount) {
	for _, field := range strings.Fields(text) {
		var a cluster.NamedAmount
		name, amount, _ := strings.Cut(field, "=")
		if _, err := fmt.Sscan(amount, &a.Amount); err != nil {
			panic(err)
		}
		a.Name = name
		list = append(list, a)
	}
	return list
}

func textOf(list []cluster.NamedAmount) string {
	var fields []string
	for _, a := range list {
		fields = append(fields, fmt.Sprintf("%s=%d", a.Name, a.Amount))
	}
	return strings.Join(fields, " ")
}

// containerOf reads "requests/limits", and an init container that goes on if there is a star
// in front.
func containerOf(text string) cluster.Container {
	text, restarts := strings.CutPrefix(text, "*")
	requests, limits, _ := strings.Cut(text, "/")
	return cluster.Container{Requests: amountsOf(requests), Limits: amountsOf(limits), Restarts: restarts}
}

// accountOf reads containers with commas between, behind init containers and a bar.
func accountOf(text string) *cluster.Account {
	a := &cluster.Account{}
	inits, containers, ok := strings.Cut(text, "|")
	if !ok {
		inits, containers = "", text
	}
	for c := range strings.SplitSeq(inits, ",") {
		if c != "" {
			a.InitContainers = append(a.InitContainers, containerOf(c))
		}
	}
	for c := range strings.SplitSeq(containers, ",") {
		a.Containers = append(a.Containers, containerOf(c))
	}
	return a
}

func textOfAccount(a *cluster.Account) string {
	texts := func(from []cluster.Container) string {
		var out []string
		for _, c := range from {
			text := textOf(c.Requests) + "/" + textOf(c.Limits)
			if c.Restarts {
				text = "*" + text
			}
			out = append(out, text)
		}
		return strings.Join(out, ",")
	}
	if a.InitContainers == nil {
		return texts(a.Containers)
	}
	return texts(a.InitContainers) + "|" + texts(a.Containers)
}

func TestCompleted(t *testing.T) {
	for _, tt := range []struct{ typ, max, min, limit, request, wantLimit, wantRequest string }{
		{LimitContainer, "cpu=9", "cpu=1", "", "", "cpu=9", "cpu=9"},
		{LimitContainer, "cpu=9 memory=7", "cpu=1", "cpu=5", "", "cpu=5 memory=7", "cpu=5 memory=7"},
		{LimitContainer, "", "cpu=1 memory=2", "", "memory=3", "", "cpu=1 memory=3"},
		{LimitContainer, "a=1 c=3", "", "b=2", "d=4", "a=1 b=2 c=3", "a=1 b=2 c=3 d=4"},
		{LimitPod, "cpu=9", "cpu=1", "", "", "", ""},
		{LimitClaim, "storage=9", "storage=1", "", "", "", ""},
	} {
		from := &LimitRange{Items: []LimitRangeItem{{
			Type: tt.typ, Max: amountsOf(tt.max), Min: amountsOf(tt.min), Default: amountsOf(tt.limit), DefaultRequest: amountsOf(tt.request),
		}}}
		got := from.Completed().Items[0]
		if textOf(got.Default) != tt.wantLimit || textOf(got.DefaultRequest) != tt.wantRequest {
			t.Errorf("%+v has default %s, request %s", tt, textOf(got.Default), textOf(got.DefaultRequest))
		}
		if was := from.Items[0]; textOf(was.Default) != tt.limit || textOf(was.DefaultRequest) != tt.request {
			t.Errorf("%+v was changed in place: %+v", tt, was)
		}
		again := (&LimitRange{Items: []LimitRangeItem{got}}).Completed().Items[0]
		if textOf(again.Default) != tt.wantLimit || textOf(again.DefaultRequest) != tt.wantRequest {
			t.Errorf("%+v is completed twice", tt)
		}
	}
}

// TestFillIn fills in what containers lack, and leaves alone what it was given.
func TestFillIn(t *testing.T) {
	items := func(texts ...string) (to []LimitRangeItem) {
		for _, text := range texts {
			typ, lists, _ := strings.Cut(text, ":")
			c := containerOf(lists)
			to = append(to, LimitRangeItem{Type: typ, DefaultRequest: c.Requests, Default: c.Limits})
		}
		return to
	}
	for _, tt := range []struct {
		items      []LimitRangeItem
		pod, want  string
		unaffected bool
	}{
		{items("Container:cpu=1/cpu=2"), "/", "cpu=1/cpu=2", false},
		{items("Container:cpu=1/cpu=2"), "cpu=0/,memory=5/memory=6", "cpu=0/cpu=2,cpu=1 memory=5/cpu=2 memory=6", false},
		{items("Container:cpu=1/cpu=2"), "/,*/|cpu=3/cpu=3", "cpu=1/cpu=2,*cpu=1/cpu=2|cpu=3/cpu=3", false},
		{items("Container:cpu=1/cpu=2"), "cpu=3/cpu=3", "cpu=3/cpu=3", true},
		{items("Pod:cpu=1/cpu=2", "Container:"), "/", "/", true},
		{items("Container:cpu=1 memory=1/", "Container:cpu=2/cpu=7"), "/", "cpu=2 memory=1/cpu=7", false},
	} {
		a := accountOf(tt.pod)
		got := (&LimitRange{Items: tt.items}).fillIn(a)
		if textOfAccount(got) != tt.want || textOfAccount(a) != tt.pod || (got == a) != tt.unaffected {
			t.Errorf("%s becomes %s, want %s; it is the same: %v", tt.pod, textOfAccount(got), tt.want, got == a)
		}
	}
}

// TestRangesByName has the first of several by name win.
func TestRangesByName(t *testing.T) {
	give := func(namespace, name, lists string) *LimitRange {
		c := containerOf(lists)
		return &LimitRange{namespace, name, []LimitRangeItem{{Type: LimitContainer, DefaultRequest: c.Requests, Default: c.Limits}}}
	}
	ranges := []*LimitRange{give("ns", "b", "cpu=2 memory=2/"), give("ns", "a", "cpu=1/"), give("other", "a", "cpu=7/cpu=7"), give("n", "a", "cpu=8/cpu=8")}
	for range 2 {
		slices.Reverse(ranges)
		p := &NewPod{Namespace: "ns", Account: *accountOf("/")}
		if err := NewPlugins(ranges, nil, nil).Mutate(p); err != nil || textOfAccount(&p.Account) != "cpu=1 memory=2/" {
			t.Errorf("%s, %v", textOfAccount(&p.Account), err)
		}
	}
}
