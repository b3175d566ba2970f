package quota

import (
	"fmt"
	"strings"

	"github.com/berthsim/berth/cluster"
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

// written writes an amount of a resource as Kubernetes does. It has forgotten how it was
// written at first: bytes are in powers of 1024 if there is no rest, all else in powers of
// 1000.
func written(a cluster.NamedAmount) string {
	switch {
	case a.Name == "cpu":
		return decimal(a.Amount, "m", "", "k", "M", "G", "T", "P")
	case inBytes(a.Name) && (a.Amount >= 1024 || a.Amount <= -1024) && a.Amount%1024 == 0:
		return scaled(a.Amount, 1024, "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
	}
	return decimal(a.Amount, "", "k", "M", "G", "T", "P", "E")
}

// inBytes reports whether a resource is counted in bytes.
func inBytes(name string) bool {
	switch name {
	case "memory", "storage", "ephemeral-storage":
		return true
	}
	return strings.HasPrefix(name, "hugepages-")
}

// decimal writes a number of the first unit in the largest that leaves no rest.
func decimal(amount int64, units ...string) string {
	if amount == 0 {
		return "0"
	}
	return scaled(amount, 1000, units...)
}

func scaled(amount, step int64, units ...string) string {
	for len(units) > 1 && amount%step == 0 {
		amount /= step
		units = units[1:]
	}
	return fmt.Sprint(amount, units[0])
}
