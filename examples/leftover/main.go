// Leftover is berth with one more policy. To see how it does:
//
//	go run ./examples/leftover compare --trace synthetic:gpu --policies leftover,bestfit
package main

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cmd/berth/app"
	"github.com/berthsim/berth/scheduler"
)

func main() {
	app.Main(scheduler.ScoreFunc("Leftover", "Leftover prefers the node that would have the least GPU left.",
		func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64 {
			left := s.Free(n, cluster.GPU) - s.Class(p).GPUs.Total()
			return scheduler.MaxScore * cluster.WholeGPU / (cluster.WholeGPU + left)
		}))
}
