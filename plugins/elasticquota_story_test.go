package plugins_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/cockroachdb/datadriven"
)

// elasticProfile returns kube's profile with ElasticQuota.
func elasticProfile(queues []map[string]any) (*scheduler.Profile, error) {
	text, err := json.Marshal(map[string]any{"queues": queues})
	if err != nil {
		return nil, err
	}
	policy := append(slices.Clone(plugins.Kube), scheduler.Weighted{Name: "ElasticQuota", Weight: 1, Args: options(string(text))})
	return scheduler.NewProfile(plugins.All, policy)
}

// TestElasticStories plays the stories in testdata/elasticquota, one a file. With -rewrite it
// writes down what comes out; read that before you believe it.
func TestElasticStories(t *testing.T) {
	datadriven.Walk(t, "testdata/elasticquota", func(t *testing.T, path string) {
		st := &elasticStory{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := st.do(d)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return out
		})
	})
}

// An elasticStory is what has been told so far. It is played from the start each time that time
// goes on, since a simulated cluster takes nothing new once it runs.
type elasticStory struct {
	now    cluster.Time
	queues []map[string]any
	arrive []cluster.Event
	told   []string
	state  *cluster.State
	pr     *scheduler.Profile
}

func (st *elasticStory) do(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "queues":
		for _, line := range lines(d.Input) {
			st.queues = append(st.queues, queueOf(line))
		}
		_, err := elasticProfile(st.queues)
		return "", err
	case "nodes", "pods":
		at := st.now
		if at > 0 {
			at += cluster.Millisecond // what has happened up to now stays so
		}
		for _, line := range lines(d.Input) {
			events, err := arrivals(d.Cmd, line, at)
			if err != nil {
				return "", err
			}
			st.arrive = append(st.arrive, events...)
		}
		return "", nil
	case "advance":
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			return "", err
		}
		return st.advance(cluster.Time(by))
	case "why":
		for p := range cluster.PodID(st.state.Pods.Rows()) {
			if st.state.Pods.Name[p] == d.CmdArgs[0].Key && st.state.Pods.Phase[p] == cluster.Pending {
				return st.pr.Diagnose(st.state, p).String() + "\n", nil
			}
		}
		return "", fmt.Errorf("no pod %s waits", d.CmdArgs[0].Key)
	}
	return "", fmt.Errorf("there is no command %s", d.Cmd)
}

func lines(input string) []string { return strings.Split(strings.TrimSpace(input), "\n") }

// queueOf reads "name parent=org ns=a,b cpu=4 borrow.cpu=2 lend.cpu=1 weight=2".
func queueOf(line string) map[string]any {
	words := strings.Fields(line)
	q := map[string]any{"name": words[0]}
	put := func(list, resource, amount string) {
		if q[list] == nil {
			q[list] = map[string]string{}
		}
		q[list].(map[string]string)[resource] = amount
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		borrow, borrows := strings.CutPrefix(key, "borrow.")
		lend, lends := strings.CutPrefix(key, "lend.")
		switch {
		case key == "parent":
			q[key] = value
		case key == "weight":
			q[key], _ = strconv.Atoi(value)
		case key == "ns":
			q["namespaces"] = strings.Split(value, ",")
		case borrows:
			put("borrowingLimit", borrow, value)
		case lends:
			put("lendingLimit", lend, value)
		default:
			put("guaranteed", key, value)
		}
	}
	return q
}

// arrivals reads "n1..3 cpu=4 memory=8" and "a1..5 ns=a cpu=1 memory=4 priority=1 run=10s stop=2s".
func arrivals(kind, line string, at cluster.Time) (events []cluster.Event, err error) {
	words := strings.Fields(line)
	first, last, many := strings.Cut(words[0], "..")
	stem := strings.TrimRight(first, "0123456789")
	from, to := 0, 0
	if many {
		from, _ = strconv.Atoi(first[len(stem):])
		to, err = strconv.Atoi(last)
	}
	for i := from; i <= to && err == nil; i++ {
		name := first
		if many {
			name = stem + strconv.Itoa(i)
		}
		var e cluster.Event
		if kind == "nodes" {
			e = cluster.Event{Time: at, Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{cluster.PodSlots: 100}}}
		} else {
			e = cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Run: cluster.Never, Class: &cluster.Class{Requests: make(cluster.Amounts, cluster.GPU)}}}
		}
		for _, word := range words[1:] {
			if err := describe(&e, word); err != nil {
				return nil, err
			}
		}
		events = append(events, e)
	}
	return events, err
}

// describe adds what one word says to the node or pod that comes.
func describe(e *cluster.Event, word string) error {
	key, value, _ := strings.Cut(word, "=")
	if key == "ns" {
		e.PodSpec.Class.Namespace = value
		return nil
	}
	if key == "run" || key == "stop" {
		by, err := time.ParseDuration(value)
		if key == "run" {
			e.PodSpec.Run = cluster.Time(by)
		} else {
			e.PodSpec.Stop, e.PodSpec.Grace = cluster.Time(by), cluster.Time(by)
		}
		return err
	}
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil:
		return err
	case key == "priority":
		e.PodSpec.Class.Priority = int32(n)
	case key == "gpus" && e.NodeSpec != nil:
		e.NodeSpec.GPUs = int(n)
	case key == "gpus":
		e.PodSpec.Class.GPUs = cluster.GPURequest{Count: int32(n), Shares: cluster.WholeGPU}
	case key == "shares":
		e.PodSpec.Class.GPUs = cluster.GPURequest{Count: 1, Shares: int32(n)}
	case key == "cpu" && e.NodeSpec != nil:
		e.NodeSpec.Capacity[cluster.CPU] = n * 1000
	case key == "cpu":
		e.PodSpec.Class.Requests[cluster.CPU] = n * 1000
	case key == "memory" && e.NodeSpec != nil:
		e.NodeSpec.Capacity[cluster.Memory] = n
	case key == "memory":
		e.PodSpec.Class.Requests[cluster.Memory] = n
	default:
		return fmt.Errorf("nothing is called %s", key)
	}
	return nil
}

// advance plays on, and returns what is new and then what each queue has.
func (st *elasticStory) advance(by cluster.Time) (string, error) {
	to := st.now + by
	var err error
	if st.pr, err = elasticProfile(st.queues); err != nil {
		return "", err
	}
	st.state = cluster.NewState()
	arrive := sim.List(slices.Clone(st.arrive))
	world, err := sim.New(st.state, &arrive, sim.Options{Until: max(to, 1)})
	if err != nil {
		return "", err
	}
	w := &elasticWitness{}
	if err := cluster.Run(context.Background(), world, st.state, w, scheduler.New(st.pr)); err != nil {
		return "", err
	}
	if len(w.seen) < len(st.told) || !slices.Equal(w.seen[:len(st.told)], st.told) {
		return "", fmt.Errorf("what had happened by %v s would be otherwise now", st.now.Seconds())
	}
	fresh := w.seen[len(st.told):]
	st.now, st.told = to, w.seen
	return strings.Join(fresh, "") + waiting(st.state), nil
}

// waiting lists the pods that want a node.
func waiting(s *cluster.State) string {
	var pods []cluster.PodID
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Pending {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b cluster.PodID) int { return cmp.Compare(s.Pods.Order[a], s.Pods.Order[b]) })
	var names []string
	for _, p := range pods {
		names = append(names, s.Pods.Name[p])
	}
	if len(names) == 0 {
		return ""
	}
	return "waiting: " + strings.Join(names, " ") + "\n"
}

// An elasticWitness records what happens to pods.
type elasticWitness struct{ seen []string }

// Record implements cluster.Recorder.
func (w *elasticWitness) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	say := func(p cluster.PodID, what string) {
		w.seen = append(w.seen, fmt.Sprintf("%8.3f %s %s\n", s.Now.Seconds(), s.Pods.Name[p], what))
	}
	for _, e := range events {
		if e.Kind == cluster.PodEnded {
			say(e.Pod, "gone")
		}
	}
	for _, d := range ds {
		switch {
		case d.Kind == cluster.Bind:
			say(d.Pod, "runs on "+s.Nodes.Name[d.Node])
		case d.Kind == cluster.Preempt:
			say(d.Pod, "told to go")
		case d.Kind == cluster.Nominate && d.Node == cluster.None:
			say(d.Pod, "has no node kept for it any longer")
		case d.Kind == cluster.Nominate:
			say(d.Pod, "has "+s.Nodes.Name[d.Node]+" kept for it")
		}
	}
	return nil
}
