package quota

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// standardNames are the quota names without a "/", beside those of huge pages.
var standardNames = []string{
	"cpu", "memory", "ephemeral-storage",
	"requests.cpu", "requests.memory", "requests.ephemeral-storage", "requests.storage",
	"limits.cpu", "limits.memory", "limits.ephemeral-storage",
	"pods", "services", "services.nodeports", "services.loadbalancers", "persistentvolumeclaims",
	"configmaps", "replicationcontrollers", "resourcequotas", "secrets",
}

// podScoped and claimScoped are the standard names that quotas with scopes of pods, or of
// claims, may limit.
var (
	podScoped   = []string{"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
	claimScoped = []string{"persistentvolumeclaims", "requests.storage"}
)

// Validate says what is wrong with a quota, and what to do about it, if an API server would
// not accept it. Its status is not looked at.
func Validate(q *cluster.ResourceQuota) error {
	err := validateLimits(q.Hard)
	for i := range q.Scopes {
		if err == nil {
			err = validateScope(&q.Scopes[i], q.Hard)
		}
	}
	if err == nil {
		err = validatePairs(q.Scopes)
	}
	if err != nil {
		return fmt.Errorf("quota %s/%s: %w", q.Namespace, q.Name, err)
	}
	return nil
}

func validateLimits(hard []cluster.NamedAmount) error {
	for i, l := range hard {
		switch {
		case i > 0 && hard[i-1].Name >= l.Name:
			return fmt.Errorf("hard names %s after %s: sort the names, and give each once", l.Name, hard[i-1].Name)
		case !qualified(l.Name):
			return fmt.Errorf("hard names %q, which is no resource: write letters, digits, '-', '_' and '.', after a domain and '/' if it has one", l.Name)
		case !standard(l.Name) && !strings.Contains(l.Name, "/"):
			return fmt.Errorf("hard names %s, which quotas don't know: use one of %s, hugepages-SIZE, requests.DOMAIN/NAME or count/RESOURCE.GROUP", l.Name, strings.Join(standardNames, ", "))
		case l.Amount < 0:
			return fmt.Errorf("hard limits %s to %d: give 0 or more", l.Name, l.Amount)
		}
	}
	return nil
}

// standard reports whether a quota name is one of Kubernetes' own.
func standard(name string) bool {
	return slices.Contains(standardNames, name) || strings.HasPrefix(name, hugePages) || strings.HasPrefix(name, requestsPrefix+hugePages)
}

func validateScope(r *cluster.ScopeRequirement, hard []cluster.NamedAmount) error {
	may, plain := podScoped, true // plain if the scope selects no values
	switch r.Scope {
	case ScopeTerminating, ScopeNotTerminating, ScopeNotBestEffort, ScopeCrossNamespace:
	case ScopeBestEffort:
		may = podScoped[:1]
	case ScopePriorityClass:
		plain = false
	case ScopeVolumeAttributes:
		may, plain = claimScoped, false
	default:
		return fmt.Errorf("there is no scope %q: use %s", r.Scope, strings.Join([]string{
			ScopeTerminating, ScopeNotTerminating, ScopeBestEffort, ScopeNotBestEffort, ScopePriorityClass, ScopeCrossNamespace, ScopeVolumeAttributes}, ", "))
	}
	for _, l := range hard {
		if standard(l.Name) && !slices.Contains(may, l.Name) {
			return fmt.Errorf("scope %s and a limit of %s don't go together: limit only %s there, or leave the scope out", r.Scope, l.Name, strings.Join(may, ", "))
		}
	}
	switch r.Operator {
	case opIn, opNotIn:
		if plain {
			return fmt.Errorf("scope %s has the operator %s: it only goes with %s", r.Scope, r.Operator, opExists)
		}
		if len(r.Values) == 0 {
			return fmt.Errorf("scope %s has the operator %s and no values: give at least one", r.Scope, r.Operator)
		}
	case opExists, opLacks:
		if plain && r.Operator != opExists {
			return fmt.Errorf("scope %s has the operator %s: it only goes with %s", r.Scope, r.Operator, opExists)
		}
		if len(r.Values) > 0 {
			return fmt.Errorf("scope %s has the operator %s and values: leave them out, or use %s", r.Scope, r.Operator, opIn)
		}
	default:
		return fmt.Errorf("scope %s has the operator %q: use %s, %s, %s or %s", r.Scope, r.Operator, opIn, opNotIn, opExists, opLacks)
	}
	return nil
}

// validatePairs refuses scopes that nothing can meet.
func validatePairs(scopes []cluster.ScopeRequirement) error {
	has := func(scope string) bool {
		return slices.ContainsFunc(scopes, func(r cluster.ScopeRequirement) bool { return r.Scope == scope })
	}
	for _, pair := range [][2]string{{ScopeBestEffort, ScopeNotBestEffort}, {ScopeTerminating, ScopeNotTerminating}} {
		if has(pair[0]) && has(pair[1]) {
			return fmt.Errorf("no pod is in the scopes %s and %s at once: make a quota for each", pair[0], pair[1])
		}
	}
	return nil
}
