package cluster

import "testing"

// TestAccountsAreEqualByContent changes each field in turn, and a list that isn't there for an
// empty one.
func TestAccountsAreEqualByContent(t *testing.T) {
	list := func(amount int64) []NamedAmount { return []NamedAmount{{"cpu", amount}} }
	changes := []func(*Account){
		func(*Account) {},
		func(a *Account) { a.Containers = append(a.Containers, Container{}) },
		func(a *Account) { a.InitContainers = append(a.InitContainers, Container{}) },
		func(a *Account) { a.Containers[0].Name = "c" },
		func(a *Account) { a.Containers[0].Requests = list(2) },
		func(a *Account) { a.Containers[0].Requests = []NamedAmount{{"memory", 1}} },
		func(a *Account) { a.Containers[0].Limits = list(1) },
		func(a *Account) { a.Containers[0].GivenRequests = list(1) },
		func(a *Account) { a.Containers[0].GivenRequests = []NamedAmount{} },
		func(a *Account) { a.Containers[0].GivenLimits = list(1) },
		func(a *Account) { a.Containers[0].Restarts = true },
		func(a *Account) { a.InitContainers[0].Requests = list(1) },
		func(a *Account) { a.Whole = &Container{} },
		func(a *Account) { a.Whole = &Container{Limits: list(1)} },
		func(a *Account) { a.Overhead = list(1) },
		func(a *Account) { a.Deadline = true },
		func(a *Account) { a.PriorityClass = "high" },
		func(a *Account) { a.OtherNamespaces = true },
		func(a *Account) { a.ResizeInfeasible = true },
		func(a *Account) { a.Grace = 1 },
	}
	make := func(i int) *Account {
		a := &Account{Containers: []Container{{Requests: list(1)}}, InitContainers: []Container{{}}}
		changes[i](a)
		return a
	}
	var as Accounts
	firsts := map[*Account]int{}
	for i := range changes {
		a := make(i)
		if got := as.Share(a); got != a {
			t.Errorf("change %d makes the account of change %d", i, firsts[got])
		}
		firsts[a] = i
		if got := as.Share(make(i)); got != a {
			t.Errorf("change %d made twice makes two accounts", i)
		}
	}
}
