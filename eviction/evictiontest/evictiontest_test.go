package evictiontest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

func TestPolicies(t *testing.T) {
	for _, policy := range eviction.Policies {
		t.Run(policy.Name, func(t *testing.T) {
			t.Parallel()
			TestPolicy(t, policy)
		})
	}
}

func FuzzPolicies(f *testing.F) {
	f.Add(uint64(1 << 32))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, policy := range eviction.Policies {
			if err := Check(policy, seed); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestCoursesMatter wants policies to have something to decide about.
func TestCoursesMatter(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(trials) {
		course := RandomCourse(seed)
		lines, err := course.Play(Staging{}, eviction.Controllers(course.Settings, nil)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			for _, what := range []string{"AddTaint", "RemoveTaint", "NoExecute", "SetConditions", "MarkUnready", "Evict", "Bind", "Store"} {
				if strings.Contains(line, what) {
					seen[what]++
				}
			}
		}
	}
	for what, least := range map[string]int{"AddTaint": 1000, "RemoveTaint": 1000, "NoExecute": 1000, "SetConditions": 1000, "MarkUnready": 1000, "Evict": 500, "Bind": 1000, "Store": 500} {
		if seen[what] < least {
			t.Errorf("%d times %s, fewer than %d", seen[what], what, least)
		}
	}
}

// nodePolicy and podPolicy are policies by a function.
type nodePolicy func(s *cluster.State, z *eviction.Zone) (int, cluster.Time)

func (f nodePolicy) NextNode(s *cluster.State, z *eviction.Zone) (int, cluster.Time) { return f(s, z) }

type podPolicy func(s *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time)

func (f podPolicy) NextPods(s *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time) {
	return f(s, due)
}

// TestFaultyPolicies wants each breach of the contract to be found.
func TestFaultyPolicies(t *testing.T) {
	calls := 0
	for _, test := range []struct {
		why  string
		inst any
		want string
	}{
		{"writes", nodePolicy(func(s *cluster.State, _ *eviction.Zone) (int, cluster.Time) { s.Seed++; return 0, s.Now }), "the State was written to"},
		{"takes a node out of line itself", nodePolicy(func(s *cluster.State, z *eviction.Zone) (int, cluster.Time) {
			if len(z.Waiting) > 1 {
				z.Waiting = z.Waiting[1:]
			}
			return 0, s.Now
		}), "was written to"},
		{"counts from 1", nodePolicy(func(s *cluster.State, z *eviction.Zone) (int, cluster.Time) { return len(z.Waiting), s.Now }), " in a line of "},
		{"in the past", nodePolicy(func(*cluster.State, *eviction.Zone) (int, cluster.Time) { return 0, -1 }), "which is before now"},
		{"puts off each time", nodePolicy(func(s *cluster.State, _ *eviction.Zone) (int, cluster.Time) {
			calls++
			return 0, s.Now + cluster.Time(calls)*cluster.Second
		}), "and asked again"},
		{"never a node", nodePolicy(func(*cluster.State, *eviction.Zone) (int, cluster.Time) { return 0, cluster.Never }), "have waited for a day"},
		{"goes by rows", nodePolicy(func(s *cluster.State, z *eviction.Zone) (int, cluster.Time) {
			best := 0
			for i, n := range z.Waiting {
				if n > z.Waiting[best] {
					best = i
				}
			}
			return best, s.Now
		}), "in other rows"},
		{"writes about pods", podPolicy(func(s *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time) {
			s.Delete(due[0], cluster.DeletionByTaint)
			return nil, cluster.Never
		}), "the State was written to"},
		{"changes the list", podPolicy(func(_ *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time) {
			due[0] = 0
			return nil, cluster.Never
		}), "the pods asked about were changed"},
		{"never a pod", podPolicy(func(*cluster.State, []cluster.PodID) ([]cluster.PodID, cluster.Time) { return nil, cluster.Never }), "has been kept for a day"},
		{"asks at once", podPolicy(func(s *cluster.State, _ []cluster.PodID) ([]cluster.PodID, cluster.Time) { return nil, s.Now }), "isn't later than now"},
		{"all pods there are", podPolicy(func(s *cluster.State, _ []cluster.PodID) (now []cluster.PodID, _ cluster.Time) {
			for p := range cluster.PodID(s.Pods.Rows()) {
				if s.Pods.Phase[p] != cluster.Ended {
					now = append(now, p)
				}
			}
			return now, cluster.Never
		}), "goes, and"},
		{"twice", podPolicy(func(_ *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time) {
			return append(due[:1:1], due...), cluster.Never
		}), "goes twice"},
		{"nobody", podPolicy(func(*cluster.State, []cluster.PodID) ([]cluster.PodID, cluster.Time) {
			return []cluster.PodID{1 << 20}, cluster.Never
		}), "there is no such pod"},
		{"one at a time, and forgets", podPolicy(func(_ *cluster.State, due []cluster.PodID) ([]cluster.PodID, cluster.Time) {
			calls++
			return due[:calls%2], cluster.Never
		}), "and asked again"},
	} {
		policy := &eviction.Policy{Name: "tested", New: func(eviction.Settings) any { return test.inst }}
		if found := breaches(policy, test.want); found != "" {
			t.Errorf("%s: found\n%sand not %q", test.why, found, test.want)
		}
	}
}

// breaches returns what is found of a policy on some clusters, "" if one of them has what
// is wanted.
func breaches(policy *eviction.Policy, want string) (found string) {
	for seed := range uint64(10) {
		err := Check(policy, seed)
		if err != nil && strings.Contains(err.Error(), want) {
			return ""
		}
		found += fmt.Sprintln(err)
	}
	return found
}
