package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// ImageLocality is kube's plugin of that name
// (pkg/scheduler/framework/plugins/imagelocality).
var ImageLocality = &scheduler.Plugin{
	Name: "ImageLocality",
	Doc: "ImageLocality prefers nodes that have the pod's images. " +
		"An image counts by its size and by the share of nodes that have it, so that pods don't crowd the few that do.",
	New: func(scheduler.Args) (any, error) { return &imageLocality{}, nil },
}

type imageLocality struct{ found []found } // scratch of ScoreBatch

// found is an image of a pod that some nodes have.
type found struct {
	*cluster.ImageSpread
	bytes int64 // that count on each of them
}

// Bytes of images that score 0 and, for each container, MaxScore.
const (
	fewImageBytes  = 23 << 20
	manyImageBytes = 1000 << 20
)

// Score implements scheduler.Scorer.
func (*imageLocality) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	images, containers := appendFound(nil, s, s.Class(p)), len(s.Class(p).Images)
	return func(n cluster.NodeID) int64 { return imageScore(images, n, containers) }
}

// ScoreBatch implements scheduler.BatchScorer.
func (il *imageLocality) ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	il.found = appendFound(il.found[:0], s, s.Class(p))
	if len(il.found) == 0 {
		clear(out)
		return true
	}
	containers := len(s.Class(p).Images)
	for i, n := range nodes {
		out[i] = imageScore(il.found, n, containers)
	}
	return true
}

// Depends implements scheduler.Dependent.
func (*imageLocality) Depends(*cluster.State, cluster.ClassID) scheduler.Dependence {
	return scheduler.Dependence{Score: scheduler.Described}
}

// ScoreBare implements scheduler.BareScorer: no node is known to have an image.
func (*imageLocality) ScoreBare(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	for i, n := range nodes {
		out[i] = imageScore(nil, n, len(s.Class(p).Images))
	}
	return true
}

// appendFound appends those images of a pod that some nodes have. As upstream, an
// image has the same size everywhere, and is worth the product of two floats, in
// whole bytes.
func appendFound(images []found, s *cluster.State, c *cluster.Class) []found {
	nodes := float64(len(s.Nodes.Live()))
	for _, names := range [...][]string{c.Images, c.ImageVolumes} {
		for _, name := range names {
			if is := s.Nodes.Image(name); is != nil {
				spread := float64(is.Nodes) / nodes
				images = append(images, found{is, int64(float64(is.Bytes) * spread)})
			}
		}
	}
	return images
}

// imageScore returns where n's sum of bytes lies between few and many, in whole
// hundredths. Images mounted as volumes count as bytes, but not as containers.
func imageScore(images []found, n cluster.NodeID, containers int) int64 {
	sum, many := int64(0), manyImageBytes*int64(containers)
	for i := range images {
		if images[i].On(n) {
			sum += images[i].bytes
		}
	}
	if sum < fewImageBytes {
		sum = fewImageBytes
	} else if sum > many {
		sum = many // not min and max: without containers, few is more than many
	}
	return scheduler.MaxScore * (sum - fewImageBytes) / (many - fewImageBytes)
}
