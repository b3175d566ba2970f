package plugins

import (
	"slices"

	"github.com/berthsim/berth/scheduler"
)

// normalize scales scores, of at least one node and none of them negative, so that the highest is
// MaxScore; reversed, so that it is 0 and a score of 0 becomes MaxScore. It cuts
// off to whole numbers before it reverses
// (pkg/scheduler/framework/plugins/helper, DefaultNormalizeScore).
func normalize(scores []int64, reverse bool) {
	highest := slices.Max(scores)
	for i, score := range scores {
		if highest > 0 {
			score = scheduler.MaxScore * score / highest
		}
		if reverse {
			score = scheduler.MaxScore - score
		}
		scores[i] = score
	}
}
