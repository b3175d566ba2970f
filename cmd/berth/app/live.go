package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berthsim/berth/cluster"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// liveFlags are those of the verbs that watch a live cluster.
type liveFlags struct {
	kubeconfig, context string
	qps                 float32
	burst               int
	address             string // of the listener for metrics, or none
	lasts               time.Duration
	format              string // of what goes to standard output

	// Of those that decide, too:
	log    string
	dryRun bool
	seed   int64
	elect  electFlags
}

// nobody is the address of no listener.
const nobody = "none"

// add adds the flags that all have.
func (f *liveFlags) add(cmd *cobra.Command, address string) {
	fl := cmd.Flags()
	fl.StringVar(&f.kubeconfig, "kubeconfig", "", "file that says how the API is reached (default: $KUBECONFIG, ~/.kube/config, or in a pod its service account)")
	fl.StringVar(&f.context, "context", "", "context of that file (default: its current one)")
	fl.Float32Var(&f.qps, "kube-api-qps", 50, "requests to the API, a second")
	fl.IntVar(&f.burst, "kube-api-burst", 100, "requests to the API at once, for a moment")
	fl.StringVar(&f.address, "metrics-address", address, "where /metrics, /healthz and /readyz are served, and /debug/pprof if it is a loopback address; none: nowhere")
	fl.DurationVar(&f.lasts, "for", 0, "stop after so long (default: go on until stopped)")
	fl.StringVarP(&f.format, "output", "o", "table", "what goes to standard output: table, json")
}

// addDeciding adds those of verbs that decide.
func (f *liveFlags) addDeciding(cmd *cobra.Command, lease string) {
	fl := cmd.Flags()
	fl.StringVar(&f.log, "log", "", "file for the run's log, which berth replay plays again")
	fl.BoolVar(&f.dryRun, "dry-run", false, "decide and say so on standard output, and write nothing to the API")
	fl.Int64Var(&f.seed, "seed", 42, "seed of what is drawn, if anything is")
	f.elect.add(cmd, lease)
}

// check returns what is wrong with the flags.
func (f *liveFlags) check() error {
	if f.format != "table" && f.format != "json" {
		return exit(exitBadInput, fmt.Errorf("unknown output format %q; use one of table, json", f.format))
	}
	if f.lasts < 0 {
		return exit(exitBadInput, fmt.Errorf("--for is %v; give a duration above 0", f.lasts))
	}
	if f.qps <= 0 || f.burst <= 0 {
		return exit(exitBadInput, fmt.Errorf("--kube-api-qps is %v and --kube-api-burst %d; give numbers above 0", f.qps, f.burst))
	}
	if f.log != "" {
		if err := checkNew("--log", f.log); err != nil {
			return err
		}
	}
	return f.elect.check()
}

// checkNew returns an error if there is a file already, or one that was not finished.
func checkNew(flag, path string) error {
	for _, file := range []string{path, path + partial} {
		_, err := os.Lstat(file)
		switch {
		case err == nil:
			return exit(exitBadInput, fmt.Errorf("%s %s: %s exists; move it away, or give another file", flag, path, file))
		case !errors.Is(err, os.ErrNotExist):
			return exit(exitBadInput, fmt.Errorf("%s %s: %w; give another file", flag, path, err))
		}
	}
	return nil
}

// An api is how a cluster is reached.
type api struct {
	config    *rest.Config
	namespace string // of who asks
}

// connect reads how the API is reached. It asks the API nothing.
func (a *app) connect(f *liveFlags, verb string) (*api, error) {
	if a.api != nil {
		of := *a.api
		of.config = rest.CopyConfig(of.config)
		of.config.UserAgent = "berth-" + verb
		return &of, nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, exit(exitBadInput, fmt.Errorf("%s: %w; give a file by --kubeconfig, and one of its contexts by --context", cmp.Or(f.kubeconfig, "the API"), err))
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, exit(exitBadInput, fmt.Errorf("%s: %w; give a file by --kubeconfig", cmp.Or(f.kubeconfig, "the API"), err))
	}
	config.QPS, config.Burst = f.qps, f.burst
	config.UserAgent = "berth-" + verb + "/" + version()
	return &api{config, namespace}, nil
}

// liveLog returns the log of a verb that runs for long: JSON lines, also without -v.
func (a *app) liveLog() *zap.Logger {
	level := zap.InfoLevel
	switch {
	case a.verbose:
		level = zap.DebugLevel
	case a.quiet:
		level = zap.WarnLevel
	}
	return zap.New(zapcore.NewCore(jsonLines(), zapcore.Lock(zapcore.AddSync(a.env.Stderr)), level))
}

// jsonLines is how logs are written that machines read.
func jsonLines() zapcore.Encoder {
	config := zap.NewProductionEncoderConfig()
	config.TimeKey, config.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	return zapcore.NewJSONEncoder(config)
}

// A stopSignal is why a program is to stop.
type stopSignal struct{ os.Signal }

func (s stopSignal) Error() string { return "stopped by " + s.Signal.String() }

// errTime says that --for is over.
var errTime = errors.New("its time is over")

// stopped returns how a verb ends that was to go on until it was stopped, which it was.
func stopped(ctx context.Context) error {
	cause := context.Cause(ctx)
	var signal stopSignal
	switch {
	case errors.Is(cause, errTime), errors.As(cause, &signal) && signal.Signal != os.Interrupt:
		return nil
	case errors.Is(cause, errLost):
		return exit(exitWorldFailed, cause)
	}
	return exit(exitInterrupted, errors.New("stopped; what was done up to then is kept"))
}

// sinceEpoch returns a time of a run as people have it.
func sinceEpoch(epoch time.Time, t cluster.Time) string {
	return epoch.Add(time.Duration(t)).UTC().Format(time.RFC3339Nano)
}
