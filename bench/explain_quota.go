package bench

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
)

// Refused returns why admission would refuse p, which waits for a node, if it were created
// now: what the quotas of its namespace say when everything there is but p is counted; "" if
// they have room for it. Others are what they count beside pods.
func Refused(s *cluster.State, p cluster.PodID, others []quota.Object) string {
	c := s.Class(p)
	account := s.Pods.Account[p]
	if account == nil {
		account = quota.AccountOf(c)
	}
	o := quota.Object{Resource: quota.Pods, Namespace: c.Namespace, Name: s.Pods.Name[p], Pod: &quota.Pod{Account: account}}
	usage := quota.Usage(&o)
	counting := quota.NewController(quota.ControllerOptions{Objects: others})
	var quotas []*cluster.ResourceQuota
	for q := range s.Quotas.All() {
		if q.Namespace != c.Namespace {
			continue
		}
		without := *q
		without.Enforced, without.Used = q.Hard, counting.Recount(s, q)
		if quota.Matches(q, &o) {
			for i := range without.Used {
				if at, ok := find(usage, without.Used[i].Name); ok {
					without.Used[i].Amount -= usage[at].Amount
				}
			}
		}
		quotas = append(quotas, &without)
	}
	_, _, reason := quota.Check(quotas, &quota.Request{Operation: quota.Create, Object: o}, nil)
	return reason
}
