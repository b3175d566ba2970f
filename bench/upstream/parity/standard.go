package parity

import (
	"fmt"
	"slices"

	"k8s.io/kubernetes/pkg/scheduler/apis/config"

	"github.com/berthsim/berth/bench/upstream/oracle"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// Standard is upstream's profile without a configuration.
type Standard struct {
	weights map[string]int64 // by plugin; 1 where upstream gives none
	rules   map[string]bool  // plugins that say, before or after scoring, where a pod may go
}

// NewStandard asks upstream for its profile.
func NewStandard() (*Standard, error) {
	o, err := oracle.New(oracle.Config{})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	p, sets := o.Effective()
	st := &Standard{map[string]int64{}, map[string]bool{}}
	for _, pl := range p.Plugins.MultiPoint.Enabled {
		if !absent[pl.Name] {
			st.weights[pl.Name] = max(1, int64(pl.Weight))
		}
	}
	for _, set := range []config.PluginSet{sets.PreEnqueue, sets.PreFilter, sets.Filter, sets.PostFilter} {
		for _, pl := range set.Enabled {
			st.rules[pl.Name] = true
		}
	}
	return st, nil
}

// Compare holds the profile that Berth ships against upstream's, and says how it differs: in its
// weights, or in the plugins that every policy has because they say where a pod may go.
func (st *Standard) Compare() (mismatch string) {
	var names []string
	for _, w := range plugins.Kube {
		names = append(names, w.Name)
		if want := st.weights[w.Name]; w.Weight != want {
			return fmt.Sprintf("weight of %s: upstream %d, Berth %d", w.Name, want, w.Weight)
		}
		pl, err := scheduler.Find(plugins.All, w.Name)
		if err != nil {
			return err.Error()
		}
		if want := st.rules[w.Name]; pl.Required != want {
			return fmt.Sprintf("%s in every policy: %v, for upstream it says where pods may go: %v", w.Name, pl.Required, want)
		}
	}
	for name := range st.weights {
		if !slices.Contains(names, name) {
			return fmt.Sprintf("%s: upstream has it, Berth doesn't", name)
		}
	}
	return ""
}
