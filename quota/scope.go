package quota

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// The scopes of quotas.
const (
	ScopeTerminating      = "Terminating"
	ScopeNotTerminating   = "NotTerminating"
	ScopeBestEffort       = "BestEffort"
	ScopeNotBestEffort    = "NotBestEffort"
	ScopePriorityClass    = "PriorityClass"
	ScopeCrossNamespace   = "CrossNamespacePodAffinity"
	ScopeVolumeAttributes = "VolumeAttributesClass"
	opIn, opNotIn         = "In", "NotIn"
	opExists, opLacks     = "Exists", "DoesNotExist"
)

// Matches reports whether q counts o: the limits that q enforces are about objects like it, and
// it meets all scopes. Both must be of one namespace.
func Matches(q *cluster.ResourceQuota, o *Object) bool {
	return tracked(q.Enforced, o) && meets(q.Scopes, o)
}

// meets reports whether o meets all scopes.
func meets(scopes []cluster.ScopeRequirement, o *Object) bool {
	return !slices.ContainsFunc(scopes, func(r cluster.ScopeRequirement) bool { return !meetsOne(&r, o) })
}

// meetsOne reports whether o meets a scope. What has no scopes, as Services, meets none.
func meetsOne(r *cluster.ScopeRequirement, o *Object) bool {
	switch o.Resource {
	case Pods:
		return podMeets(r, o.Pod.Account)
	case Claims:
		return r.Scope == ScopeVolumeAttributes && claimMeets(r, o.Claim.VolumeAttributes)
	}
	return false
}

// podMeets has nothing to do with whether the pod has been told to end: what Kubernetes calls
// Terminating here is a pod that may run for so long only.
func podMeets(r *cluster.ScopeRequirement, a *cluster.Account) bool {
	switch r.Scope {
	case ScopeTerminating:
		return a.Deadline
	case ScopeNotTerminating:
		return !a.Deadline
	case ScopeBestEffort:
		return QOS(a) == BestEffort
	case ScopeNotBestEffort:
		return QOS(a) != BestEffort
	case ScopePriorityClass:
		return selects(r, a.PriorityClass)
	case ScopeCrossNamespace:
		return a.OtherNamespaces
	}
	return false
}

// claimMeets reports whether any of the classes that a claim uses is selected.
func claimMeets(r *cluster.ScopeRequirement, classes []string) bool {
	some := slices.DeleteFunc(slices.Clone(classes), func(c string) bool { return c == "" })
	if len(some) == 0 {
		return selects(r, "")
	}
	return slices.ContainsFunc(some, func(c string) bool { return selects(r, c) })
}

// selects reports whether a requirement holds of a value, "" for none.
func selects(r *cluster.ScopeRequirement, value string) bool {
	switch r.Operator {
	case opIn:
		return value != "" && slices.Contains(r.Values, value)
	case opNotIn:
		return value == "" || !slices.Contains(r.Values, value)
	case opExists:
		return value != ""
	case opLacks:
		return value == ""
	}
	return false
}
