package bench

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berthsim/berth/scheduler"
)

// ParsePolicy reads a policy: a plugin's name, or several as
// "name:weight+name:weight". A weight left out is 1. The plugins must be among
// those given.
func ParsePolicy(plugins []*scheduler.Plugin, text string) ([]scheduler.Weighted, error) {
	var policy []scheduler.Weighted
	for part := range strings.SplitSeq(text, "+") {
		name, weightText, weighted := strings.Cut(strings.TrimSpace(part), ":")
		w := scheduler.Weighted{Name: name, Weight: 1}
		if weighted {
			weight, err := strconv.ParseInt(weightText, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("policy %q: the weight %q is not a whole number; write NAME:WEIGHT, for example fgd:2", text, weightText)
			}
			w.Weight = weight
		}
		policy = append(policy, w)
	}
	// Making a profile checks names, weights and options.
	profile, err := scheduler.NewProfile(plugins, policy)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", text, err)
	}
	if !profile.Prefers() {
		return nil, fmt.Errorf("policy %q prefers no node to another; name a plugin that scores: %s", text, strings.Join(Preferring(plugins), ", "))
	}
	return policy, nil
}

// Preferring returns the names, in lower case, of the plugins that are policies by
// themselves, in the order of the list. What can't be made is left out.
func Preferring(plugins []*scheduler.Plugin) (names []string) {
	for _, pl := range plugins {
		profile, err := scheduler.NewProfile(plugins, []scheduler.Weighted{{Name: pl.Name, Weight: 1}})
		if err == nil && profile.Prefers() {
			names = append(names, strings.ToLower(pl.Name))
		}
	}
	return names
}
