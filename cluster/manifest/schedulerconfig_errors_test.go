package manifest

import (
	"strings"
	"testing"
)

// profile returns a configuration with one profile, whose text begins on line 4.
func profile(text string) string { return configHead + "profiles:\n- " + text }

// pluginSet returns a configuration that says something of one point on line 7.
func pluginSet(point, text string) string {
	return profile("schedulerName: a\n  plugins:\n    " + point + ":\n      " + text + "\n")
}

// pluginArgs returns a configuration with a plugin's arguments, which begin on line 7.
func pluginArgs(plugin, text string) string {
	return profile("pluginConfig:\n  - name: " + plugin + "\n    args:\n      " + text + "\n")
}

// extender returns a configuration with an extender, the text on line 5.
func extender(text string) string {
	return configHead + "extenders:\n- urlPrefix: http://a/\n  " + text + "\n"
}

const (
	knownPlugins = "SchedulingGates, PrioritySort, NodeUnschedulable, NodeName, TaintToleration, NodeAffinity, NodePorts, NodeResourcesFit, " +
		"VolumeRestrictions, NodeVolumeLimits, VolumeBinding, VolumeZone, PodTopologySpread, InterPodAffinity, DynamicResources, " +
		"DefaultPreemption, NodeResourcesBalancedAllocation, ImageLocality, DefaultBinder, NodeDeclaredFeatures, GangScheduling, " +
		"TopologyPlacementGenerator, PodGroupPodsCount, GPUDevices, LeastAllocated, MostAllocated, Random, DotProd, GPUClustering, " +
		"GPUPacking, BestFit, FGD, ElasticQuota, Own, Other, Sorting, Failing"
	thisAPI = "correct or remove it; Berth reads the API of Kubernetes 1.36.3"
)

var configErrorTests = []struct{ name, text, want string }{
	{"nothing", "", "x.yaml: the file says nothing; give a KubeSchedulerConfiguration"},
	{"comments", "# none\n---\n", "x.yaml: the file says nothing; give a KubeSchedulerConfiguration"},
	{"YAML", configHead + "profiles: [\n", "x.yaml:3: did not find expected node content; correct the YAML"},
	{"JSON", "{\n", "x.yaml:2: the text ends where a string should be; give the whole file"},
	{"JSON and more", "{\"kind\": \"KubeSchedulerConfiguration\",\n\"apiVersion\": \"kubescheduler.config.k8s.io/v1\"}\n\n{}", "x.yaml:4: something follows the configuration; leave it out"},
	{"two documents", configHead + "---\nkind: Pod\n", "x.yaml:3: a second document begins, which kube-scheduler would not look at; leave it out"},
	{"a list", "- a\n", "x.yaml:1: there is '[' where an object should be; correct the file"},
	{"no kind", "apiVersion: kubescheduler.config.k8s.io/v1\n", "x.yaml:1: the configuration has no apiVersion or no kind; write both: apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration"},
	{"a pod", "apiVersion: v1\nkind: Pod\n", `x.yaml:2: kind is "Pod"; write KubeSchedulerConfiguration`},
	{"an older version", "kind: KubeSchedulerConfiguration\napiVersion: kubescheduler.config.k8s.io/v1beta3\n", `x.yaml:2: apiVersion is "kubescheduler.config.k8s.io/v1beta3"; write kubescheduler.config.k8s.io/v1, and what that version says`},
	{"a field of an older version", configHead + "healthzBindAddress: 0.0.0.0\n", `x.yaml:3: the configuration has no field "healthzBindAddress"; ` + thisAPI},
	{"a field with members", configHead + "algorithmSource:\n  provider: a\n", `x.yaml:3: the configuration has no field "algorithmSource"; ` + thisAPI},
	{"a key twice", configHead + "parallelism: 1\nparallelism: 2\n", "x.yaml:4: parallelism is given twice; leave one out"},
	{"parallelism", configHead + "parallelism: -1\n", "x.yaml:3: parallelism is -1; write a number above 0"},
	{"burst", configHead + "clientConnection:\n  burst: -1\n", "x.yaml:4: clientConnection.burst is -1; write 0, for the default, or more"},
	{"qps", configHead + "clientConnection:\n  qps: fast\n", `x.yaml:4: clientConnection.qps is "\"fast\"", which is no number; correct it`},
	{"lock", configHead + "leaderElection:\n  resourceLock: endpoints\n", `x.yaml:4: leaderElection.resourceLock is "endpoints"; write leases`},
	{"retry", configHead + "leaderElection:\n  retryPeriod: -1s\n", "x.yaml:4: leaderElection.retryPeriod is -1s; write a duration above 0"},
	{"lease", configHead + "leaderElection:\n  renewDeadline: 20s\n", "x.yaml:4: leaderElection.leaseDuration is 15s, and renewDeadline is 20s; make it longer than renewDeadline"},
	{"duration", configHead + "leaderElection:\n  leaseDuration: 1 minute\n", `x.yaml:4: leaderElection.leaseDuration is "\"1 minute\"", which is no Duration; write a duration such as 30s`},
	{"percentage", configHead + "percentageOfNodesToScore: 101\n", "x.yaml:3: percentageOfNodesToScore is 101; write a number from 0, for kube-scheduler's default, to 100"},
	{"percentage of a profile", profile("percentageOfNodesToScore: -1\n"), "x.yaml:4: profiles[0].percentageOfNodesToScore is -1; write a number from 0, for kube-scheduler's default, to 100"},
	{"backoff", configHead + "podInitialBackoffSeconds: 0\n", "x.yaml:3: podInitialBackoffSeconds is 0; write a number above 0"},
	{"backoffs", configHead + "podInitialBackoffSeconds: 5\npodMaxBackoffSeconds: 4\n", "x.yaml:4: podMaxBackoffSeconds: pods wait 5 seconds at first and 4 at most; make podMaxBackoffSeconds as large as podInitialBackoffSeconds, or larger"},
	{"backoff over the default", configHead + "podInitialBackoffSeconds: 11\n", "x.yaml:3: podInitialBackoffSeconds: pods wait 11 seconds at first and 10 at most; make podMaxBackoffSeconds as large as podInitialBackoffSeconds, or larger"},

	{"no name", profile("schedulerName: ''\n"), "x.yaml:4: profiles[0].schedulerName is missing; give each profile a name, such as default-scheduler"},
	{"a name for one of two", profile("schedulerName: a\n- plugins: {}\n"), "x.yaml:5: profiles[1].schedulerName is missing; give each profile a name, such as default-scheduler"},
	{"a name twice", profile("schedulerName: a\n- schedulerName: b\n- schedulerName: a\n"), `x.yaml:6: profiles[2].schedulerName is "a", as that of profiles[0]; give each profile another name`},
	{"a field of a profile", profile("schedulername: a\n"), `x.yaml:4: profiles[0] has no field "schedulername"; did you mean schedulerName?`},
	{"a point", pluginSet("unreserve", "{}"), `x.yaml:6: profiles[0].plugins has no field "unreserve"; did you mean reserve?`},
	{"a field of a set", pluginSet("score", "enable: []"), `x.yaml:7: profiles[0].plugins.score has no field "enable"; did you mean enabled?`},
	{"a list of names", pluginSet("score", "enabled: [NodeName]"), "x.yaml:7: profiles[0].plugins.score.enabled[0] is a string, where an object should be; write an object"},

	{"no plugin", pluginSet("score", "enabled: [{name: A}]"), `x.yaml:7: profiles[0].plugins.score.enabled[0].name is "A", which is no plugin; name one of ` + knownPlugins},
	{"no plugin but nearly", pluginSet("multiPoint", "enabled: [{name: nodeaffinity}]"), `x.yaml:7: profiles[0].plugins.multiPoint.enabled[0].name is "nodeaffinity", which is no plugin; did you mean NodeAffinity? name one of ` + knownPlugins},
	{"no plugin to disable", pluginSet("filter", "disabled: [{name: '*'}, {name: A}]"), `x.yaml:7: profiles[0].plugins.filter.disabled[1].name is "A", which is no plugin; name one of ` + knownPlugins},
	{"a set's name", pluginSet("score", "enabled: [{name: Kube}]"), `x.yaml:7: profiles[0].plugins.score.enabled[0].name is "Kube", which is no plugin; name one of ` + knownPlugins},
	{"a plugin that is always there", pluginSet("filter", "disabled: [{name: GPUDevices}]"), `x.yaml:7: profiles[0].plugins.filter.disabled[0].name is "GPUDevices", which every profile of this program has; leave it out here`},
	{"a plugin that scores not", pluginSet("score", "enabled: [{name: NodeName}]"), `x.yaml:7: profiles[0].plugins.score.enabled[0].name is "NodeName", which has no part there; leave it out here`},
	{"one's own that binds not", pluginSet("bind", "enabled: [{name: Own}]"), `x.yaml:7: profiles[0].plugins.bind.enabled[0].name is "Own", which has no part there; leave it out here`},
	{"a plugin twice", pluginSet("score", "enabled: [{name: Own}, {name: Own}]"), `x.yaml:7: profiles[0].plugins.score.enabled[1].name is "Own" for the second time; name it once`},
	{"a plugin twice at all points", pluginSet("multiPoint", "enabled: [{name: Own}, {name: Own}]"), `x.yaml:7: profiles[0].plugins.multiPoint.enabled[1].name is "Own" for the second time; name it once`},
	{"a weight", pluginSet("score", "enabled: [{name: Own, weight: -3}]"), "x.yaml:7: profiles[0].plugins.score.enabled[0].weight is -3, by which the worst nodes would be favoured; write a number above 0, or disable the plugin at score"},
	{"a weight of another type", pluginSet("score", "enabled: [{name: Own, weight: 1.5}]"), "x.yaml:7: profiles[0].plugins.score.enabled[0].weight is 1.5; write a whole number of 32 bits"},
	{"a plugin that fails", pluginSet("score", "enabled: [{name: Failing}]"), "x.yaml:6: profiles[0].plugins: plugin Failing: it is broken; correct the plugin's arguments"},
	{"no order of the queue", pluginSet("queueSort", "disabled: [{name: PrioritySort}]"), "x.yaml:6: profiles[0].plugins: no plugin sorts the queue; leave PrioritySort enabled, or enable another plugin that sorts"},
	{"another order of the queue", pluginSet("queueSort", "enabled: [{name: Own}]"), `x.yaml:7: profiles[0].plugins.queueSort.enabled[0].name is "Own", which has no part there; leave it out here`},
	{"orders of the queue", profile("schedulerName: a\n- schedulerName: b\n  plugins:\n    queueSort:\n      enabled: [{name: PrioritySort}]\n"), "x.yaml:8: profiles[1].plugins.queueSort: differs from what profiles[0] says; say the same in all profiles; there is one queue for all"},
	{"orders of the queue by what is off", profile("schedulerName: a\n- schedulerName: b\n  plugins: {queueSort: {disabled: [{name: NodeName}]}}\n"), "x.yaml:6: profiles[1].plugins.queueSort: differs from what profiles[0] says; say the same in all profiles; there is one queue for all"},
	{"orders of the queue by arguments", profile("schedulerName: a\n- schedulerName: b\n  pluginConfig: [{name: PrioritySort, args: {a: 1}}]\n"), "x.yaml:5: profiles[1].plugins.queueSort: differs from what profiles[0] says; say the same in all profiles; there is one queue for all"},
	{"two orders of the queue", pluginSet("multiPoint", "enabled: [{name: Sorting}]"), "x.yaml:6: profiles[0].plugins.queueSort: PrioritySort and Sorting both sort the queue, which has one order; disable PrioritySort at queueSort"},
	{"orders of the queue at all points", profile("schedulerName: a\n- schedulerName: b\n  plugins: {multiPoint: {disabled: [{name: PrioritySort}], enabled: [{name: Sorting}]}}\n"), "x.yaml:6: profiles[1].plugins.queueSort: differs from what profiles[0] says; say the same in all profiles; there is one queue for all"},
	{"orders of the queue by one's own arguments", profile("schedulerName: a\n  plugins: {multiPoint: {disabled: [{name: PrioritySort}], enabled: [{name: Sorting}]}}\n  pluginConfig: [{name: Sorting, args: {lanes: 1}}]\n- schedulerName: b\n  plugins: {multiPoint: {disabled: [{name: PrioritySort}], enabled: [{name: Sorting}]}}\n  pluginConfig: [{name: Sorting, args: {lanes: 2}}]\n"), "x.yaml:8: profiles[1].plugins.queueSort: differs from what profiles[0] says; say the same in all profiles; there is one queue for all"},
	{"no binding", pluginSet("bind", "disabled: [{name: '*'}]"), "x.yaml:6: profiles[0].plugins: no plugin binds pods; leave DefaultBinder enabled; an extender that binds needs it beside it"},
	{"a filter that is not prepared", pluginSet("preFilter", "disabled: [{name: NodePorts}]"), "x.yaml:6: profiles[0].plugins.filter: NodePorts is on there but not at preFilter, and so fails for every pod; disable it at filter too"},
	{"a score that is not prepared", pluginSet("preScore", "disabled: [{name: TaintToleration}]"), "x.yaml:6: profiles[0].plugins.score: TaintToleration is on there but not at preScore, and so fails for every pod; disable it at score too"},
	{"two orders", profile("plugins:\n    filter: {enabled: [{name: Own}, {name: Other}]}\n    reserve: {enabled: [{name: Other}, {name: Own}]}\n"), "x.yaml:5: profiles[0].plugins: Own and others come in another order at one point than at another; give them one order; Berth has no other"},

	{"arguments of no plugin", pluginArgs("A", "a: 1"), `x.yaml:5: profiles[0].pluginConfig[0].name is "A", which is no plugin; name one of ` + knownPlugins},
	{"arguments twice", profile("pluginConfig:\n  - name: Own\n  - name: NodeName\n  - name: Own\n"), `x.yaml:7: profiles[0].pluginConfig[2].name is "Own" for the second time; give a plugin's arguments once`},
	{"arguments that are a list", pluginArgs("Own", "- a"), "x.yaml:7: profiles[0].pluginConfig[0].args is no object; write the plugin's arguments by their names"},
	{"arguments that nobody wants", pluginArgs("NodeName", "a: 1"), "x.yaml:7: profiles[0].pluginConfig[0].args has options, and NodeName takes none; remove them"},
	{"another's arguments", pluginArgs("NodeAffinity", "kind: InterPodAffinityArgs"), `x.yaml:7: profiles[0].pluginConfig[0].args.kind is "InterPodAffinityArgs"; write NodeAffinityArgs, or leave it out`},
	{"arguments of an older version", pluginArgs("NodeAffinity", "apiVersion: kubescheduler.config.k8s.io/v1beta3"), `x.yaml:7: profiles[0].pluginConfig[0].args.apiVersion is "kubescheduler.config.k8s.io/v1beta3"; write kubescheduler.config.k8s.io/v1, or leave it out`},
	{"an argument", pluginArgs("InterPodAffinity", "\n      hardPodAffinityWeights:\n        2"), `x.yaml:8: profiles[0].pluginConfig[0].args has no field "hardPodAffinityWeights"; did you mean hardPodAffinityWeight?`},
	{"an argument's type", pluginArgs("InterPodAffinity", "ignorePreferredTermsOfExistingPods: true\n      hardPodAffinityWeight: '2'"), "x.yaml:8: profiles[0].pluginConfig[0].args.hardPodAffinityWeight is a string, where a whole number should be; write a whole number"},
	{"an argument's value", pluginArgs("InterPodAffinity", "ignorePreferredTermsOfExistingPods: true\n      hardPodAffinityWeight: 101"), "x.yaml:8: profiles[0].pluginConfig[0].args: hardPodAffinityWeight 101; it goes from 0 to 100"},
	{"a value deep inside", pluginArgs("PodTopologySpread", "defaultingType: List\n      defaultConstraints:\n      - {maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway}\n      - topologyKey: b\n        whenUnsatisfiable: ScheduleAnyway\n        maxSkew: 0"), "x.yaml:12: profiles[0].pluginConfig[0].args: defaultConstraints[1]: maxSkew 0; it must be above 0"},
	{"an argument of one's own", pluginArgs("Own", "speed: 1\n      pace: 2"), `x.yaml:8: profiles[0].pluginConfig[0].args has no field "pace"; correct or remove it; the plugin has no such option`},
	{"one inside another", pluginArgs("Own", "speed: 1\n      inner:\n        width: 2"), `x.yaml:9: profiles[0].pluginConfig[0].args has no field "width"; correct or remove it; the plugin has no such option`},
	{"one's own twice", pluginArgs("Own", "speed: 1\n      speed: 2"), "x.yaml:8: profiles[0].pluginConfig[0].args.speed is given twice; leave one out"},
	{"a number of one's own", pluginArgs("Own", "kind: OwnArgs\n      speed: fast"), "x.yaml:8: profiles[0].pluginConfig[0].args.speed is a string, where a whole number should be; write a whole number"},
	{"a number inside", pluginArgs("Own", "inner:\n        depth: {}"), "x.yaml:8: profiles[0].pluginConfig[0].args.inner.depth is an object, where a whole number should be; write a whole number"},
	{"a boolean of one's own", pluginArgs("Own", "fast: 1"), "x.yaml:7: profiles[0].pluginConfig[0].args.fast is a number, where true or false should be; write true or false"},
	{"a share of one's own", pluginArgs("Own", "share: []"), "x.yaml:7: profiles[0].pluginConfig[0].args.share is a list, where a number should be; write a number"},
	{"names of one's own", pluginArgs("Own", "names: a"), "x.yaml:7: profiles[0].pluginConfig[0].args.names is a string, where a list should be; write a list"},
	{"a text of one's own", pluginArgs("Own", "colour: yes"), "x.yaml:7: profiles[0].pluginConfig[0].args.colour is true or false, where a string should be; write a string"},
	{"what one's own finds", pluginArgs("Own", "fast: true\n      speed: -1"), "x.yaml:8: profiles[0].pluginConfig[0].args: speed is -1; it must be 0 or more"},
	{"volumes", pluginArgs("VolumeBinding", "bindTimeoutSeconds: -1"), "x.yaml:7: profiles[0].pluginConfig[0].args.bindTimeoutSeconds is -1; write 0 or more"},
	{"volumes' shape", pluginArgs("VolumeBinding", "shape: []"), "x.yaml:7: profiles[0].pluginConfig[0].args.shape is set, and the feature gate StorageCapacityScoring is off; remove it"},
	{"claims' filter", pluginArgs("DynamicResources", "filterTimeout: -1s"), "x.yaml:7: profiles[0].pluginConfig[0].args.filterTimeout is -1s; write a duration of 0 or more"},
	{"claims' binding", pluginArgs("DynamicResources", "bindingTimeout: 0s"), "x.yaml:7: profiles[0].pluginConfig[0].args.bindingTimeout is 0s; write a duration of 1s or more"},

	{"an extender's weight", extender("prioritizeVerb: p"), "x.yaml:4: extenders[0].weight is 0, for an extender that prioritizes; write a weight such as 1, or remove prioritizeVerb"},
	{"an extender's field", extender("timeout: 5s"), `x.yaml:5: extenders[0] has no field "timeout"; ` + thisAPI},
	{"two extenders that bind", extender("bindVerb: b\n- urlPrefix: http://b/\n  bindVerb: b"), "x.yaml:7: extenders[1].bindVerb is the second in the file; let one extender bind, and no other"},
	{"an extender's resource", extender("managedResources: [{name: cpu}]"), `x.yaml:5: extenders[0].managedResources[0].name is "cpu", which is no extended resource; name one such as example.com/device`},
	{"an extender's name", extender("managedResources: [{name: a.com/b c}]"), `x.yaml:5: extenders[0].managedResources[0].name is "a.com/b c", which is no name of a resource; name one such as example.com/device`},
	{"a resource twice", extender("managedResources: [{name: a.com/b}, {name: a.com/b}]"), `x.yaml:5: extenders[0].managedResources[1].name is "a.com/b" for the second time; let one extender manage it`},
	{"an extender's safety", extender("tlsConfig: {insecure: true, caData: Yw==}"), "x.yaml:5: extenders[0].tlsConfig.insecure is true although there is a CA to verify the server by; remove one of the two"},
	{"an extender's data", extender("tlsConfig: {keyData: '?'}"), `x.yaml:5: extenders[0].tlsConfig.keyData is "\"?\"", which is no base64; correct it`},
	{"a resource that nobody could ignore", pluginSet("multiPoint", "disabled: [{name: NodeResourcesFit}]") + "extenders: [{managedResources: [{name: a.com/b, ignoredByScheduler: true}]}]\n", "x.yaml:4: profiles[0]: an extender has resources ignored by NodeResourcesFit, and the profile lacks that; enable it, or give its arguments in pluginConfig"},
}

func TestSchedulerConfigErrors(t *testing.T) {
	for _, tt := range configErrorTests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadSchedulerConfig(strings.NewReader(tt.text), "x.yaml", testPlugins)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestSchedulerConfigWithout reads for a program that lacks plugins of Kubernetes.
func TestSchedulerConfigWithout(t *testing.T) {
	_, err := ReadSchedulerConfig(strings.NewReader(configHead), "x.yaml", nil)
	want := "x.yaml:1: profiles[0].plugins: this program was built without SchedulingGates; disable it at multiPoint, or build the program with it"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
