package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// needed are options for the plugins that can't do without. All pods of random clusters are in
// the namespace test.
var needed = map[*scheduler.Plugin]string{plugins.ElasticQuota: `{"queues": [
	{"name": "org", "guaranteed": {"cpu": 400, "nvidia.com/gpu": 20}},
	{"name": "a", "parent": "org", "namespaces": ["test"], "guaranteed": {"cpu": 5}, "borrowingLimit": {"cpu": "180500m"}},
	{"name": "b", "parent": "org", "namespaces": ["b", "ns"], "guaranteed": {"cpu": 30, "memory": "4Gi"}, "weight": 3},
	{"name": "c", "parent": "org", "namespaces": ["c"], "guaranteed": {"memory": "1Gi"}, "lendingLimit": {"memory": 0}}]}`}

// withOptions returns a plugin of which each instance has these options.
func withOptions(pl *scheduler.Plugin, json string) *scheduler.Plugin {
	with := *pl
	with.New = func(scheduler.Args) (any, error) { return pl.New(options(json)) }
	return &with
}

func TestContract(t *testing.T) {
	if err := scheduler.Validate(plugins.All); err != nil {
		t.Fatal(err)
	}
	for _, pl := range plugins.All {
		if pl.Members != nil {
			continue // a name for others of the list
		}
		if text, needs := needed[pl]; needs {
			pl = withOptions(pl, text)
		}
		t.Run(pl.Name, func(t *testing.T) {
			t.Parallel()
			schedulertest.TestPlugin(t, pl)
		})
	}
}
