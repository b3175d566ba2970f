package cluster

import "encoding/binary"

// Accounts lets equal accounts be one, so that a reader of many pods holds each once. The
// zero value is ready for use.
type Accounts struct {
	byKey map[string]*Account
	key   []byte
}

// Share returns the first account that it was given and that equals a, which is a if there
// was none.
func (as *Accounts) Share(a *Account) *Account {
	as.key = appendAccount(as.key[:0], a)
	if first, ok := as.byKey[string(as.key)]; ok {
		return first
	}
	if as.byKey == nil {
		as.byKey = map[string]*Account{}
	}
	as.byKey[string(as.key)] = a
	return a
}

// appendAccount appends a text to b that is the same for equal accounts only. A test changes
// each field in turn and expects another text.
func appendAccount(b []byte, a *Account) []byte {
	b = appendAll(b, a.Containers, appendContainer)
	b = appendAll(b, a.InitContainers, appendContainer)
	b = appendBool(b, a.Whole != nil)
	if a.Whole != nil {
		b = appendContainer(b, a.Whole)
	}
	b = appendGiven(b, a.Overhead)
	b = appendString(appendBool(b, a.Deadline), a.PriorityClass)
	b = appendBool(appendBool(b, a.OtherNamespaces), a.ResizeInfeasible)
	return binary.AppendVarint(b, int64(a.Grace))
}

func appendContainer(b []byte, c *Container) []byte {
	b = appendString(b, c.Name)
	for _, list := range [...][]NamedAmount{c.Requests, c.Limits, c.GivenRequests, c.GivenLimits} {
		b = appendGiven(b, list)
	}
	return appendBool(b, c.Restarts)
}

// appendGiven tells a list that isn't there from an empty one.
func appendGiven(b []byte, list []NamedAmount) []byte {
	return appendAll(appendBool(b, list != nil), list, appendAmount)
}
