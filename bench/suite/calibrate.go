package suite

import (
	"time"
)

// Calibration is a fixed piece of work of integers, floats and memory, as plugins have
// them. It says how fast the machine is at the moment: what others do on it, and the
// heat, slow it down about as much as what is measured. IT MUST NEVER CHANGE, or stored
// results can no longer be compared.
const (
	calibrationWords = 1 << 12 // 32 KiB, as many as a column of 4,000 nodes
	calibrationTurns = 4
	calibrationRuns  = 5 // of which the fastest counts
)

var calibration struct {
	words [calibrationWords]int64
	sum   int64
	share float64
}

// calibrate does the work a few times, and returns how long the fastest took: about 20 µs.
func calibrate() time.Duration {
	fastest := time.Duration(1<<63 - 1)
	for range calibrationRuns {
		began := time.Now()
		calibrationWork()
		fastest = min(fastest, time.Since(began))
	}
	return fastest
}

//go:noinline
func calibrationWork() {
	words := &calibration.words
	at, sum, share := uint64(calibration.sum)|1, calibration.sum, calibration.share
	for range calibrationTurns {
		for i := range words {
			v := words[i]
			if v > sum {
				sum += v >> 3
			} else {
				sum -= int64(i)
			}
			words[i] = sum ^ v
		}
		for range calibrationWords / 4 { // jumps, each to where the last has led
			at = at*6364136223846793005 + uint64(words[at%calibrationWords])
			share = share*0.5 + float64(at>>40)/float64(1+at&0xffff)
			sum += int64(at>>60) * 100 / int64(1+at&7)
		}
	}
	calibration.sum, calibration.share = sum, share
}
