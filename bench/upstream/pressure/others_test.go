package pressure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/kubelet/config/v1beta1"
	defaults "k8s.io/kubernetes/pkg/kubelet/apis/config/v1beta1"
	kubelet "k8s.io/kubernetes/pkg/kubelet/eviction"
	evictionapi "k8s.io/kubernetes/pkg/kubelet/eviction/api"
	kubeletqos "k8s.io/kubernetes/pkg/kubelet/qos"

	"github.com/berthsim/berth/bench/upstream/setting"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

func testDrawer(t *testing.T, stream uint64) drawer {
	return drawer{rand.New(rand.NewPCG(uint64(setting.Int(t, "SEED", 1)), stream))}
}

// report ends a test that compared as many cases as it was asked to.
func report(t *testing.T, cases, made int, wrong []string, seen *features, expected []string) {
	t.Helper()
	for i, w := range wrong {
		if i < 3 {
			t.Error(w)
		}
	}
	t.Logf("%s%d cases, %d comparisons, %d mismatches", seen.table(expected), cases, made, len(wrong))
	for _, name := range expected {
		if seen.counts[name] == 0 && cases >= 2000 {
			t.Errorf("%q was never seen", name)
		}
	}
}

func TestOOM(t *testing.T) {
	cases, seen := setting.Int(t, "CASES", 2500), newFeatures()
	made, wrong := compareOOM(testDrawer(t, 1<<40), cases, seen)
	report(t, cases, made, wrong, seen, expectedOOM)
	for _, theirs := range []int{kubeletqos.KubeletOOMScoreAdj, kubeletqos.KubeProxyOOMScoreAdj} {
		if theirs != eviction.KubeletOOMScoreAdj {
			t.Errorf("the kubelet's own oom_score_adj, or kube-proxy's, is %d", theirs)
		}
	}
}

func TestRoom(t *testing.T) {
	pin()
	cases, seen := setting.Int(t, "CASES", 2500), newFeatures()
	made, wrong := compareRoom(testDrawer(t, 2<<40), cases, seen)
	report(t, cases, made, wrong, seen, expectedRoom)
}

func TestShutdown(t *testing.T) {
	pin()
	cases, seen := setting.Int(t, "CASES", 2500), newFeatures()
	d, made, wrong := testDrawer(t, 3<<40), 0, []string(nil)
	for range cases {
		m, c := d.machine(seen)
		var theirs []string
		var err error
		synctest.Test(t, func(*testing.T) { theirs, err = m.run(c) })
		if err != nil {
			t.Fatal(err)
		}
		ours, err := berthShutdown(c, m.shapes)
		if err != nil {
			t.Fatal(err)
		}
		made += len(theirs)
		if !slices.Equal(theirs, ours) {
			wrong = append(wrong, format(c, theirs, ours))
		}
		seen.shut(theirs)
	}
	report(t, cases, made, wrong, seen, expectedShutdown)
}

// TestThresholds compares what values of thresholds and minimum reclaims mean, and which are errors.
func TestThresholds(t *testing.T) {
	cases, seen := setting.Int(t, "CASES", 2500)*4, newFeatures()
	d, made, wrong := testDrawer(t, 4<<40), 0, []string(nil)
	for range cases {
		text := d.value()
		hard, reclaim := map[string]string{"memory.available": "1Gi"}, map[string]string{}
		s := eviction.PressureSettings{Hard: []eviction.Statement{{Signal: "memory.available", Value: "1Gi"}}, NoAllocatable: true}
		if d.chance(0.5) {
			hard["memory.available"], s.Hard[0].Value = text, text
		} else {
			reclaim["memory.available"] = text
			s.MinReclaim = []eviction.Statement{{Signal: "memory.available", Value: text}}
		}
		theirs, err := kubelet.ParseThresholdConfig(nil, hard, nil, nil, reclaim)
		ours, oursErr := s.Thresholds()
		capacity := resource.NewQuantity(pick[int64](d, 1000, 8<<30+7), resource.BinarySI)
		made++
		switch {
		case (err == nil) != (oursErr == nil):
			wrong = append(wrong, format(text, err, oursErr))
		case err != nil:
			seen.count("value: an error")
		case len(theirs) != len(ours):
			wrong = append(wrong, format(text, theirs, ours))
		case len(theirs) == 0:
			seen.count("value: no threshold")
		default:
			seen.count("value: a threshold")
			made++
			o, capacity := ours[0], capacity.Value()
			if !same(theirs[0].Value, o.Of(capacity), capacity) || theirs[0].MinReclaim != nil && !same(*theirs[0].MinReclaim, o.MinReclaim.Of(capacity), capacity) {
				wrong = append(wrong, format(text, theirs, ours))
			}
		}
	}
	report(t, cases, made, wrong, seen, []string{"value: an error", "value: no threshold", "value: a threshold"})
}

// same reports whether an amount is more than the same whole numbers as upstream's.
func same(theirs evictionapi.ThresholdValue, ours, capacity int64) bool {
	q := evictionapi.GetThresholdQuantity(theirs, resource.NewQuantity(capacity, resource.BinarySI))
	more := func(than int64) bool { return q.Cmp(*resource.NewQuantity(than, resource.BinarySI)) > 0 }
	return more(ours-1) && (ours == math.MaxInt64 || !more(ours))
}

func TestDefaults(t *testing.T) {
	if got := asMap(eviction.DefaultHard); len(got) != len(kubelet.DefaultEvictionHard) {
		t.Error("there are other thresholds by default")
	}
	for signal, value := range kubelet.DefaultEvictionHard {
		if asMap(eviction.DefaultHard)[signal] != value {
			t.Errorf("%s is %s upstream", signal, value)
		}
	}
	kubelet := &v1beta1.KubeletConfiguration{}
	defaults.SetDefaults_KubeletConfiguration(kubelet)
	ours := eviction.DefaultPressureConfig()
	if got := cluster.Time(kubelet.EvictionPressureTransitionPeriod.Duration); got != ours.TransitionPeriod {
		t.Errorf("the transition period is %v s upstream", got.Seconds())
	}
	if got := cluster.Time(kubelet.EvictionMaxPodGracePeriod) * cluster.Second; got != ours.MaxPodGrace {
		t.Errorf("pods' grace period under a soft threshold is at most %v s upstream", got.Seconds())
	}
	if !slices.Contains(kubelet.EnforceNodeAllocatable, "pods") || !*kubelet.LocalStorageCapacityIsolation {
		t.Errorf("upstream enforces %v, and limits on local storage: %v", kubelet.EnforceNodeAllocatable, *kubelet.LocalStorageCapacityIsolation)
	}
}
