// Package app is the berth program as a function, so that a program of one's own
// has every verb of berth with policies of one's own:
//
//	func main() { app.Main(mine) }
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces/fetch"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Version is the program's version; the linker sets it in released builds.
var Version = ""

// The program's exit statuses.
const (
	exitNo          = 1   // a mismatch, a regression, an objective missed
	exitBadInput    = 2   // bad input or usage
	exitWorldFailed = 3   // disk, network, API
	exitInterrupted = 130 // stopped by Ctrl-C
)

// Main runs the command line with Berth's own policies and those given, and
// exits.
func Main(policies ...*scheduler.Plugin) { MainWith(Own{Plugins: policies}) }

// Own is what a main has beside what Berth has.
type Own struct {
	Plugins   []*scheduler.Plugin
	Evictions []*eviction.Policy
}

// MainWith is Main with policies of all kinds.
func MainWith(own Own) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	env := Env{Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, TraceDir: os.Getenv("BERTH_TRACES"), Stop: stop}
	os.Exit(runWith(ctx, env, slices.Concat(plugins.All, own.Plugins), own.Evictions...))
}

// Env is what the program takes from its surroundings.
type Env struct {
	Args           []string
	Stdout, Stderr io.Writer
	TraceDir       string // where traces are looked for that aren't where they are said to be; may be ""

	Datasets []fetch.Dataset // that can be fetched; nil for the public traces that Berth knows

	// Stop, if set, is called once the program has been told to stop, so that
	// being told once more ends it at once.
	Stop func()
}

// Run runs the command line, and returns the exit status.
func Run(ctx context.Context, env Env, policies ...*scheduler.Plugin) int {
	return runWith(ctx, env, slices.Concat(plugins.All, policies))
}

// runWith is Run with the plugins that there are, and eviction policies beside Berth's own.
func runWith(ctx context.Context, env Env, known []*scheduler.Plugin, evictions ...*eviction.Policy) int {
	a := &app{env: env, log: zap.NewNop(), plugins: known, evictions: evictions}
	if err := scheduler.Validate(a.plugins); err != nil {
		fmt.Fprintln(env.Stderr, "berth:", err)
		return exitBadInput
	}
	cmd := a.root()
	cmd.SetArgs(env.Args)
	cmd.SetOut(env.Stdout)
	cmd.SetErr(env.Stderr)
	if env.Stop != nil {
		go func() { <-ctx.Done(); env.Stop() }()
	}
	verb, err := cmd.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	if !errors.As(err, &exit) { // cobra's: an unknown verb or flag, or too many arguments
		exit = &exitError{exitBadInput, fmt.Errorf("%w; see %s --help", err, verb.CommandPath())}
		err = exit
	}
	fmt.Fprintln(env.Stderr, "berth:", oneLine(err.Error()))
	return exit.status
}

// oneLine keeps a message on one line, whatever it quotes.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// An exitError is an error with the exit status that it means.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exit gives err an exit status; nil stays nil.
func exit(status int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{status, err}
}

// app is the program's state while it runs.
type app struct {
	env       Env
	plugins   []*scheduler.Plugin
	evictions []*eviction.Policy // beside Berth's own
	log       *zap.Logger

	verbose, quiet bool
}

func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "berth",
		Short: "Compare scheduling and eviction policies on recorded traces",
		Long: "Berth replays recorded workloads on a simulated Kubernetes cluster under several\n" +
			"policies, and says which is better, by how much, and how sure that is.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.startLog()
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "say on standard error what is being done")
	cmd.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "no progress and no timing on standard error")
	cmd.AddCommand(a.compare(), a.run(), a.storm(), a.explain(), a.quota(), a.replay(), a.trace(), a.lab(), a.bench(), a.version())
	cmd.SetHelpCommand(help())
	cmd.InitDefaultCompletionCmd()
	for _, c := range cmd.Commands() {
		if c.RunE == nil && c.Run == nil { // or cobra would take an unknown word behind it for a cry for help
			c.RunE = cmd.RunE
		}
	}
	return cmd
}

// help is cobra's help command, except that an unknown verb is an error.
func help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Say what a verb does",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unknown command %q for %q", rest[0], about.CommandPath())
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag() // or its help would not name it
			return about.Help()
		},
	}
}

// startLog sends the log to standard error if it was asked for.
func (a *app) startLog() {
	if !a.verbose {
		return
	}
	enc := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	a.log = zap.New(zapcore.NewCore(enc, zapcore.AddSync(a.env.Stderr), zap.DebugLevel))
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintln(cmd.OutOrStdout(), "berth", version(), "results", bench.Version)
		},
	}
}

// version returns the linker's version, or that of the module the program was
// built from.
func version() string {
	if Version != "" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
