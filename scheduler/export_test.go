package scheduler

// RenumberAt has tries numbered anew when there were so many, for tests.
func (sc *Scheduler) RenumberAt(tries uint64) { sc.queue.renumberAt = tries }
