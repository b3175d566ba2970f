package app

import (
	"fmt"
	"strconv"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/traces"
	"github.com/spf13/cobra"
)

func (a *app) traceDiff() *cobra.Command {
	var in traceInput
	var f tableFlags
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Say where two traces first differ",
		Long: "Diff compares two traces event by event. It ends with status 0 if they are equal, and with 1 if not:\n" +
			"then it says which event is the first that differs, and in what, and how many of each kind there are.",
		Example: "  berth trace diff week.berth 'philly:philly-2017?from=30d&for=7d'",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			var streams [2]traces.Stream
			for i, spec := range args {
				t, err := a.openTrace(spec)
				if err != nil {
					return err
				}
				streams[i] = &stoppable{Stream: t.Whole(in.seed), ctx: cmd.Context()}
			}
			d, err := traces.Diff(streams[0], streams[1])
			if err != nil {
				return a.traceFailed(err)
			}
			if err := f.write(a, diffTable(args, d)); err != nil || d.First == nil {
				return err
			}
			return exit(exitNo, fmt.Errorf("%s and %s differ from event %d on", args[0], args[1], d.First.Index))
		},
	}
	in.flags(cmd)
	f.flags(cmd)
	return cmd
}

// diffed is a difference as JSON shows it.
type diffed struct {
	Traces []string                `json:"traces"`
	Equal  bool                    `json:"equal"`
	First  *traces.FirstDifference `json:"first"`
	Kinds  []diffedKind            `json:"kinds"`
}

type diffedKind struct {
	Kind  string   `json:"kind"`
	Count [2]int64 `json:"count"`
}

func diffTable(specs []string, d *traces.Difference) *bench.Table {
	value := diffed{Traces: specs, Equal: d.First == nil, First: d.First}
	t := &bench.Table{Title: "The traces are equal.", Head: []string{"", specs[0], specs[1]}, Labels: 1}
	if first := d.First; first != nil {
		t.Title = fmt.Sprintf("The first %d events are equal.", first.Index)
		row := []string{"event " + strconv.FormatInt(first.Index, 10)}
		for _, e := range first.Event {
			if e == "" {
				e = "has ended"
			}
			row = append(row, e)
		}
		t.Rows = append(t.Rows, row)
		if first.Field != "" {
			t.Title += " Then they differ in " + first.Field + "."
		}
	}
	for _, k := range d.Kinds {
		value.Kinds = append(value.Kinds, diffedKind{k.Kind.String(), k.Count})
		t.Rows = append(t.Rows, []string{k.Kind.String(), strconv.FormatInt(k.Count[0], 10), strconv.FormatInt(k.Count[1], 10)})
	}
	t.Value = value
	return t
}

func (a *app) traceValidate() *cobra.Command {
	var in traceInput
	var f tableFlags
	cmd := &cobra.Command{
		Use:   "validate TRACE",
		Short: "Look for what is wrong in a trace",
		Long: "Validate reads a trace whole. It ends with status 0 if nothing is wrong with it, and with 1 if something is:\n" +
			"events that go back in time, amounts and times below nothing or beyond reason, names that are there twice,\n" +
			"pods larger than any node, and what speaks of nodes and pods that aren't there. What can't be read at all\n" +
			"is bad input.",
		Example: "  berth trace validate cluster.berth",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			t, err := a.openTrace(args[0])
			if err != nil {
				return err
			}
			problems, err := traces.Validate(&stoppable{Stream: t.Whole(in.seed), ctx: cmd.Context()})
			if err != nil {
				return a.traceFailed(err)
			}
			if err := f.write(a, problemTable(args[0], problems)); err != nil || len(problems) == 0 {
				return err
			}
			return exit(exitNo, fmt.Errorf("%s: kinds of problems: %d", args[0], len(problems)))
		},
	}
	in.flags(cmd)
	f.flags(cmd)
	return cmd
}

func problemTable(spec string, problems []traces.Problem) *bench.Table {
	t := &bench.Table{Title: spec + ": nothing is wrong", Head: []string{"what is wrong", "first", "event", "events"}, Labels: 2}
	if len(problems) > 0 {
		t.Title = spec + ": what is wrong"
	}
	if problems == nil {
		problems = []traces.Problem{}
	}
	for _, p := range problems {
		t.Rows = append(t.Rows, []string{p.What, p.First, strconv.FormatInt(p.Index, 10), strconv.FormatInt(p.Count, 10)})
	}
	t.Value = struct {
		Trace    string           `json:"trace"`
		Problems []traces.Problem `json:"problems"`
	}{spec, problems}
	return t
}
