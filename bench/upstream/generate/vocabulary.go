package generate

import (
	"math"

	v1 "k8s.io/api/core/v1"
)

// Label keys of nodes. Zone and region have deprecated names that upstream prefers for ordering nodes.
const (
	rackLabel    = "example.com/rack"
	diskLabel    = "disk"
	genLabel     = "gen"
	absentLabel  = "example.com/absent"
	betaZone     = v1.LabelFailureDomainBetaZone
	betaRegion   = v1.LabelFailureDomainBetaRegion
	appLabel     = "app"
	tierLabel    = "tier"
	hashLabel    = "pod-template-hash"
	teamLabel    = "team"
	defaultSched = v1.DefaultSchedulerName
)

var (
	zoneNames   = []string{"a", "b", "c", "d"}
	regionNames = []string{"north", "south"}
	disks       = []string{"ssd", "hdd", "nvme", ""}
	racks       = []string{"1", "2", "3", "4", "5"}
	// gens are compared with Gt and Lt: some are no integers, or none that fit in 64 bits.
	gens = []string{"1", "2", "3", "4", "5", "5", "007", "0", "x", "", "3.5", "9223372036854775807", "9223372036854775808"}
	// bounds are what gens are compared with. The API server doesn't parse them.
	bounds = []string{"1", "3", "4", "5", "5", "0", "7", "007", "9223372036854775807"}
	// notBounds are no integers, or none that fit in 64 bits; upstream skips a required term with one.
	notBounds = []string{"x", "3.5", "", "9223372036854775808"}
	// notLabels are integers but can't be values of labels, which upstream wants as well.
	notLabels = []string{"-1", "+4"}

	topologyKeys = []string{
		v1.LabelHostname, v1.LabelHostname, v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelTopologyZone,
		v1.LabelTopologyRegion, rackLabel, rackLabel, diskLabel, absentLabel,
	}

	apps   = []string{"web", "db", "cache", "batch"}
	tiers  = []string{"front", "back"}
	teams  = []string{"red", "blue"}
	hashes = []string{"5d4f", "6c7b"}

	taintKeys    = []string{"dedicated", "gpu", "spot", v1.TaintNodeNotReady}
	taintValues  = []string{"", "x", "y"}
	taintEffects = []v1.TaintEffect{
		v1.TaintEffectNoSchedule, v1.TaintEffectNoExecute,
		v1.TaintEffectPreferNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectPreferNoSchedule,
	}

	extended = []v1.ResourceName{"example.com/gpu", "example.com/fpga", "other.io/nic"}
	hugepage = []v1.ResourceName{v1.ResourceHugePagesPrefix + "2Mi", v1.ResourceHugePagesPrefix + "1Gi"}

	// declaredFeatures are what nodes may declare; the first two are what pods may need.
	declaredFeatures = []string{
		"RestartAllContainersOnContainerExits", "UserNamespacesHostNetworkSupport",
		"ExtendWebSocketsToKubelet", "InPlacePodVerticalScalingInitContainers", "SomethingNewer",
	}

	priorityValues = []int32{math.MinInt32, -10, 0, 0, 5, 5, 10, 1000, 2000000000}

	hostPorts = []int32{80, 443, 8080}
	hostIPs   = []string{"", "", "0.0.0.0", "127.0.0.1", "10.0.0.1", "::"}
	protocols = []v1.Protocol{v1.ProtocolTCP, v1.ProtocolTCP, v1.ProtocolUDP, v1.ProtocolSCTP}
)

// image is a container image: what pods call it, what nodes call it and its sizes around the
// thresholds of ImageLocality.
type image struct {
	asked []string
	names []string
	size  int64
}

const mebi = 1 << 20

var imagePool = []image{
	{[]string{"tiny", "tiny:latest"}, []string{"tiny:latest"}, 22 * mebi},
	{[]string{"least"}, []string{"least:latest", "mirror.example:5000/least:latest"}, 23 * mebi},
	{[]string{"small:v1"}, []string{"small:v1"}, 24*mebi + 1},
	{[]string{"registry.example:5000/team/app", "registry.example:5000/team/app:latest"}, []string{"registry.example:5000/team/app:latest"}, 400 * mebi},
	{[]string{"db@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "db:15"},
		[]string{"db@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "db:15"}, 777*mebi + 777},
	{[]string{"large"}, []string{"large:latest", "large:v2"}, 1000 * mebi},
	{[]string{"larger:v3"}, []string{"larger:v3"}, 1000*mebi + 1},
	{[]string{"giant", "giant:v9"}, []string{"giant:v9", "giant:latest"}, 5000 * mebi},
	{[]string{"empty"}, []string{"empty:latest"}, 0},
	{[]string{"nowhere"}, nil, 0},
}
