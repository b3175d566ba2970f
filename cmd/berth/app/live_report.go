package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/cluster"
)

// A report counts what is decided on a live cluster and, in a dry run, tells of it.
type report struct {
	live   *live
	epoch  time.Time
	digest *cluster.Digest

	rounds, decisions int
}

func newReport(l *live, epoch time.Time) *report {
	return &report{live: l, epoch: epoch, digest: cluster.NewDigest()}
}

// A told is a decision as a dry run tells of it.
type told struct {
	Time     string `json:"time"`
	Decision string `json:"decision"`
	Pod      string `json:"pod,omitempty"`
	Node     string `json:"node,omitempty"`
	GPUs     []int  `json:"gpus,omitempty"`
	Why      string `json:"why,omitempty"`
}

// reportLine is how a dry run's table has its columns.
const reportLine = "%-30s  %-15s  %-40s  %-24s  %s\n"

// Record implements cluster.Recorder. Its error is that of writing to standard output.
func (r *report) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	if err := r.digest.Record(s, events, ds); err != nil {
		return err
	}
	if r.rounds++; r.rounds == 1 && r.live.flags.dryRun && r.live.flags.format == "table" {
		if err := r.line("TIME", "DECISION", "POD", "NODE", "WHY"); err != nil {
			return err
		}
	}
	r.decisions += len(ds)
	if !r.live.flags.dryRun {
		return nil
	}
	for i := range ds {
		if err := r.tell(s, &ds[i]); err != nil {
			return fmt.Errorf("telling of a decision: %w", err)
		}
	}
	return nil
}

// tell writes a decision.
func (r *report) tell(s *cluster.State, d *cluster.Decision) error {
	t := told{Time: sinceEpoch(r.epoch, s.Now), Decision: d.Kind.String(), Why: whyOf(d)}
	if d.Pod != cluster.None {
		t.Pod = s.PodName(d.Pod)
	}
	if d.Node != cluster.None {
		t.Node = s.Nodes.Name[d.Node]
	}
	for i := range cluster.MaxGPUs {
		if d.GPUs.Has(i) {
			t.GPUs = append(t.GPUs, i)
		}
	}
	if r.live.flags.format == "json" {
		return json.NewEncoder(r.live.app.env.Stdout).Encode(t)
	}
	if t.GPUs != nil {
		t.Why = strings.TrimSpace(fmt.Sprintf("%s GPUs %v", t.Why, t.GPUs))
	}
	return r.line(t.Time, t.Decision, t.Pod, t.Node, t.Why)
}

func (r *report) line(columns ...any) error {
	text := strings.TrimRight(fmt.Sprintf(reportLine, columns...), " \n")
	_, err := io.WriteString(r.live.app.env.Stdout, text+"\n")
	return err
}

var effects = [...]string{cluster.NoSchedule: "NoSchedule", cluster.PreferNoSchedule: "PreferNoSchedule", cluster.NoExecute: "NoExecute"}

// whyOf says what a decision has beside pod and node.
func whyOf(d *cluster.Decision) string {
	switch of := d.Detail.(type) {
	case cluster.Cause:
		return string(of)
	case cluster.Taint:
		return of.Key + "=" + of.Value + ":" + effects[of.Effect]
	case cluster.StatusChange:
		return "Ready=" + of.To[cluster.NodeReady].String()
	}
	return ""
}

// end writes what came of the run.
func (r *report) end(log string) error {
	result := struct {
		Verb      string `json:"verb"`
		Rounds    int    `json:"rounds"`
		Decisions int    `json:"decisions"`
		Digest    string `json:"digest"`
		Log       string `json:"log,omitempty"`
	}{r.live.who.Verb, r.rounds, r.decisions, r.digest.Sum(), log}
	if r.live.flags.format == "json" {
		return exit(exitWorldFailed, json.NewEncoder(r.live.app.env.Stdout).Encode(result))
	}
	t := &bench.Table{Title: "berth " + result.Verb, Head: []string{"what", "value"}, Labels: 2, Value: result}
	add := func(what string, value any) { t.Rows = append(t.Rows, []string{what, fmt.Sprint(value)}) }
	add("rounds", result.Rounds)
	add("decisions", result.Decisions)
	add("digest", result.Digest)
	if log != "" {
		add("log", log)
	}
	return exit(exitWorldFailed, t.Write(r.live.app.env.Stdout, bench.Format("table")))
}
