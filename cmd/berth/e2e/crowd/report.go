//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/berthsim/berth/bench"
)

// report writes what was measured as tables, and as JSON into the folder.
func (g *ground) report(w io.Writer, turns []turn) error {
	text, err := json.MarshalIndent(map[string]any{
		"nodes": g.nodes, "pods": g.pods, "qps": g.qps, "turns": turns,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	file := filepath.Join(g.save, "result.json")
	if err := os.WriteFile(file+".partial", text, 0o666); err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	if err := os.Rename(file+".partial", file); err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	for i, t := range []*bench.Table{throughput(turns), shares(turns)} {
		if i > 0 {
			fmt.Fprintln(w) // an error shows at the next
		}
		if err := t.Write(w, bench.FormatMarkdown); err != nil {
			return err
		}
	}
	return nil
}

// rate is how many pods were bound a second, from the first to the last.
func (t *turn) rate() float64 { return float64(len(t.Placed)-1) / (t.Last - t.First).Seconds() }

// throughput has a row for each turn.
func throughput(turns []turn) *bench.Table {
	table := &bench.Table{
		Title: "Bindings", Labels: 2,
		Head: []string{"turn", "scheduler", "pods bound a second", "first binding, s", "last binding, s", "all quiet, s", "bindings", "Events", "pod statuses", "load before", "load after"},
	}
	for i := range turns {
		t := &turns[i]
		table.Rows = append(table.Rows, []string{
			strconv.Itoa(i + 1), t.Who, fmt.Sprintf("%.0f", t.rate()), seconds(t.First), seconds(t.Last), seconds(t.Quiet),
			strconv.Itoa(t.Asked.Bindings), strconv.Itoa(t.Asked.Events), strconv.Itoa(t.Asked.Statuses), t.Load, t.LoadEnd,
		})
	}
	return table
}

// shares has two rows for each scheduler, of all its turns: who used the processors until the last binding, and
// until everything was done.
func shares(turns []turn) *bench.Table {
	table := &bench.Table{
		Title: "Processor seconds a turn, and share of all", Labels: 2,
		Head: []string{"scheduler", "until", "cores", "the scheduler", "share", "kube-apiserver", "etcd", "kwok", "proxy", "crowd"},
	}
	for _, who := range []contender{berth, kubeScheduler} {
		var binding, all usage
		var last, quiet time.Duration
		var n time.Duration
		for i := range turns {
			if t := &turns[i]; t.Who == who.name {
				binding, all = binding.plus(t.Binding), all.plus(t.All)
				last, quiet, n = last+t.Last, quiet+t.Quiet, n+1
			}
		}
		if n == 0 {
			continue
		}
		table.Rows = append(table.Rows,
			shareRow(who.name, "the last binding", binding, last, n),
			shareRow(who.name, "all is quiet", all, quiet, n))
	}
	return table
}

// shareRow divides what n turns used, which took so long together.
func shareRow(who, until string, u usage, took, n time.Duration) []string {
	return []string{
		who, until, fmt.Sprintf("%.2f", u.sum().Seconds()/took.Seconds()), seconds(u.Scheduler / n),
		fmt.Sprintf("%.1f %%", 100*u.Scheduler.Seconds()/u.sum().Seconds()),
		seconds(u.APIServer / n), seconds(u.Etcd / n), seconds(u.KWOK / n), seconds(u.Proxy / n), seconds(u.Own / n),
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }
