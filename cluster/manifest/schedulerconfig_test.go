package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	configv1 "k8s.io/kube-scheduler/config/v1"
)

// configHead begins a configuration; what is put behind it begins at line 3.
const configHead = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"

// An own plugin has options, and a part at several points.
type own struct {
	Speed  int64    `json:"speed"`
	Colour string   `json:"colour"`
	Fast   bool     `json:"fast"`
	Share  float64  `json:"share"`
	Names  []string `json:"names"`
	Inner  struct {
		Depth int `json:"depth"`
	} `json:"inner"`
}

func (*own) Filter(*cluster.State, cluster.PodID) func(cluster.NodeID) scheduler.Verdict { return nil }
func (*own) Score(*cluster.State, cluster.PodID) func(cluster.NodeID) int64              { return nil }
func (*own) Allocate(*cluster.State, cluster.PodID, cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	return cluster.Allocation{}, scheduler.Verdict{}
}

func newOwn(name string) *scheduler.Plugin {
	return &scheduler.Plugin{Name: name, New: func(args scheduler.Args) (any, error) {
		o := &own{}
		if args == nil {
			return o, nil
		}
		if err := args(o); err != nil {
			return nil, err
		}
		if o.Speed < 0 {
			return nil, fmt.Errorf("speed is %d; it must be 0 or more", o.Speed)
		}
		return o, nil
	}}
}

// sorting is a plugin that sorts the queue and permits, and does nothing else.
type sorting struct {
	Lanes int `json:"lanes"`
}

func (sorting) Lane(*cluster.State, cluster.PodID) int    { return 0 }
func (sorting) First(*cluster.State, []cluster.PodID) int { return 0 }
func (sorting) Settle(*cluster.State, cluster.PodID) scheduler.Verdict {
	return scheduler.Verdict{}
}
func (sorting) Permit(*cluster.State, cluster.PodID, cluster.NodeID) (scheduler.Verdict, cluster.Time) {
	return scheduler.Verdict{}, 0
}

func newSorting(name string) *scheduler.Plugin {
	return &scheduler.Plugin{Name: name, New: func(args scheduler.Args) (any, error) {
		so := &sorting{}
		if args == nil {
			return so, nil
		}
		return so, args(so)
	}}
}

// testPlugins are Berth's plugins, and some that somebody else wrote.
var testPlugins = append(slices.Clone(plugins.All), newOwn("Own"), newOwn("Other"), newSorting("Sorting"), &scheduler.Plugin{
	Name: "Failing", New: func(scheduler.Args) (any, error) { return nil, errors.New("it is broken") },
})

func readConfig(t *testing.T, text string) *SchedulerConfig {
	t.Helper()
	c, err := ReadSchedulerConfig(strings.NewReader(text), "x.yaml", testPlugins)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write writes a policy: plugins with weights above 1, and where they are left out.
func write(policy []scheduler.Weighted) string {
	var out []string
	for _, w := range policy {
		text := w.Name
		if w.Weight != 1 {
			text += fmt.Sprintf(":%d", w.Weight)
		}
		for i, name := range []string{"preEnqueue", "preFilter", "filter", "postFilter", "score", "reserve", "permit", "queueSort"} {
			if w.Except&(1<<i) != 0 {
				text += "-" + name
			}
		}
		if w.Args != nil {
			var args any
			if err := w.Args(&args); err != nil {
				args = err
			}
			text += fmt.Sprint(args)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

const kubePolicy = "SchedulingGates NodeUnschedulable NodeName TaintToleration:3 NodeAffinity:2 NodePorts NodeResourcesFit " +
	"PodTopologySpread:2 InterPodAffinity:2 DefaultPreemption NodeResourcesBalancedAllocation ImageLocality NodeDeclaredFeatures"

// kubePolicyBut returns kubePolicy with words changed.
func kubePolicyBut(oldnew ...string) string {
	return strings.NewReplacer(oldnew...).Replace(kubePolicy)
}

// allOff disables what kube-scheduler has by default, but for the queue's order and
// binding.
const allOff = "disabled: [{name: '*'}], enabled: [{name: PrioritySort}, {name: DefaultBinder}"

// allRequired are the plugins that every profile of Berth's has and allOff lacks.
const allRequired = "SchedulingGates-preEnqueue NodeUnschedulable-filter NodeName-filter TaintToleration-filter-score " +
	"NodeAffinity-preFilter-filter-score NodePorts-preFilter-filter NodeResourcesFit-preFilter-filter-score " +
	"PodTopologySpread-preFilter-filter-score InterPodAffinity-preFilter-filter-score NodeDeclaredFeatures-preFilter-filter " +
	"DefaultPreemption-preEnqueue-postFilter"

var policyTests = []struct{ name, text, want string }{
	{"nothing", "", kubePolicy},
	{"a weight at score", "plugins: {score: {enabled: [{name: ImageLocality, weight: 5}]}}", kubePolicyBut("ImageLocality", "ImageLocality:5")},
	{"a weight at all points", "plugins: {multiPoint: {enabled: [{name: NodeAffinity, weight: 7}]}}", kubePolicyBut("NodeAffinity:2", "NodeAffinity:7")},
	{"no weight", "plugins: {multiPoint: {enabled: [{name: NodeAffinity}]}}", kubePolicyBut("NodeAffinity:2", "NodeAffinity")},
	{"weight 0", "plugins: {score: {enabled: [{name: NodeAffinity, weight: 0}]}}", kubePolicyBut("NodeAffinity:2", "NodeAffinity")},
	{"both weights", "plugins: {multiPoint: {enabled: [{name: NodeAffinity, weight: 7}]}, score: {enabled: [{name: NodeAffinity, weight: 9}]}}", kubePolicyBut("NodeAffinity:2", "NodeAffinity:9")},
	{"no score", "plugins: {score: {disabled: [{name: '*'}]}}", kubePolicyBut(
		"TaintToleration:3", "TaintToleration:3-score", "NodeAffinity:2", "NodeAffinity:2-score", "NodeResourcesFit", "NodeResourcesFit-score",
		"PodTopologySpread:2", "PodTopologySpread:2-score", "InterPodAffinity:2", "InterPodAffinity:2-score",
		"NodeResourcesBalancedAllocation", "NodeResourcesBalancedAllocation-score", "ImageLocality", "ImageLocality-score")},
	{"one point less", "plugins: {filter: {disabled: [{name: NodePorts}]}}", kubePolicyBut("NodePorts", "NodePorts-filter")},
	{"no preemption", "plugins: {postFilter: {disabled: [{name: DefaultPreemption}]}}", kubePolicyBut("DefaultPreemption", "DefaultPreemption-postFilter")},
	{"no gates", "plugins: {preEnqueue: {disabled: [{name: SchedulingGates}]}}", kubePolicyBut("SchedulingGates", "SchedulingGates-preEnqueue")},
	{"no plugin that is not required", "plugins: {multiPoint: {disabled: [{name: ImageLocality}]}}", kubePolicyBut(" ImageLocality", "")},
	{"no plugin that is required", "plugins: {multiPoint: {disabled: [{name: NodeName}]}}", kubePolicyBut(" NodeName", "") + " NodeName-filter"},
	{"nothing on", "plugins: {multiPoint: {" + allOff + "]}}", allRequired},
	{"to the end", "plugins: {multiPoint: {disabled: [{name: NodePorts}], enabled: [{name: NodePorts}]}}", kubePolicyBut(" NodePorts", "") + " NodePorts"},
	{"another order", "plugins: {filter: {enabled: [{name: NodePorts}, {name: NodeName}]}}", kubePolicyBut("NodeUnschedulable NodeName", "NodePorts NodeName NodeUnschedulable", "NodePorts ", "")},
	{"another order of preparation", "plugins: {preFilter: {enabled: [{name: NodePorts}, {name: NodeAffinity}]}}", kubePolicy},
	{"what Berth lacks", "plugins: {multiPoint: {enabled: [{name: VolumeBinding, weight: 3}, {name: GangScheduling}], disabled: [{name: VolumeZone}]}}", kubePolicy},
	{"one's own, at all points", "plugins: {multiPoint: {enabled: [{name: Own, weight: 4}]}}", kubePolicy + " Own:4"},
	{"one's own order of the queue", "plugins: {multiPoint: {enabled: [{name: Sorting}], disabled: [{name: PrioritySort}]}}", kubePolicy + " Sorting"},
	{"one's own order of the queue, at that point", "plugins: {queueSort: {enabled: [{name: Sorting}], disabled: [{name: PrioritySort}]}}", kubePolicy + " Sorting-permit"},
	{"one's own that could sort", "plugins: {permit: {enabled: [{name: Sorting}]}}", kubePolicy + " Sorting-queueSort"},
	{"one's own, at one point", "plugins: {score: {enabled: [{name: Own, weight: 4}]}}", kubePolicy + " Own:4-filter-reserve"},
	{"two of one's own", "plugins: {multiPoint: {enabled: [{name: Own}, {name: Other}]}, reserve: {enabled: [{name: Other}, {name: Own}]}, filter: {disabled: [{name: Own}]}}", kubePolicy + " Other Own-filter"},
	{"one's own alone", "plugins: {multiPoint: {" + allOff + ", {name: Own}]}}", "Own " + allRequired},
	{"arguments", "pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 7}}]", kubePolicyBut("InterPodAffinity:2", "InterPodAffinity:2map[hardPodAffinityWeight:7]")},
	{"arguments that say their type", "pluginConfig: [{name: InterPodAffinity, args: {kind: InterPodAffinityArgs, apiVersion: kubescheduler.config.k8s.io/v1, hardPodAffinityWeight: 7}}]", kubePolicyBut("InterPodAffinity:2", "InterPodAffinity:2map[hardPodAffinityWeight:7]")},
	{"arguments that say only that", "pluginConfig: [{name: InterPodAffinity, args: {kind: InterPodAffinityArgs}}, {name: NodeAffinity}, {name: NodeResourcesFit, args: null}]", kubePolicy},
	{"arguments of one's own", "plugins: {multiPoint: {enabled: [{name: Own}]}}, pluginConfig: [{name: Own, args: {speed: 3, share: 0.5, inner: {depth: 1}, names: [a]}}]", kubePolicy + " Ownmap[inner:map[depth:1] names:[a] share:0.5 speed:3]"},
	{"arguments of what is off", "pluginConfig: [{name: Own, args: {speed: 3}}]", kubePolicy},
}

func TestSchedulerPolicy(t *testing.T) {
	for _, tt := range policyTests {
		t.Run(tt.name, func(t *testing.T) {
			c := readConfig(t, configHead+"profiles: [{"+tt.text+"}]\n")
			if got := write(c.Profiles[0].Policy); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if _, err := c.Profiles[0].New(testPlugins); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSchedulerDefaults says that no configuration is the policy that Berth ships.
func TestSchedulerDefaults(t *testing.T) {
	want := &SchedulerConfig{
		Profiles:       []SchedulerProfile{{Name: "default-scheduler", Policy: plugins.Kube, Sampling: scheduler.Sampling{Adaptive: true}}},
		InitialBackoff: 1, MaxBackoff: 10,
	}
	for _, text := range []string{
		configHead, "\xef\xbb\xbf" + configHead, "# so\n---\n" + configHead + "---\n# no more\n",
		` {"kind": "KubeSchedulerConfiguration", "apiVersion": "kubescheduler.config.k8s.io/v1", "profiles": [{}]} ` + "\n",
	} {
		if got := readConfig(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// TestSchedulerProfiles reads what profiles and the whole say beside plugins.
func TestSchedulerProfiles(t *testing.T) {
	c := readConfig(t, configHead+`
percentageOfNodesToScore: 30
podInitialBackoffSeconds: 2
podMaxBackoffSeconds: 2
parallelism: 1
leaderElection: {leaderElect: no, leaseDuration: 1s, renewDeadline: 2s, resourceLock: none}
clientConnection: {kubeconfig: here, qps: .5, burst: 3}
enableProfiling: off
delayCacheUntilActive: true
profiles:
- schedulerName: a
- schedulerName: b
  percentageOfNodesToScore: 0
- schedulerName: c
  percentageOfNodesToScore: 100
  plugins: {multiPoint: {`+allOff+`]}}
`)
	if c.InitialBackoff != 2 || c.MaxBackoff != 2 {
		t.Errorf("backoff %d to %d", c.InitialBackoff, c.MaxBackoff)
	}
	got := ""
	for _, p := range c.Profiles {
		got += fmt.Sprintf("%s %v %d plugins\n", p.Name, p.Sampling, len(strings.Fields(write(p.Policy))))
	}
	if want := "a {true 30} 13 plugins\nb {true 0} 13 plugins\nc {true 100} 11 plugins\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSchedulerExtenders(t *testing.T) {
	c := readConfig(t, configHead+`
profiles:
- pluginConfig:
  - name: NodeResourcesFit
    args: {ignoredResources: [a.com/other], ignoredResourceGroups: [b.com]}
extenders:
- {urlPrefix: "http://a", filterVerb: f, prioritizeVerb: p, weight: 3, ignorable: true, nodeCacheCapable: true}
- urlPrefix: https://b
  bindVerb: b
  preemptVerb: pre
  enableHTTPS: true
  httpTimeout: 1m
  tlsConfig: {serverName: s, certFile: c, keyFile: k, caFile: ca, certData: Yw==, keyData: aw==, caData: Y2E=}
  managedResources: [{name: a.com/gpu, ignoredByScheduler: true}, {name: a.com/link}]
`)
	want := []Extender{
		{
			URLPrefix: "https://b", BindVerb: "b", PreemptVerb: "pre", EnableHTTPS: true, HTTPTimeout: time.Minute,
			TLS:              &ExtenderTLS{false, "s", "c", "k", "ca", []byte("c"), []byte("k"), []byte("ca")},
			ManagedResources: []ManagedResource{{"a.com/gpu", true}, {"a.com/link", false}},
		},
		{URLPrefix: "http://a", FilterVerb: "f", PrioritizeVerb: "p", Weight: 3, Ignorable: true, NodeCacheCapable: true, HTTPTimeout: 5 * time.Second},
	}
	if !reflect.DeepEqual(c.Extenders, want) {
		t.Errorf("got %+v, want %+v", c.Extenders, want)
	}
	policy := kubePolicyBut("NodeResourcesFit", "NodeResourcesFitmap[ignoredResourceGroups:[b.com] ignoredResources:[a.com/gpu]]")
	if got := write(c.Profiles[0].Policy); got != policy {
		t.Errorf("got %s, want %s", got, policy)
	}
	c = readConfig(t, configHead+"extenders: [{managedResources: [{name: a.com/gpu, ignoredByScheduler: true}]}]\n")
	policy = kubePolicyBut("NodeResourcesFit", "NodeResourcesFitmap[ignoredResources:[a.com/gpu]]")
	if got := write(c.Profiles[0].Policy); got != policy {
		t.Errorf("without arguments: got %s, want %s", got, policy)
	}
}

func TestSchedulerConfigUnreadable(t *testing.T) {
	_, err := ReadSchedulerConfig(iotest.ErrReader(errors.New("no disk")), "x.yaml", testPlugins)
	if want := "reading the scheduler configuration x.yaml: no disk"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestSchedulerFileHasAllFields holds the types that stand for Kubernetes' own
// against these.
func TestSchedulerFileHasAllFields(t *testing.T) {
	of := reflect.TypeFor[configv1.KubeSchedulerConfiguration]()
	member := func(t reflect.Type, name string) reflect.Type {
		f, _ := t.FieldByName(name)
		return f.Type
	}
	for _, tt := range []struct{ ours, theirs reflect.Type }{
		{reflect.TypeFor[schedulerFile](), of},
		{reflect.TypeFor[electionFile](), member(of, "LeaderElection")},
		{reflect.TypeFor[connectionFile](), member(of, "ClientConnection")},
		{reflect.TypeFor[extenderFile](), reflect.TypeFor[configv1.Extender]()},
		{reflect.TypeFor[tlsFile](), reflect.TypeFor[configv1.ExtenderTLSConfig]()},
	} {
		if ours, theirs := jsonNames(tt.ours), jsonNames(tt.theirs); !slices.Equal(ours, theirs) {
			t.Errorf("%v has %v, Kubernetes %v", tt.ours, ours, theirs)
		}
	}
	if got, want := len(jsonNames(reflect.TypeFor[configv1.Plugins]())), int(pointCount)+1; got != want {
		t.Errorf("Kubernetes has %d sets of plugins, Berth knows %d", got, want)
	}
	for pt, set := range pluginSets(&configv1.Plugins{Score: configv1.PluginSet{Enabled: []configv1.Plugin{{}}}}) {
		if (len(set.Enabled) > 0) != (pointNames[pt] == "score") {
			t.Errorf("the set of %s is another's", pointNames[pt])
		}
	}
}

// jsonNames returns the names of a struct's fields in JSON, sorted.
func jsonNames(typ reflect.Type) (names []string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			names = append(names, jsonNames(f.Type)...)
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// FuzzReadSchedulerConfig reads anything. What is wrong is told on one line; what
// is right makes profiles.
func FuzzReadSchedulerConfig(f *testing.F) {
	for _, tt := range policyTests {
		f.Add([]byte(configHead + "profiles: [{" + tt.text + "}]\n"))
	}
	for _, tt := range configErrorTests {
		f.Add([]byte(tt.text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := ReadSchedulerConfig(strings.NewReader(string(content)), "x", testPlugins)
		var wrong *Error
		switch {
		case err == nil:
			for _, p := range c.Profiles {
				if _, err := p.New(testPlugins); err != nil {
					t.Error(err)
				}
			}
		case !errors.As(err, &wrong) || strings.ContainsAny(err.Error(), "\n\r") || wrong.Problem == "" || wrong.Remedy == "":
			t.Errorf("%q is no line that says all", err)
		}
	})
}
