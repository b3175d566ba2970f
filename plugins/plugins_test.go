package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

func TestContract(t *testing.T) {
	if err := scheduler.Validate(plugins.All); err != nil {
		t.Fatal(err)
	}
	for _, pl := range plugins.All {
		if pl.Members != nil {
			continue // a name for others of the list
		}
		t.Run(pl.Name, func(t *testing.T) {
			t.Parallel()
			schedulertest.TestPlugin(t, pl)
		})
	}
}
