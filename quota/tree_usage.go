package quota

// A TreeUsage is what is used of a Tree's quotas. Queues above a leaf use what their children
// use beyond what those keep for themselves.
type TreeUsage struct {
	tree *Tree
	used []int64 // by queue, then by resource

	best, via []int // scratch of First
}

// NewUsage returns that of a Tree of which nothing is used.
func (t *Tree) NewUsage() *TreeUsage {
	return &TreeUsage{tree: t, used: make([]int64, len(t.nodes)*len(t.resources))}
}

// Set makes u what o is. They must be of one Tree.
func (u *TreeUsage) Set(o *TreeUsage) { copy(u.used, o.used) }

// Clear takes all usage away.
func (u *TreeUsage) Clear() { clear(u.used) }

// Used returns how much of resource r counts against queue i's quota.
func (u *TreeUsage) Used(i, r int) int64 { return u.used[i*len(u.tree.resources)+r] }

// Over reports whether queue i borrows some of resource r.
func (u *TreeUsage) Over(i, r int) bool { return u.Used(i, r) > u.tree.nodes[i].quota[r] }

// Add has a leaf use so much more, by resource; less, if times is -1.
func (u *TreeUsage) Add(leaf int, amounts []int64, times int64) {
	for r, amount := range amounts {
		delta := times * amount
		for i := leaf; i != NoQueue && delta != 0; i = u.tree.nodes[i].parent {
			used, kept := &u.used[i*len(u.tree.resources)+r], u.tree.nodes[i].kept[r]
			before := max(0, *used-kept)
			*used += delta
			delta = max(0, *used-kept) - before
		}
	}
}

// Available returns how much more of resource r queue i may use now: what it keeps for itself
// and hasn't used, and what there is above, as far as it may borrow that. It is below 0 if too
// much is used already (Kueue's available; there, what is overdrawn above is taken off even
// what is kept).
func (u *TreeUsage) Available(i, r int) int64 {
	n := &u.tree.nodes[i]
	used := u.Used(i, r)
	if n.parent == NoQueue {
		return n.quota[r] - used
	}
	above := u.Available(n.parent, r)
	if n.most[r] != boundless {
		above = min(above, n.most[r]-max(used, n.kept[r]))
	}
	if used <= n.kept[r] {
		above = max(0, above)
	}
	return max(0, n.kept[r]-used) + above
}

// Lacks returns the first resource of which a leaf may not use so much more.
func (u *TreeUsage) Lacks(leaf int, want []int64) (r int, lacks bool) {
	for r, amount := range want {
		if amount > 0 && u.tree.Limits(leaf, r) && amount > u.Available(leaf, r) {
			return r, true
		}
	}
	return 0, false
}

// Overdrawn returns the first of the resources in want of which more is used than a leaf may.
func (u *TreeUsage) Overdrawn(leaf int, want []int64) (r int, overdrawn bool) {
	for r, amount := range want {
		if amount > 0 && u.tree.Limits(leaf, r) && u.Available(leaf, r) < 0 {
			return r, true
		}
	}
	return 0, false
}

// Within reports whether queue i, which is above leaf or is it, would use no more than its own
// quota if the leaf used so much more.
func (u *TreeUsage) Within(i, leaf int, want []int64) bool {
	u.Add(leaf, want, +1)
	defer u.Add(leaf, want, -1)
	for r, amount := range want {
		if amount > 0 && u.tree.Limits(leaf, r) && u.Over(i, r) {
			return false
		}
	}
	return true
}

// Owes reports whether a leaf gives way to another that wants so much: where their branches
// part, the other's with what it wants is within its own quota, and of something that it wants
// this one's, and all queues on the way down to this leaf, use more than theirs. Only says which
// resource that must be, by number; NoResource says that any will do.
func (u *TreeUsage) Owes(leaf, to int, want []int64, only int) bool {
	theirs, ours, ok := u.tree.fork(to, leaf)
	if !ok || u.tree.nodes[theirs].parent == NoQueue || !u.Within(theirs, to, want) {
		return false
	}
	for r, amount := range want {
		if amount > 0 && (only == NoResource || only == r) && u.tree.Limits(leaf, r) && u.borrowsUpTo(leaf, ours, r) {
			return true
		}
	}
	return false
}

// NoResource stands for no resource.
const NoResource = -1

// borrowsUpTo reports whether all queues from a leaf up to one above it are over their quotas.
func (u *TreeUsage) borrowsUpTo(leaf, top, r int) bool {
	for i := leaf; ; i = u.tree.nodes[i].parent {
		if !u.Over(i, r) {
			return false
		}
		if i == top {
			return true
		}
	}
}

// Claims reports whether a leaf that wants so much has a right to some of what others may have
// borrowed: it, or a queue above it that isn't a root, would be within its quota.
func (u *TreeUsage) Claims(leaf int, want []int64) bool {
	for i := leaf; u.tree.nodes[i].parent != NoQueue; i = u.tree.nodes[i].parent {
		if u.Within(i, leaf, want) {
			return true
		}
	}
	return false
}
