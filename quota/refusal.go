package quota

import (
	"fmt"
	"strings"
)

// A Refusal is the API server's answer to a request that it does not grant.
type Refusal struct {
	Code   int16 // the HTTP status
	Reason string
}

// Error returns the reason.
func (r *Refusal) Error() string { return r.Reason }

// forbids returns the refusal of an object, of a resource named by its plural.
func forbids(resource, name, why string) *Refusal {
	return &Refusal{Code: 403, Reason: fmt.Sprintf("%s %q is forbidden: %s", resource, name, why)}
}

// together joins what is wrong: each once, in brackets if there is more than one.
func together(problems []string) string {
	var once []string
	seen := map[string]bool{}
	for _, p := range problems {
		if !seen[p] {
			seen[p] = true
			once = append(once, p)
		}
	}
	if len(once) == 1 {
		return once[0]
	}
	return "[" + strings.Join(once, ", ") + "]"
}
