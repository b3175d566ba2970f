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
	if _, err := scheduler.NewProfile(plugins, policy); err != nil {
		return nil, fmt.Errorf("policy %q: %w", text, err)
	}
	return policy, nil
}
