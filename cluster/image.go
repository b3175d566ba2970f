package cluster

// An Image is a container image that a node has.
type Image struct {
	Names []string // as the node reports them, with tag or digest
	Bytes int64
}

// An ImageSpread says which live nodes have an image.
type ImageSpread struct {
	Nodes int // how many; at least one

	// Bytes is the size that the first node to report the image gave: as in
	// kube-scheduler's cache, what others say counts only once no node has it.
	Bytes int64

	on []uint64 // a bit for each row
}

// On reports whether n has the image.
func (is *ImageSpread) On(n NodeID) bool {
	word := int(n / 64)
	return word < len(is.on) && is.on[word]>>(n%64)&1 != 0
}

// Image returns which nodes have the image called name; nil if none has.
func (ns *Nodes) Image(name string) *ImageSpread { return ns.images[name] }

func (ns *Nodes) addImages(n NodeID) {
	for _, image := range ns.Images[n] {
		for _, name := range image.Names {
			is := ns.images[name]
			if is == nil {
				is = &ImageSpread{Bytes: image.Bytes}
				ns.images[name] = is
			}
			if is.On(n) {
				continue // the node names it twice
			}
			for len(is.on) <= int(n/64) {
				is.on = append(is.on, 0)
			}
			is.on[n/64] |= 1 << (n % 64)
			is.Nodes++
		}
	}
}

func (ns *Nodes) removeImages(n NodeID) {
	for _, image := range ns.Images[n] {
		for _, name := range image.Names {
			is := ns.images[name]
			if is == nil || !is.On(n) {
				continue
			}
			is.on[n/64] &^= 1 << (n % 64)
			if is.Nodes--; is.Nodes == 0 {
				delete(ns.images, name)
			}
		}
	}
}
