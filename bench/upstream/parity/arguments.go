package parity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"

	"github.com/berthsim/berth/bench/upstream/oracle"
)

// An ArgumentCase is what a plugin may be given as its arguments, good or broken, and what upstream
// makes of it.
type ArgumentCase struct {
	Plugin string
	// Args is JSON as in a KubeSchedulerConfiguration, before defaulting; "" if there is none.
	Args string
	// Refused is why upstream refuses it, "" if it doesn't.
	Refused string
	// Effect is what upstream makes of it, in numbers: of DefaultPreemption, how many candidates are
	// enough for each of nodeCounts; of NodeAffinity, the score of each of probes, or ruledOut. It is
	// nil if that isn't compared.
	Effect []int64
}

// String names the case as messages do.
func (c ArgumentCase) String() string {
	if c.Args == "" {
		return c.Plugin + " without arguments"
	}
	return c.Plugin + " with " + c.Args
}

// Arguments lists the cases, with upstream's answers, for which it is asked once.
func Arguments() ([]ArgumentCase, error) { return askArguments() }

var askArguments = sync.OnceValues(func() ([]ArgumentCase, error) {
	cases := argumentTable()
	for i := range cases {
		c := &cases[i]
		o, err := oracle.New(oracle.Config{Profile: c.configuration()})
		if err != nil {
			c.Refused = err.Error()
			continue
		}
		o.Close()
	}
	return cases, setEffects(cases)
})

// configuration is a KubeSchedulerConfiguration that gives the case's arguments to its plugin.
func (c *ArgumentCase) configuration() []byte {
	var pluginConfig string
	if c.Args != "" {
		pluginConfig = fmt.Sprintf(`{"name": %q, "args": %s}`, c.Plugin, c.Args)
	}
	return fmt.Appendf(nil, `{"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", `+
		`"profiles": [{"pluginConfig": [%s]}]}`, pluginConfig)
}

// Compare gives the case to Berth's plugin and says what differs, or "".
func (c ArgumentCase) Compare() (mismatch string) {
	pl, err := scheduler.Find(plugins.All, c.Plugin)
	if err != nil {
		return err.Error()
	}
	inst, err := pl.New(c.decoder())
	switch {
	case err != nil && c.Refused == "":
		return fmt.Sprintf("%s: Berth refuses it, upstream doesn't: %v", c, err)
	case err == nil && c.Refused != "":
		return fmt.Sprintf("%s: upstream refuses it, Berth doesn't: %s", c, c.Refused)
	case c.Effect == nil:
		return ""
	}
	got, err := effectIn(inst)
	if err != nil {
		return fmt.Sprintf("%s: %v", c, err)
	}
	if !slices.Equal(got, c.Effect) {
		return fmt.Sprintf("%s: Berth makes %v of it, upstream %v", c, got, c.Effect)
	}
	return ""
}

// decoder decodes the case's arguments strictly, as scheduler.Plugin asks for.
func (c ArgumentCase) decoder() scheduler.Args {
	if c.Args == "" {
		return nil
	}
	return func(into any) error {
		d := json.NewDecoder(bytes.NewBufferString(c.Args))
		d.DisallowUnknownFields()
		return d.Decode(into)
	}
}
