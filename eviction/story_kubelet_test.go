package eviction_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/cockroachdb/datadriven"
)

// A memory is what a story says of the memory that pods use, and of kubelets that look at it.
type memory struct {
	kubelets bool
	shutdown eviction.ShutdownConfig
	usage    eviction.Recorded
}

// kubelets has kubelets look at the memory of their nodes, as they do by default;
// shutdown=(PRIORITY:SECONDS,…) is shutdownGracePeriodByPodPriority.
func setKubelets(st *story, d *datadriven.TestData) (string, error) {
	st.memory.kubelets = true
	for _, arg := range d.CmdArgs {
		if arg.Key != "shutdown" {
			return "", fmt.Errorf("there is no %s of kubelets", arg.Key)
		}
		for _, period := range arg.Vals {
			var p eviction.ShutdownPeriod
			if _, err := fmt.Sscanf(period, "%d:%d", &p.Priority, &p.Seconds); err != nil {
				return "", fmt.Errorf("%s is no period: %w", period, err)
			}
			st.memory.shutdown.ByPriority = append(st.memory.shutdown.ByPriority, p)
		}
	}
	return "", nil
}

// policy makes kubelets anew for each time that the story is played; nil if there are none.
func (m *memory) policy() (*eviction.Kubelets, error) {
	if !m.kubelets {
		return nil, nil
	}
	return eviction.NewKubelets(eviction.KubeletConfig{Pressure: eviction.DefaultPressureConfig(), Usage: m.usage, Shutdown: m.shutdown})
}

// use notes what a pod uses: each value is an amount, after AGE: but for the first.
func (m *memory) use(pod string, values []string) error {
	if m.usage == nil {
		m.usage = eviction.Recorded{}
	}
	for _, value := range values {
		var sample eviction.Sample
		if age, rest, ok := strings.Cut(value, ":"); ok {
			at, err := time.ParseDuration(age)
			if err != nil {
				return err
			}
			sample.Age, value = cluster.Time(at), rest
		}
		amount, err := mebibytes(value)
		if err != nil {
			return err
		}
		sample.Memory = amount
		m.usage["default/"+pod] = append(m.usage["default/"+pod], sample)
	}
	return nil
}

// mebibytes reads an amount such as 100Mi.
func mebibytes(text string) (int64, error) {
	number, ok := strings.CutSuffix(text, "Mi")
	amount, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok {
		return 0, fmt.Errorf("%q is no amount such as 100Mi", text)
	}
	return amount << 20, nil
}

// recordHeard records what a node says of itself that it didn't before.
func (w *witness) recordHeard(n cluster.NodeID, h *cluster.NodeHealth, node func(n cluster.NodeID, what string)) {
	if w.said == nil {
		w.said = map[cluster.NodeID]cluster.Conditions{}
	}
	before, ok := w.said[n]
	if !ok {
		before = cluster.Healthy
	}
	w.said[n] = h.Conditions
	if h.Lease.Until != cluster.Never {
		return
	}
	for c, now := range h.Conditions {
		if now != before[c] {
			node(n, fmt.Sprintf("says %v %v", cluster.NodeCondition(c), now))
		}
	}
	if h.Conditions == before {
		node(n, "heard of again")
	}
}
