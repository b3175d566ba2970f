package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	upstream "k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/validation"
	"sigs.k8s.io/yaml"

	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"

	"github.com/berthsim/berth/bench/upstream/generate"
	"github.com/berthsim/berth/bench/upstream/oracle"
)

// pinned sets what the oracle sets for the whole process.
var pinned = sync.OnceValue(func() error {
	o, err := oracle.New(oracle.Config{})
	if err == nil {
		o.Close()
	}
	return err
})

// upstreamConfig is a configuration as kube-scheduler runs it: after defaults, and with the plugins at
// each extension point by profile.
type upstreamConfig struct {
	*config.KubeSchedulerConfiguration
	plugins map[string]*config.Plugins
}

// loadUpstream reads a configuration and builds a scheduler of it, as kube-scheduler does when it starts.
// The oracle's own loader refuses extenders.
func loadUpstream(text []byte) (*upstreamConfig, error) {
	if err := pinned(); err != nil {
		return nil, err
	}
	obj, kind, err := scheme.Codecs.UniversalDecoder().Decode(text, nil, nil)
	if err != nil {
		return nil, err
	}
	cfg, ok := obj.(*config.KubeSchedulerConfiguration)
	if !ok {
		return nil, fmt.Errorf("it is a %s", kind)
	}
	cfg.APIVersion = schema.GroupVersion{Group: kind.Group, Version: kind.Version}.String()
	if err := validation.ValidateKubeSchedulerConfiguration(cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	defer cancel()
	client := &fake.Clientset{}
	recorders := func(string) events.EventRecorderLogger { return &events.FakeRecorder{} }
	s, err := upstream.New(ctx, client, upstream.NewInformerFactory(client, 0), nil, recorders,
		upstream.WithProfiles(cfg.Profiles...), upstream.WithExtenders(cfg.Extenders...))
	if err != nil {
		return nil, err
	}
	defer s.SchedulingQueue.Close()
	u := &upstreamConfig{cfg, map[string]*config.Plugins{}}
	for name, f := range s.Profiles {
		u.plugins[name] = f.ListPlugins()
	}
	return u, nil
}

func loadBerth(name string, text []byte) (*manifest.SchedulerConfig, error) {
	return manifest.ReadSchedulerConfig(bytes.NewReader(text), name, plugins.All)
}

// atPoints are the extension points that Berth has too.
var atPoints = []struct {
	is  scheduler.Points
	set func(*config.Plugins) []config.Plugin
}{
	{scheduler.AtPreEnqueue, func(p *config.Plugins) []config.Plugin { return p.PreEnqueue.Enabled }},
	{scheduler.AtPreFilter, func(p *config.Plugins) []config.Plugin { return p.PreFilter.Enabled }},
	{scheduler.AtFilter, func(p *config.Plugins) []config.Plugin { return p.Filter.Enabled }},
	{scheduler.AtPostFilter, func(p *config.Plugins) []config.Plugin { return p.PostFilter.Enabled }},
	{scheduler.AtScore, func(p *config.Plugins) []config.Plugin { return p.Score.Enabled }},
	{scheduler.AtReserve, func(p *config.Plugins) []config.Plugin { return p.Reserve.Enabled }},
}

// pointsOf says at which points a plugin is in upstream's default configuration, which has every plugin
// of Berth's everywhere.
var pointsOf = sync.OnceValue(func() map[string]scheduler.Points {
	u, err := loadUpstream([]byte("apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"))
	if err != nil {
		panic(err)
	}
	points := map[string]scheduler.Points{}
	for _, at := range atPoints {
		for _, pl := range at.set(u.plugins["default-scheduler"]) {
			points[pl.Name] |= at.is
		}
	}
	return points
})

// differences says in what Berth's reading of a configuration differs from upstream's.
func differences(u *upstreamConfig, b *manifest.SchedulerConfig) (found []string) {
	differ := func(what string, upstream, berth any) {
		if !reflect.DeepEqual(upstream, berth) {
			found = append(found, fmt.Sprintf("%s: upstream %v, Berth %v", what, upstream, berth))
		}
	}
	differ("backoff", []int64{u.PodInitialBackoffSeconds, u.PodMaxBackoffSeconds}, []int64{b.InitialBackoff, b.MaxBackoff})
	differ("profiles", len(u.Profiles), len(b.Profiles))
	for i := range min(len(u.Profiles), len(b.Profiles)) {
		up, bp := &u.Profiles[i], &b.Profiles[i]
		differ("name", up.SchedulerName, bp.Name)
		percent := u.PercentageOfNodesToScore
		if up.PercentageOfNodesToScore != nil {
			percent = up.PercentageOfNodesToScore
		}
		differ("sampling", scheduler.Sampling{Adaptive: true, Percent: int(*percent)}, bp.Sampling)
		for _, at := range atPoints {
			all := at.set(u.plugins[up.SchedulerName])
			want := slices.DeleteFunc(slices.Clone(all), func(pl config.Plugin) bool { return absent[pl.Name] || gated[pl.Name] })
			differ(fmt.Sprintf("%s, point %b", bp.Name, at.is), fmt.Sprint(inOrder(at.is, want)), fmt.Sprint(inOrder(at.is, berthAt(bp, at.is))))
		}
		found = append(found, argsDiffer(up, bp)...)
	}
	return found
}

// gated are upstream's plugins that are off by default.
var gated = map[string]bool{"GangScheduling": true, "TopologyPlacementGenerator": true, "PodGroupPodsCount": true}

// berthAt lists Berth's plugins at a point.
func berthAt(p *manifest.SchedulerProfile, at scheduler.Points) (list []config.Plugin) {
	for _, w := range p.Policy {
		if w.Except&at != 0 || pointsOf()[w.Name]&at == 0 {
			continue
		}
		pl := config.Plugin{Name: w.Name}
		if at == scheduler.AtScore {
			pl.Weight = int32(w.Weight)
		}
		list = append(list, pl)
	}
	return list
}

// inOrder sorts plugins at points where Berth has no order of its own: scores are added, and of the
// others there only NodeAffinity, SchedulingGates and DefaultPreemption do anything.
func inOrder(at scheduler.Points, list []config.Plugin) []config.Plugin {
	if at != scheduler.AtFilter {
		slices.SortFunc(list, func(a, b config.Plugin) int { return strings.Compare(a.Name, b.Name) })
	}
	return list
}

// argsDiffer makes each plugin twice, of upstream's arguments after its defaults and of those that
// Berth read, and compares the two.
func argsDiffer(up *config.KubeSchedulerProfile, bp *manifest.SchedulerProfile) (found []string) {
	for _, pc := range up.PluginConfig {
		i := slices.IndexFunc(bp.Policy, func(w scheduler.Weighted) bool { return w.Name == pc.Name })
		pl, err := scheduler.Find(plugins.All, pc.Name)
		if i < 0 || err != nil {
			continue // a plugin that is off, or that Berth doesn't have
		}
		var made [2]string
		for j, args := range []scheduler.Args{Args(pc.Args), bp.Policy[i].Args} {
			inst, err := pl.New(args)
			if err != nil {
				made[j] = err.Error()
				continue
			}
			made[j] = dump(reflect.ValueOf(inst))
		}
		if made[0] != made[1] {
			found = append(found, fmt.Sprintf("arguments of %s: upstream %s, Berth %s", pc.Name, made[0], made[1]))
		}
		if text := optionsOf(bp.Policy[i].Args); !contains(decoded(pc.Args), text) {
			found = append(found, fmt.Sprintf("arguments of %s: upstream %v, Berth %v", pc.Name, decoded(pc.Args), text))
		}
	}
	return found
}

// optionsOf gives what arguments say, as text.
func optionsOf(args scheduler.Args) any {
	var all any
	if args != nil {
		if err := args(&all); err != nil {
			return err
		}
	}
	return all
}

func decoded(args any) (all any) {
	text, err := json.Marshal(args)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	return all
}

// contains reports whether all that part says is in all, which may say more: defaults. Upstream's
// internal types have no names in JSON, so that case doesn't count.
func contains(all, part any) bool {
	switch part := part.(type) {
	case nil:
		return true
	case map[string]any:
		members, ok := all.(map[string]any)
		for name, p := range part {
			of := any(nil)
			for other, value := range members {
				if strings.EqualFold(name, other) {
					of = value
				}
			}
			if !contains(of, p) {
				return false
			}
		}
		return ok
	case []any:
		elements, ok := all.([]any)
		if len(part) == 0 {
			return true // perhaps a default takes its place
		}
		for i := range part {
			if i >= len(elements) || !contains(elements[i], part[i]) {
				return false
			}
		}
		return ok && len(part) == len(elements)
	}
	return reflect.DeepEqual(all, part) || part == 0.0 || part == "" // of which defaults may make something
}

// dump writes what a value holds, whatever its pointers are.
func dump(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return dump(v.Elem())
	case reflect.Func:
		if v.IsNil() {
			return "nil"
		}
		return runtime.FuncForPC(v.Pointer()).Name()
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = dump(v.Index(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Struct:
		parts := make([]string, v.NumField())
		for i := range parts {
			parts[i] = v.Type().Field(i).Name + ":" + dump(v.Field(i))
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	return fmt.Sprint(v)
}

// TestSchedulerConfig compares how both read generated configurations.
func TestSchedulerConfig(t *testing.T) {
	for n, scenario := 0, uint64(0); n < 500; scenario++ {
		text := generate.Scenario(11, scenario, generate.Options{Nodes: 1, Pods: 1}).Config
		if len(text) == 0 {
			continue
		}
		n++
		u, err := loadUpstream(text)
		if err != nil {
			t.Fatalf("scenario %d: upstream: %v", scenario, err)
		}
		b, err := loadBerth("generated.yaml", text)
		if err != nil {
			t.Fatalf("scenario %d: %v\n%s", scenario, err, text)
		}
		if found := differences(u, b); len(found) > 0 {
			t.Fatalf("scenario %d: %s\n%s", scenario, strings.Join(found, "\n"), text)
		}
	}
}

var expectation = regexp.MustCompile(`(?m)^# (Both reject|Berth rejects more|Berth accepts more): `)

// TestSchedulerConfigFiles compares how both read the configurations that are kept. A file says in a
// comment who refuses it; one without is read by both, and alike.
func TestSchedulerConfigFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			u, upstreamErr := loadUpstream(text)
			b, err := loadBerth(filepath.Base(name), text)
			says := ""
			if m := expectation.FindSubmatch(text); m != nil {
				says = string(m[1])
			}
			got := map[[2]bool]string{{true, true}: "Both reject", {false, true}: "Berth rejects more", {true, false}: "Berth accepts more"}
			if got := got[[2]bool{upstreamErr != nil, err != nil}]; got != says {
				t.Errorf("got %q, the file says %q; upstream: %v, Berth: %v", got, says, upstreamErr, err)
			}
			if upstreamErr == nil && err == nil {
				for _, d := range differences(u, b) {
					t.Error(d)
				}
			}
		})
	}
}

// stricter is what Berth refuses although upstream takes it; docs/manifests.md says why.
var stricter = regexp.MustCompile(`and so fails for every pod|the worst nodes would be favoured|is no plugin`)

// TestSchedulerConfigSets compares how both read any sets of plugins: who is enabled and disabled at
// which points, in which order, with which weights, in one profile or in several.
func TestSchedulerConfigSets(t *testing.T) {
	const want = 1000
	taken, refused, more := 0, 0, 0
	for n := range want {
		text := randomSets(rand.New(rand.NewPCG(5, uint64(n))))
		u, upstreamErr := loadUpstream(text)
		b, err := loadBerth("random.yaml", text)
		switch {
		case upstreamErr != nil && err != nil:
			refused++
		case upstreamErr == nil && err != nil && stricter.MatchString(err.Error()):
			more++
		case upstreamErr != nil || err != nil:
			t.Fatalf("upstream: %v\nBerth: %v\n%s", upstreamErr, err, text)
		default:
			taken++
			if found := differences(u, b); len(found) > 0 {
				t.Fatalf("%s\n%s", strings.Join(found, "\n"), text)
			}
		}
	}
	t.Logf("both take %d and refuse %d, Berth refuses %d more", taken, refused, more)
	if min(taken, refused, more) < want/20 {
		t.Error("one of these is too rare to tell anything")
	}
}

var everyPlugin = []string{
	"SchedulingGates", "PrioritySort", "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts",
	"NodeResourcesFit", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "PodTopologySpread",
	"InterPodAffinity", "DynamicResources", "DefaultPreemption", "NodeResourcesBalancedAllocation", "ImageLocality",
	"DefaultBinder", "NodeDeclaredFeatures", "GangScheduling", "TopologyPlacementGenerator", "PodGroupPodsCount",
}

var everyPoint = []string{
	"preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve", "permit",
	"preBind", "bind", "postBind", "placementGenerate", "placementScore",
}

type object = map[string]any

// randomSets makes a configuration with sets of plugins that are mostly plausible.
func randomSets(r *rand.Rand) []byte {
	var profiles []any
	for i := range 1 + r.IntN(5)/4 {
		sets := object{}
		if r.IntN(3) > 0 {
			sets["multiPoint"] = randomSet(r, everyPlugin)
		}
		for range r.IntN(4) {
			point := everyPoint[r.IntN(len(everyPoint))]
			sets[point] = randomSet(r, pluginsAt()[point])
		}
		profiles = append(profiles, object{"schedulerName": fmt.Sprint("scheduler-", i), "plugins": sets})
	}
	text, err := yaml.Marshal(object{
		"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", "profiles": profiles,
	})
	if err != nil {
		panic(err)
	}
	return text
}

// randomSet draws from the plugins of a point, and rarely from others.
func randomSet(r *rand.Rand, from []string) object {
	draw := func(most int) (list []any) {
		for range r.IntN(most) {
			names := from
			if len(from) == 0 || r.IntN(40) == 0 {
				names = everyPlugin
			}
			pl := object{"name": names[r.IntN(len(names))]}
			switch r.IntN(8) {
			case 0:
				pl["weight"] = 1 + r.IntN(9)
			case 1:
				pl["weight"] = -r.IntN(2)
			}
			list = append(list, pl)
		}
		return list
	}
	set := object{"enabled": draw(4), "disabled": draw(3)}
	if r.IntN(8) == 0 {
		set["disabled"] = append(set["disabled"].([]any), object{"name": "*"})
	}
	return set
}

// pluginsAt says which plugins have a part at each point, as upstream tells by refusing the others.
var pluginsAt = sync.OnceValue(func() map[string][]string {
	at := map[string][]string{}
	for _, point := range everyPoint {
		for _, name := range everyPlugin {
			if _, err := loadUpstream(atOnePoint(point, name)); err == nil {
				at[point] = append(at[point], name)
			}
		}
	}
	return at
})

func atOnePoint(point, name string) []byte {
	return fmt.Appendf(nil, "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"+
		"profiles: [{plugins: {%s: {enabled: [{name: %s}]}}}]\n", point, name)
}

// TestSchedulerConfigPoints compares, for every plugin and point, whether the plugin has a part there.
func TestSchedulerConfigPoints(t *testing.T) {
	for _, point := range everyPoint {
		for _, name := range everyPlugin {
			_, err := loadBerth("point.yaml", atOnePoint(point, name))
			if slices.Contains(pluginsAt()[point], name) != (err == nil) {
				t.Errorf("%s at %s: Berth: %v", name, point, err)
			}
		}
	}
}
