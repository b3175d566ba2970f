package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces"
	"github.com/spf13/cobra"
)

func (a *app) traceCut() *cobra.Command {
	var in traceInput
	var out traceOutput
	var from, length string
	var running bool
	cmd := &cobra.Command{
		Use:   "cut TRACE --from T --for D --out FILE",
		Short: "Keep a part of a trace",
		Long: "Cut keeps what comes from a time on, for so long. Nodes and objects are there from the beginning\n" +
			"as they are at that time. A pod would run then if it came before and would not have ended, had it\n" +
			"had a node at once: --running keeps those, too, with what is left of them.",
		Example: "  berth trace cut philly:philly-2017 --from 30d --for 7d --running --out week.berth",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			t, err := a.openTrace(args[0])
			if err != nil {
				return err
			}
			o := traces.CutOptions{Running: running}
			if o.From, err = parseTime("from", from, t); err != nil {
				return err
			}
			if o.For, err = parseDuration("for", length, 0); err != nil {
				return err
			}
			a.sayUndecided(t)
			source := fmt.Sprintf("berth trace cut %s --from %s", quote(args[0]), from)
			if length != "" {
				source += " --for " + length
			}
			if running {
				source += " --running"
			}
			return out.write(cmd.Context(), a, made{stream: traces.Cut(t.Noted(in.seed), o), from: source, hash: t.Hash, epoch: later(t, o.From), of: t})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&from, "from", "0s", "from when on: a duration from the beginning, or a time as RFC 3339 has it")
	fl.StringVar(&length, "for", "", "for how long (default: to the end)")
	fl.BoolVar(&running, "running", false, "keep pods that run at the beginning, with what is left of them")
	in.flags(cmd)
	out.flags(cmd)
	return cmd
}

func (a *app) traceScale() *cobra.Command {
	var in traceInput
	var out traceOutput
	var pods, load, by, jitter string
	cmd := &cobra.Command{
		Use:   "scale TRACE (--pods F | --load F) --by job|user|namespace --out FILE",
		Short: "Make a trace with more pods, or fewer",
		Long: "Scale leaves out whole jobs, users or namespaces, or has them come again under other names (NAME-copy-1),\n" +
			"so that what belongs together stays together. Which, is drawn by seed and name; it takes them until there\n" +
			"are F times as many pods, or the offered load is F. To move arrivals instead, see the option load of TRACE.",
		Example: "  berth trace scale philly:philly-2017 --pods 0.1 --by namespace --out tenth.berth",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (pods == "") == (load == "") {
				return either("pods", "load")
			}
			if !slices.Contains(traces.Groupings, by) {
				return exit(exitBadInput, fmt.Errorf("--by is %q; give one of %s", by, strings.Join(traces.Groupings, ", ")))
			}
			o := traces.ScaleOptions{By: by, Seed: in.seed}
			flag, text, factor := "pods", pods, &o.Pods
			if load != "" {
				flag, text, factor = "load", load, &o.Load
			}
			var err error
			if *factor, err = traces.ParseFactor(text); err != nil {
				return exit(exitBadInput, fmt.Errorf("--%s: %w; give one such as 0.1", flag, err))
			}
			if o.Jitter, err = parseDuration("jitter", jitter, 0); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			t, err := a.openTrace(args[0])
			if err != nil {
				return err
			}
			s, err := traces.Scale(func() traces.Stream { return t.Noted(in.seed) }, o)
			if err != nil {
				return a.traceFailed(about(args[0], err))
			}
			a.sayUndecided(t)
			source := fmt.Sprintf("berth trace scale %s --%s %s --by %s --jitter %s --seed %d", quote(args[0]), flag, text, by, jitter, in.seed)
			return out.write(cmd.Context(), a, made{stream: s, from: source, hash: t.Hash, epoch: t.Epoch, of: t})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&pods, "pods", "", "how many times as many pods: 0.1 or 2.5")
	fl.StringVar(&load, "load", "", "the offered load, as a share of capacity")
	fl.StringVar(&by, "by", "job", "what stays whole: "+strings.Join(traces.Groupings, ", "))
	fl.StringVar(&jitter, "jitter", "1h", "how much later copies come at most, all pods of one by the same time")
	in.flags(cmd)
	out.flags(cmd)
	return cmd
}

// about says of an error that names no file that it is about a TRACE.
func about(spec string, err error) error {
	if wrong, ok := err.(*traces.Error); ok && wrong.File == "" {
		wrong.File = spec
	}
	return err
}

func (a *app) traceMerge() *cobra.Command {
	var in traceInput
	var out traceOutput
	var at []string
	var nodes string
	cmd := &cobra.Command{
		Use:   "merge TRACE TRACE... --out FILE",
		Short: "Make one trace of several",
		Long: "Merge has several traces at once. Where an earlier one has a node or namespace of the same name, that of\n" +
			"the second is t2-NAME, and so on.",
		Example: "  berth trace merge philly:philly-2017 'synthetic:gpu?mode=time' --at 30d --nodes first --out both.berth",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			if len(at) > 1 && len(at) != len(args)-1 {
				return exit(exitBadInput, fmt.Errorf("--at is given %d times for %d traces after the first; give it once for all of them, or once for each", len(at), len(args)-1))
			}
			if nodes != "all" && nodes != "first" {
				return exit(exitBadInput, fmt.Errorf("--nodes is %q; give all or first", nodes))
			}
			return a.merge(cmd, args, at, nodes == "first", in.seed, &out)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&at, "at", nil, "when the other traces begin, from the beginning of the first: once for all, or once for each (default: 0s)")
	fl.StringVar(&nodes, "nodes", "all", "whose nodes there are: all, or those of the first")
	in.flags(cmd)
	out.flags(cmd)
	return cmd
}

func (a *app) merge(cmd *cobra.Command, specs, at []string, firstNodes bool, seed int64, out *traceOutput) error {
	var inputs []traces.MergeInput
	var first *traces.Trace
	source, hash := "berth trace merge", sha256.New()
	for i, spec := range specs {
		t, err := a.openTrace(spec)
		if err != nil {
			return err
		}
		if i == 0 {
			first = t
		} else if t.Timed != first.Timed {
			return exit(exitBadInput, fmt.Errorf("%s and %s: pods of only one of them end; merge traces of one kind", first.Name, spec))
		}
		input := traces.MergeInput{Open: func() traces.Stream { return t.Noted(seed) }, WithoutNodes: firstNodes && i > 0}
		source += " " + quote(spec)
		if i > 0 && len(at) > 0 {
			text := at[min(i, len(at))-1]
			if input.At, err = parseDuration("at", text, 0); err != nil {
				return err
			}
			source += " --at " + text
		}
		hash.Write([]byte(t.Hash))
		a.sayUndecided(t)
		inputs = append(inputs, input)
	}
	if firstNodes {
		source += " --nodes first"
	}
	s, err := traces.Merge(inputs...)
	if err != nil {
		return a.traceFailed(err)
	}
	return out.write(cmd.Context(), a, made{stream: s, from: source, hash: hex.EncodeToString(hash.Sum(nil)), epoch: first.Epoch})
}

func (a *app) traceAnonymise() *cobra.Command {
	var in traceInput
	var out traceOutput
	var keyFile string
	cmd := &cobra.Command{
		Use:   "anonymise TRACE --key-file FILE --out FILE",
		Short: "Give everything in a trace a pseudonym",
		Long: "Anonymise replaces the names of pods, nodes, namespaces, owners, containers, images and objects, and the\n" +
			"values of labels, by pseudonyms: the same for the same name in every trace that has the same key. Times,\n" +
			"amounts, keys of labels, resources and GPU models stay. Whoever has the key can tell whether a name that\n" +
			"they guess is in the trace, so keep it, or throw it away.",
		Example: "  head -c 32 /dev/urandom > key; berth trace anonymise cluster.berth --key-file key --out public.berth",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keyFile == "" {
				return required("key-file", "key")
			}
			if err := out.check(); err != nil {
				return err
			}
			key, err := os.ReadFile(keyFile)
			if err != nil {
				return exit(exitBadInput, fmt.Errorf("--key-file: %w; make one: head -c 32 /dev/urandom > %s", err, keyFile))
			}
			if len(key) < traces.LeastKey {
				return exit(exitBadInput, fmt.Errorf("--key-file %s has %d bytes; give %d or more, of random ones: head -c 32 /dev/urandom > FILE", keyFile, len(key), traces.LeastKey))
			}
			t, err := a.openTrace(args[0])
			if err != nil {
				return err
			}
			s, err := traces.Anonymise(func() traces.Stream { return t.Noted(in.seed) }, key)
			if err != nil {
				return a.traceFailed(err)
			}
			a.sayUndecided(t)
			// Where it came from is a name, too, and so is the hash of what is public.
			return out.write(cmd.Context(), a, made{stream: s, from: "berth trace anonymise", epoch: later(t, cluster.Time(0)), of: t})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&keyFile, "key-file", "", "file with the key: 16 bytes or more")
	in.flags(cmd)
	out.flags(cmd)
	return cmd
}
