package plugins

import "github.com/berthsim/berth/cluster"

// EachUse tells how much of each resource pods of each queue use that has namespaces, and how
// much it is guaranteed, in the order of the tree: for those who watch a run.
func (e *elasticQuota) EachUse(s *cluster.State, yield func(queue, resource string, used, guaranteed int64)) {
	u := e.sync(s)
	for i := range e.tree.Queues() {
		q := e.tree.Queue(i)
		if len(q.Namespaces) == 0 {
			continue
		}
		for r, name := range e.tree.Resources() {
			if e.tree.Limits(i, r) {
				yield(q.Name, name, u.Used(i, r), e.tree.Quota(i, r))
			}
		}
	}
}
