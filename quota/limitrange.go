package quota

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// A LimitRange says what single pods and claims of a namespace may ask for, and what
// containers ask for that don't say.
type LimitRange struct {
	Namespace, Name string
	Items           []LimitRangeItem
}

// What a LimitRangeItem is about. Items of other types are about nothing.
const (
	LimitContainer = "Container"
	LimitPod       = "Pod"
	LimitClaim     = "PersistentVolumeClaim"
)

// A LimitRangeItem is about all containers, pods or claims. Its lists are sorted by name, and
// in the units of a cluster.Container.
type LimitRangeItem struct {
	Type     string
	Max, Min []cluster.NamedAmount
	// Default are the limits and DefaultRequest the requests of containers that have none.
	Default, DefaultRequest []cluster.NamedAmount
	// Ratio is how many times its request a limit may be, in thousandths.
	Ratio []cluster.NamedAmount
}

// Completed returns the range as the API server stores it: containers' default limits are the
// highest, and their default requests the default limits, or else the lowest, unless the item
// says another.
func (r *LimitRange) Completed() *LimitRange {
	to := *r
	to.Items = slices.Clone(r.Items)
	for i := range to.Items {
		if item := &to.Items[i]; item.Type == LimitContainer {
			item.Default = filled(item.Default, item.Max)
			item.DefaultRequest = filled(filled(item.DefaultRequest, item.Default), item.Min)
		}
	}
	return &to
}

// filled returns a list with what it lacks of another's resources; both are sorted by name.
// It is the list itself if it lacks nothing.
func filled(list, from []cluster.NamedAmount) []cluster.NamedAmount {
	to := amounts(slices.Clip(list))
	for _, a := range from {
		if _, ok := find(to, a.Name); !ok {
			to.set(a.Name, a.Amount)
		}
	}
	return to
}

// defaults returns what containers ask for and are limited to if they don't say. Of several
// items, the last that speaks of a resource counts.
func (r *LimitRange) defaults() (requests, limits []cluster.NamedAmount) {
	for i := range r.Items {
		if item := &r.Items[i]; item.Type == LimitContainer {
			requests, limits = filled(item.DefaultRequest, requests), filled(item.Default, limits)
		}
	}
	return requests, limits
}

// fillIn returns an account in which every container has the defaults of a range for what it
// doesn't mention. It is the account itself if they all mention everything.
func (r *LimitRange) fillIn(a *cluster.Account) *cluster.Account {
	requests, limits := r.defaults()
	containers, changed := filledContainers(a.Containers, requests, limits)
	inits, changedToo := filledContainers(a.InitContainers, requests, limits)
	if !changed && !changedToo {
		return a
	}
	to := *a
	to.Containers, to.InitContainers = containers, inits
	return &to
}

func filledContainers(from []cluster.Container, requests, limits []cluster.NamedAmount) (to []cluster.Container, changed bool) {
	to = from
	for i := range from {
		c := from[i]
		c.Requests, c.Limits = filled(c.Requests, requests), filled(c.Limits, limits)
		if len(c.Requests) == len(from[i].Requests) && len(c.Limits) == len(from[i].Limits) {
			continue
		}
		if !changed {
			to, changed = slices.Clone(from), true
		}
		to[i] = c
	}
	return to, changed
}
