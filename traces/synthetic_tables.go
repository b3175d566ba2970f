package traces

import "github.com/berthsim/berth/internal/chance"

// The figures below are counts over the node list gpu_node and the pod list
// default of Alibaba's cluster-trace-gpu-v2023, published with Weng et al.,
// "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
// Gradient Descent", USENIX ATC'23, and, under the Apache License 2.0, with its
// artifact, https://github.com/hkust-adsl/kubernetes-scheduler-simulator.
// Whoever publishes results that rest on them should cite that paper.
//
// They are marginals. How much of a GPU a pod asks for says nothing about how
// much CPU and memory it asks for, as it does in the recording; nor do pods come
// in bursts, belong to jobs or users, or run for as long as the like of them.
// Rare requests are counted with the most similar listed one, so that the counts
// of each category are the recording's.

// A nodeKind is a kind of node and how many of 1,213 are of it.
type nodeKind struct {
	model  string // G2 and G3 are undisclosed
	gpus   int
	cpu    int64 // milli-CPUs
	memory int64 // MiB
	nodes  int
}

var nodeKinds = []nodeKind{
	{"G2", 8, 96000, 393216, 549},
	{"T4", 2, 104000, 524288, 387},
	{"P100", 2, 16000, 122880, 107},
	{"G3", 8, 128000, 786432, 39},
	{"V100M16", 4, 32000, 131072, 28},
	{"P100", 2, 64000, 262144, 22},
	{"V100M32", 8, 96000, 786432, 21},
	{"V100M16", 1, 8000, 32768, 19},
	{"T4", 4, 96000, 393216, 17},
	{"V100M32", 4, 48000, 376832, 9},
	{"V100M16", 8, 64000, 262144, 7},
	{"P100", 1, 8000, 61440, 3},
	{"P100", 2, 8000, 61440, 2},
	{"A10", 1, 128000, 1048576, 2},
	{"V100M16", 8, 82000, 344064, 1},
}

// A podCategory is the pods that ask for so many GPUs, or for a part of one.
type podCategory struct {
	gpus     int32
	shared   bool // a part of one GPU; sharedParts says which
	requests []request
}

// A request is a pair of CPU and memory, and how many pods ask for it.
type request struct {
	cpu    int64 // milli-CPUs
	memory int64 // MiB
	pods   int64
}

// podCategories count 8,152 pods.
var podCategories = []podCategory{
	{gpus: 0, requests: []request{ // 1,088
		{12500, 57344, 366}, {32000, 49152, 290}, {8000, 30517, 168}, {15400, 51200, 120},
		{16500, 51200, 99}, {8000, 15625, 16}, {16000, 31250, 15}, {11400, 57344, 14},
	}},
	{gpus: 1, shared: true, requests: []request{ // 3,078
		{3152, 5600, 1124}, {11908, 47104, 625}, {8000, 30517, 494}, {4000, 22888, 189},
		{4000, 15258, 182}, {4152, 10600, 152}, {4000, 30517, 136}, {6000, 6144, 60},
		{6000, 22888, 34}, {6000, 12288, 29}, {6000, 18432, 27}, {1000, 2048, 26},
	}},
	{gpus: 1, requests: []request{ // 3,911
		{11300, 49152, 863}, {11400, 48128, 534}, {3152, 5600, 477}, {18708, 64512, 255},
		{9810, 41560, 196}, {11908, 47104, 169}, {12000, 24576, 162}, {15700, 58368, 161},
		{4000, 24576, 117}, {16000, 32768, 111}, {8000, 16384, 108}, {12000, 16384, 103},
		{14200, 58368, 93}, {24200, 93184, 84}, {8000, 32768, 73}, {11400, 77824, 67},
		{15200, 80896, 56}, {11900, 77824, 52}, {4000, 31250, 45}, {12000, 15360, 45},
		{8200, 33792, 41}, {16000, 65536, 33}, {16400, 125952, 27}, {11300, 37888, 24},
		{1000, 6144, 15},
	}},
	{gpus: 2, requests: []request{ // 16
		{16200, 66560, 7}, {6000, 65536, 3}, {30200, 160768, 3}, {17400, 43008, 2}, {14000, 60000, 1},
	}},
	{gpus: 4, requests: []request{ // 15
		{32200, 132096, 9}, {32000, 131072, 3}, {60200, 320512, 3},
	}},
	{gpus: 8, requests: []request{ // 44
		{64200, 263168, 18}, {88000, 327680, 18}, {64000, 262144, 3}, {120000, 737280, 3}, {120200, 640000, 2},
	}},
}

// A part of a GPU, and how many pods ask for it.
type part struct {
	shares int32
	pods   int64
}

// sharedParts count the 3,078 pods that share a GPU.
var sharedParts = []part{
	{810, 1078}, {470, 750}, {320, 336}, {650, 253}, {230, 144}, {460, 130}, {160, 75},
	{590, 75}, {550, 72}, {220, 62}, {370, 53}, {110, 31}, {480, 19},
}

// syntheticRunTimes have the published median and 90th percentile of the
// lifetimes of the list default: 540 s and 6,574 s. A log-normal distribution
// stands for them; the recording's has more very long ones.
var syntheticRunTimes = chance.LogNormal{
	Mu:    6.29156913955832,   // ln 540
	Sigma: 1.9502208743381726, // ln(6574/540) ÷ 1.2815515655446004, the 90th percentile of the normal distribution
}

// longestSyntheticRun, in seconds, is how long the recording is. Run times that
// are drawn longer are cut to it.
const longestSyntheticRun = 12_902_960.0
