package quota

import (
	"math"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// amounts are amounts by name, sorted by name, each name once. CPU is in thousandths,
// everything else in ones. A name with an amount of 0 is not the same as no such name.
type amounts []cluster.NamedAmount

// plus adds, and stays at the largest or smallest number there is instead of overflowing.
func plus(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// byName compares for slices.BinarySearchFunc.
func byName(a cluster.NamedAmount, name string) int { return strings.Compare(a.Name, name) }

// find returns the amount of name in a list that is sorted.
func find(list []cluster.NamedAmount, name string) (amount int64, ok bool) {
	i, ok := slices.BinarySearchFunc(list, name, byName)
	if !ok {
		return 0, false
	}
	return list[i].Amount, true
}

// set has name be there with an amount.
func (a *amounts) set(name string, amount int64) { *a.at(name) = amount }

// at returns where the amount of name is; it is put there with 0 if it isn't.
func (a *amounts) at(name string) *int64 {
	i, ok := slices.BinarySearchFunc(*a, name, byName)
	if !ok {
		*a = slices.Insert(*a, i, cluster.NamedAmount{Name: name})
	}
	return &(*a)[i].Amount
}

// add adds an amount to that of name.
func (a *amounts) add(name string, amount int64) {
	to := a.at(name)
	*to = plus(*to, amount)
}

// addAll adds each of list.
func (a *amounts) addAll(list []cluster.NamedAmount) {
	for _, x := range list {
		a.add(x.Name, x.Amount)
	}
}

// raiseAll has each name of list be there with at least its amount.
func (a *amounts) raiseAll(list []cluster.NamedAmount) {
	for _, x := range list {
		if was, ok := find(*a, x.Name); !ok || x.Amount > was {
			a.set(x.Name, x.Amount)
		}
	}
}

// sameNames reports whether two sorted lists are about the same names.
func sameNames(a, b []cluster.NamedAmount) bool {
	return slices.EqualFunc(a, b, func(x, y cluster.NamedAmount) bool { return x.Name == y.Name })
}
