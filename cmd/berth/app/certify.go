//go:build linux

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/bench/certify"
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/kube"
	"github.com/berthsim/berth/cluster/lab"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/spf13/cobra"
)

// certifyFlags are those of certify.
type certifyFlags struct {
	live liveFlags
	lab  string
	save string
	out  tableFlags
}

func (a *app) certify() *cobra.Command {
	var f certifyFlags
	cmd := &cobra.Command{
		Use:   "certify SCRIPT.yaml",
		Short: "Hold the simulator against real kubelets",
		Long: "Certify plays a workload and faults on a lab of real kubelets, and then the same in the simulator,\n" +
			"under the same scheduler and eviction code. It says how many pods went to the same node, why each\n" +
			"other one didn't, and how long start-up, detection, eviction, replacement and recovery took, live and\n" +
			"simulated. The simulated kubelets' start-up times are fitted to the lab's. docs/certify.md has the format\n" +
			"of scripts. It exits with status 1 if a pod went elsewhere and nothing explains it.",
		Example: "  berth lab up --nodes 3\n  berth certify examples/certify/script.yaml --save certificate",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.out.check(); err != nil {
				return err
			}
			return a.certifyScript(cmd.Context(), args[0], &f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.lab, "lab", lab.DefaultDir(lab.DefaultName), "folder of the lab")
	fl.StringVar(&f.save, "save", "", "folder for certificate.html, certificate.svg, certificate.json and live.berth; must not exist")
	f.out.flags(cmd)
	return cmd
}

// certifyScript does what certify is for.
func (a *app) certifyScript(ctx context.Context, path string, f *certifyFlags) error {
	script, pods, err := readCertifyScript(path)
	if err != nil {
		return exit(exitBadInput, err)
	}
	if f.save != "" {
		if err := os.Mkdir(f.save, 0o777); err != nil {
			return exit(exitBadInput, fmt.Errorf("--save: %w; give a folder that doesn't exist", err))
		}
	}
	on, err := lab.Open(f.lab, nil)
	if err != nil {
		return exit(exitBadInput, err)
	}
	client, err := on.Client()
	if err != nil {
		return exit(exitWorldFailed, err)
	}
	f.live = liveFlags{kubeconfig: on.Kubeconfig(), qps: 200, burst: 400, address: nobody, format: "table", seed: 42}
	p := &certifying{app: a, script: script, stage: &labStage{on, client, pods}, timeline: certify.NewTimeline()}
	p.who = &bench.Live{Verb: bench.LiveCertify, Policy: script.Policy, Name: ownScheduler, Eviction: script.Eviction}
	if err := p.live(ctx, f); err != nil {
		return err
	}
	c, err := p.compare(ctx)
	if err != nil {
		return a.failed(err)
	}
	return p.report(path, c, f)
}

// certifying is a script that is played.
type certifying struct {
	app      *app
	script   *certify.Script
	stage    *labStage
	who      *bench.Live
	timeline *certify.Timeline

	struck []faults.Fault
	until  cluster.Time
	digest *cluster.Digest // of the live run
	fitted sim.StartUp
}

// live plays the script on the lab.
func (p *certifying) live(ctx context.Context, f *certifyFlags) error {
	if err := p.stage.prepare(ctx); err != nil {
		return exit(exitWorldFailed, err)
	}
	run, over := context.WithCancelCause(ctx)
	defer over(nil)
	played := make(chan error, 1)
	still := *p.app // standard output is the certificate's
	still.env.Stdout, still.quiet = io.Discard, !still.verbose
	l := &live{app: &still, flags: &f.live, who: p.who, needs: kube.Pods | kube.Nodes | kube.Leases | kube.Namespaces}
	if f.save != "" {
		l.file = filepath.Join(f.save, "live.berth")
	}
	l.begin = func(ctx context.Context, on *stage) (*crew, error) {
		controllers, err := p.who.Controllers(ctx, &bench.Options{Plugins: p.app.plugins, Evictions: p.app.evictions})
		if err != nil {
			return nil, exit(exitBadInput, err)
		}
		p.digest = cluster.NewDigest()
		go func() {
			err := p.stage.await(ctx)
			if err == nil {
				p.struck, err = p.script.Play(ctx, p.stage, on.epoch)
			}
			p.until = cluster.Time(time.Since(on.epoch))
			played <- err
			over(errTime)
		}()
		return &crew{controllers: controllers, recorders: cluster.Recorders{p.timeline, p.digest}}, nil
	}
	err := l.run(run)
	over(nil)
	return errors.Join(err, p.ended(ctx, <-played))
}

// ended removes the script's pods. The error is that of playing it.
func (p *certifying) ended(ctx context.Context, err error) error {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if wrong := p.stage.clear(clean); err == nil {
		err = wrong
	}
	return exit(exitWorldFailed, err)
}

// quantiles is how many of them start-up times are fitted by.
const quantiles = 11

// compare plays the script in the simulator, once for each seed. In the first run nodes renew
// their leases as the live ones did.
func (p *certifying) compare(ctx context.Context) (*certify.Certificate, error) {
	p.fitted = p.timeline.StartUps(quantiles)
	how := certify.Simulation{
		Faults: p.struck, Until: p.until, StartUp: p.fitted,
		Controllers: func() ([]cluster.Controller, error) {
			return p.who.Controllers(ctx, &bench.Options{Plugins: p.app.plugins, Evictions: p.app.evictions})
		},
	}
	var runs []*certify.Timeline
	for how.Seed = 1; how.Seed <= int64(p.script.Runs); how.Seed++ {
		how.Alike = how.Seed == 1
		t, err := p.timeline.Simulate(ctx, how)
		if err != nil {
			return nil, err
		}
		runs = append(runs, t)
	}
	return certify.Compare(p.timeline, p.struck, runs...), nil
}

// report writes a certificate, and says whether there is a difference that nothing explains.
func (p *certifying) report(path string, c *certify.Certificate, f *certifyFlags) error {
	if f.save != "" {
		if err := saveCertificate(f.save, c, p.facts(path)); err != nil {
			return exit(exitWorldFailed, err)
		}
	}
	if err := f.out.write(p.app, certificateTable(c)); err != nil {
		return err
	}
	for _, d := range c.Different {
		if len(d.Why) == 0 {
			return exit(exitNo, fmt.Errorf("%s went to %q live and to %q in the simulator, and nothing was otherwise when it was decided", d.Pod, d.Live, d.Sim))
		}
	}
	return nil
}

// facts are what reproduces a certificate.
func (p *certifying) facts(path string) []certify.Fact {
	facts := []certify.Fact{
		{Name: "script", Value: path},
		{Name: "policy", Value: p.script.Policy},
		{Name: "eviction", Value: p.script.Eviction},
		{Name: "start-up times, fitted", Value: startUpText(p.fitted)},
		{Name: "simulated runs", Value: strconv.Itoa(p.script.Runs)},
		{Name: "digest of the live run", Value: p.digest.Sum()},
		{Name: "version", Value: version()},
	}
	for _, s := range p.struck {
		until := "the end"
		if s.Until != cluster.Never {
			until = (time.Duration(s.Until-p.timeline.Began()) * time.Nanosecond).Round(time.Millisecond).String()
		}
		facts = append(facts, certify.Fact{Name: "fault", Value: fmt.Sprintf("%v of %s from %v to %s after the first pod",
			s.Kind, s.Nodes[0], time.Duration(s.At-p.timeline.Began()).Round(time.Millisecond), until)})
	}
	return facts
}
