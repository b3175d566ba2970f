package bench

// What is drawn over a run's time.
const (
	lineReady = iota
	lineRunning
	linePending
	lineTerminating
	lineEvictions

	lines
)

var lineNames = [lines]string{"nodes ready", "pods running", "pods pending", "pods terminating", "pods evicted"}
