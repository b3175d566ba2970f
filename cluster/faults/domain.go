package faults

import (
	"fmt"
	"slices"
	"strings"
)

// A Domain is what fails as a whole.
type Domain uint8

// The domains.
const (
	ByNode Domain = iota
	ByRack
	ByZone
)

var domainNames = []string{"node", "rack", "zone"}

// String returns the domain as specs have it: "rack".
func (d Domain) String() string { return domainNames[d] }

// A group is the nodes of a domain, which fail together.
type group struct {
	name  string
	nodes []string
}

// of returns the domain's name that a node is in, "" if it is in none.
func (d Domain) of(n *Node) string {
	switch d {
	case ByRack:
		return n.Rack
	case ByZone:
		return n.Zone
	}
	return n.Name
}

// groups returns the run's nodes by domain, in order of first appearance. Nodes
// that are in no rack or zone are in no group; if none is, there is an error.
func (r *Run) groups(by Domain) ([]group, error) {
	names := make([]string, len(r.Nodes))
	var groups []group
	at := map[string]int{}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		names[i] = n.Name
		name := by.of(n)
		if name == "" {
			continue
		}
		g, ok := at[name]
		if !ok {
			g = len(groups)
			at[name] = g
			groups = append(groups, group{name: name})
		}
		if by == ByNode { // as slices of one array, of which there may be very many
			if ok {
				panic("faults: node " + name + " is there twice")
			}
			groups[g].nodes = names[i : i+1 : i+1]
		} else {
			groups[g].nodes = append(groups[g].nodes, n.Name)
		}
	}
	if len(groups) == 0 && len(r.Nodes) > 0 {
		label := ZoneLabel
		if by == ByRack {
			label = RackLabel
		}
		return nil, &Error{Problem: fmt.Sprintf("no node is in a %v", by), Remedy: "give nodes the label " + label}
	}
	return groups, nil
}

// domainOf takes the option called by, ByNode if it isn't there.
func domainOf(opts *options) (Domain, error) {
	word, err := opts.word("by", domainNames[ByNode])
	if err != nil {
		return 0, err
	}
	i := slices.Index(domainNames, word)
	if i < 0 {
		return 0, &Error{Problem: "by is " + quoted(word), Remedy: "give one of " + strings.Join(domainNames, ", ")}
	}
	return Domain(i), nil
}
