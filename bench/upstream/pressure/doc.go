// Package pressure compares Berth's kubelet under pressure with upstream's: the whole eviction manager in
// virtual time, which measures, kills and waits as its fakes have it do; what it lets in meanwhile; the
// pods that make room for a critical one; oom_score_adj; and the whole node shutdown manager, told
// of a shutdown by a fake of systemd. What upstream leaves to the order of a Go map is compared as a
// set: which of several thresholds that are as urgent as each other it acts on.
package pressure
