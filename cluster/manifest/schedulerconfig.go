package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/berthsim/berth/internal/input"
	"github.com/berthsim/berth/scheduler"
	v1 "k8s.io/api/core/v1"
	configv1 "k8s.io/kube-scheduler/config/v1"
)

// A SchedulerConfig is what a KubeSchedulerConfiguration says, after kube-scheduler's
// defaults.
type SchedulerConfig struct {
	Profiles []SchedulerProfile // at least one

	// A pod that fits nowhere waits so many seconds before it is tried again,
	// twice as many after each try, up to the most.
	InitialBackoff, MaxBackoff int64

	Extenders []Extender // in the order in which they are asked
}

// A SchedulerProfile says how pods that name it are placed.
type SchedulerProfile struct {
	Name string // that pods give as their schedulerName

	// Policy holds the plugins in the order in which they filter. A plugin that
	// every profile has, but this one doesn't, is left out at all its points.
	Policy []scheduler.Weighted

	Sampling scheduler.Sampling // by percentageOfNodesToScore
}

// New makes the profile, of the plugins that the configuration was read with.
// Those of Kubernetes filter in the order of Policy; plugins that every profile
// has and Kubernetes doesn't know filter before them.
func (p *SchedulerProfile) New(known []*scheduler.Plugin) (*scheduler.Profile, error) {
	plugins := slices.Clone(known)
	for i, pl := range plugins {
		if kubePluginNamed(pl.Name) != nil {
			optional := *pl
			optional.Required = false
			plugins[i] = &optional
		}
	}
	pr, err := scheduler.NewProfile(plugins, p.Policy)
	if err != nil {
		return nil, fmt.Errorf("scheduler profile %s: %w", p.Name, err)
	}
	pr.SetSampling(p.Sampling)
	return pr, nil
}

// ReadSchedulerConfig reads a KubeSchedulerConfiguration in YAML or JSON as
// kube-scheduler does, its defaults included. What kube-scheduler would refuse,
// and what Berth can't do as it does, is an *Error. Name is the file's name, for
// messages. Known are the plugins there are: Kubernetes' and any others, which the
// configuration may enable as if they were compiled into kube-scheduler.
//
// A plugin of Kubernetes that Berth has no use for (queue order, binding, volumes,
// claims, pod groups) may be named as everywhere, and has no effect.
func ReadSchedulerConfig(r io.Reader, name string, known []*scheduler.Plugin) (*SchedulerConfig, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the scheduler configuration %s: %w", name, err)
	}
	src, err := configSource(name, bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))
	if err != nil {
		return nil, err
	}
	c := &configReader{src: src, known: known}
	out, err := c.read()
	if err != nil {
		return nil, c.fail(err)
	}
	return out, nil
}

// configSource returns the one object in a file, as JSON.
func configSource(file string, content []byte) (*source, error) {
	if start := bytes.TrimLeft(content, " \t\r\n"); len(start) > 0 && start[0] == '{' {
		line := func(at int) int { return 1 + bytes.Count(content[:min(at, len(content))], []byte("\n")) }
		return &source{file: file, data: content, line: line}, nil
	}
	var src *source
	err := yamlValues(content, 1, func(json []byte, marks []mark) error {
		if string(json) == "null" {
			return nil
		}
		if src != nil {
			return &yamlError{marks[0].line, "a second document begins, which kube-scheduler would not look at", "leave it out"}
		}
		src = &source{file: file, data: json, line: func(at int) int { return lineIn(marks, at) }}
		return nil
	})
	var wrong *yamlError
	switch {
	case errors.As(err, &wrong):
		return nil, &Error{File: file, Line: wrong.line, Problem: wrong.problem, Remedy: wrong.remedy}
	case err != nil:
		return nil, err
	case src == nil:
		return nil, &Error{File: file, Problem: "the file says nothing", Remedy: "give a " + configKind}
	}
	return src, nil
}

// A configReader reads one configuration.
type configReader struct {
	src     *source
	known   []*scheduler.Plugin
	decoder decoder
	file    schedulerFile

	// ignored are the resources that extenders manage and that NodeResourcesFit
	// is to ignore; nil if there are none.
	ignored []string

	sorters []string // for each profile, the plugin that sorts the queue
}

// fail says where in the file an error is.
func (c *configReader) fail(err error) error {
	what := ""
	var field *FieldError
	if errors.As(err, &field) {
		if strings.HasPrefix(field.Problem, "has no field") && field.offset > 1 {
			field.offset-- // to the name, which may stand on a line before its value
		}
		if field.Remedy == "" {
			field.Remedy = "correct it"
		}
		if len(field.Path) == 0 && field.predicate() {
			what = "the configuration"
		}
	}
	return (&reader{}).fail(c.src, 0, what, err)
}

// configKind and configVersion are the type of what is read.
const configKind = "KubeSchedulerConfiguration"

var configVersion = configv1.SchemeGroupVersion.String()

func (c *configReader) read() (*SchedulerConfig, error) {
	if err := c.decode(); err != nil {
		return nil, err
	}
	for _, check := range []func(*schedulerFile) error{checkProcess, checkElection, checkBackoff} {
		if err := check(&c.file); err != nil {
			return nil, err
		}
	}
	if err := checkPercentage(c.file.PercentageOfNodesToScore); err != nil {
		return nil, err
	}
	out := &SchedulerConfig{InitialBackoff: c.file.initialBackoff(), MaxBackoff: c.file.maxBackoff()}
	var err error
	if out.Extenders, err = c.extenders(); err != nil {
		return nil, err
	}
	out.Profiles, err = c.profiles()
	return out, err
}

// decode reads the file into c.file.
func (c *configReader) decode() error {
	h, err := readHead(c.src.data, 0)
	switch {
	case err != nil:
		return err
	case h.kind == "" || h.apiVersion == "":
		return wrong("has no apiVersion or no kind", "write both: apiVersion: "+configVersion+", kind: "+configKind)
	case h.kind != configKind:
		return in(wrongValue(h.kind, configKind), "kind")
	case h.apiVersion != configVersion:
		return in(wrong("is "+input.Quoted(h.apiVersion), "write "+configVersion+", and what that version says"), "apiVersion")
	}
	end, err := c.decoder.decode(c.src.data, 0, &c.file)
	if err != nil {
		return err
	}
	s := c.src.scanner(end)
	if s.space(); s.at < len(s.data) {
		return failure(s.at, "something follows the configuration", "leave it out")
	}
	return nil
}

// profiles reads all profiles; if there are none, the default one.
func (c *configReader) profiles() (out []SchedulerProfile, err error) {
	if len(c.file.Profiles) == 0 {
		c.file.Profiles = make([]configv1.KubeSchedulerProfile, 1)
	}
	names, err := c.profileNames()
	if err != nil {
		return nil, err
	}
	for i := range c.file.Profiles {
		p := &profileReader{configReader: c, from: &c.file.Profiles[i], at: []any{"profiles", i}}
		profile, err := p.read()
		if err != nil {
			return nil, in(err, "profiles", i)
		}
		profile.Name = names[i]
		c.sorters = append(c.sorters, p.lists[atQueueSort][0])
		out = append(out, profile)
	}
	return out, c.sameQueueSort()
}

// profileNames returns the profiles' names. A profile that is alone need not have
// one.
func (c *configReader) profileNames() (names []string, err error) {
	for i, p := range c.file.Profiles {
		name := ""
		switch {
		case p.SchedulerName != nil:
			name = *p.SchedulerName
		case len(c.file.Profiles) == 1:
			name = v1.DefaultSchedulerName
		}
		switch first := slices.Index(names, name); {
		case name == "":
			err = wrong("is missing", "give each profile a name, such as "+v1.DefaultSchedulerName)
		case first >= 0:
			err = wrong(fmt.Sprintf("is %s, as that of profiles[%d]", input.Quoted(name), first), "give each profile another name")
		}
		if err != nil {
			return nil, in(err, "profiles", i, "schedulerName")
		}
		names = append(names, name)
	}
	return names, nil
}

// sampling returns at how many nodes a profile looks.
func (c *configReader) sampling(p *configv1.KubeSchedulerProfile) scheduler.Sampling {
	sampling := scheduler.Sampling{Adaptive: true}
	for _, percent := range []*int32{c.file.PercentageOfNodesToScore, p.PercentageOfNodesToScore} {
		if percent != nil {
			sampling.Percent = int(*percent)
		}
	}
	return sampling
}

func checkPercentage(percent *int32) error {
	if percent == nil || *percent >= 0 && *percent <= 100 {
		return nil
	}
	return in(wrong(fmt.Sprintf("is %d", *percent), "write a number from 0, for kube-scheduler's default, to 100"), "percentageOfNodesToScore")
}

// checkProcess checks what only counts for a process that runs in a cluster.
func checkProcess(f *schedulerFile) error {
	if n := f.Parallelism; n != nil && *n <= 0 {
		return in(wrong(fmt.Sprintf("is %d", *n), "write a number above 0"), "parallelism")
	}
	if n := f.ClientConnection.Burst; n < 0 {
		return in(wrong(fmt.Sprintf("is %d", n), "write 0, for the default, or more"), "clientConnection", "burst")
	}
	return nil
}

// checkElection checks what is said of the election of a leader, unless there is
// to be none.
func checkElection(f *schedulerFile) error {
	e := &f.LeaderElection
	if e.LeaderElect != nil && !*e.LeaderElect {
		return nil
	}
	if e.ResourceLock != "" && e.ResourceLock != "leases" {
		return in(wrongValue(e.ResourceLock, "leases"), "leaderElection", "resourceLock")
	}
	durations := []struct {
		name      string
		is, usual time.Duration
	}{
		{"leaseDuration", e.LeaseDuration.Duration, 15 * time.Second},
		{"renewDeadline", e.RenewDeadline.Duration, 10 * time.Second},
		{"retryPeriod", e.RetryPeriod.Duration, 2 * time.Second},
	}
	for i, d := range durations {
		if d.is < 0 {
			return in(wrong("is "+d.is.String(), "write a duration above 0"), "leaderElection", d.name)
		}
		if d.is == 0 {
			durations[i].is = d.usual
		}
	}
	if lease, renew := durations[0].is, durations[1].is; lease <= renew {
		problem := fmt.Sprintf("is %v, and renewDeadline is %v", lease, renew)
		return in(wrong(problem, "make it longer than renewDeadline"), "leaderElection", "leaseDuration")
	}
	return nil
}

func (f *schedulerFile) initialBackoff() int64 {
	if f.PodInitialBackoffSeconds == nil {
		return 1
	}
	return *f.PodInitialBackoffSeconds
}

func (f *schedulerFile) maxBackoff() int64 {
	if f.PodMaxBackoffSeconds == nil {
		return 10
	}
	return *f.PodMaxBackoffSeconds
}

func checkBackoff(f *schedulerFile) error {
	first, most := f.initialBackoff(), f.maxBackoff()
	if first <= 0 {
		return in(wrong(fmt.Sprintf("is %d", first), "write a number above 0"), "podInitialBackoffSeconds")
	}
	if most < first {
		name := "podMaxBackoffSeconds"
		if f.PodMaxBackoffSeconds == nil {
			name = "podInitialBackoffSeconds"
		}
		problem := fmt.Sprintf("pods wait %d seconds at first and %d at most", first, most)
		return in(wrong(problem, "make podMaxBackoffSeconds as large as podInitialBackoffSeconds, or larger"), name)
	}
	return nil
}
