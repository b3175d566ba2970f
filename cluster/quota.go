package cluster

import "encoding/binary"

// A ResourceQuota limits what the objects of a namespace ask for all together, and its
// status.
type ResourceQuota struct {
	Namespace, Name string
	Scopes          []ScopeRequirement // all of which an object must meet to count
	Hard            []NamedAmount      // the limits by quota name (requests.cpu, count/pods), sorted by name

	// Enforced are the limits that admission holds to, and Used is what is taken of them:
	// the status, which the quota controller fills in. Both are nil before it does.
	Enforced, Used []NamedAmount
}

// A ScopeRequirement says which objects a quota is about. Operator is one of In, NotIn,
// Exists and DoesNotExist; Values are of In and NotIn.
type ScopeRequirement struct {
	Scope    string // Terminating, NotTerminating, BestEffort, NotBestEffort, PriorityClass, CrossNamespacePodAffinity or VolumeAttributesClass
	Operator string
	Values   []string
}

func (o *ResourceQuota) key() string { return Key(o.Namespace, o.Name) }

func appendAmounts(b []byte, list []NamedAmount) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(list)))
	for _, a := range list {
		b = binary.LittleEndian.AppendUint64(appendString(b, a.Name), uint64(a.Amount))
	}
	return b
}
