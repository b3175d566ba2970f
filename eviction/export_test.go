package eviction

// LookAtAll has h look at every node each Period, as upstream does: the slow twin.
func LookAtAll(h *Health) *Health {
	h.everyNode = true
	return h
}
