package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/extender"
	"github.com/berthsim/berth/scheduler"
)

// A Policy says how a scheduler decides.
type Policy struct {
	Text string // as it was given
	Hash string // SHA-256 of the KubeSchedulerConfiguration, in hex; "" if it is none

	plugins []*scheduler.Plugin
	list    []scheduler.Weighted
	config  *manifest.SchedulerConfig // nil if the policy is a list

	extenders []*extender.Server // that the configuration names; all runs ask the same
}

// OpenPolicy reads a policy: what ParsePolicy reads, or the name of a file with a
// KubeSchedulerConfiguration, which ends in .yaml, .yml or .json.
func OpenPolicy(plugins []*scheduler.Plugin, text string) (*Policy, error) {
	if !IsConfigFile(text) {
		p := &Policy{Text: text, plugins: plugins}
		var err error
		p.list, err = ParsePolicy(plugins, text)
		return p, err
	}
	content, err := os.ReadFile(text)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w; name a file with a KubeSchedulerConfiguration", text, err)
	}
	return readPolicy(plugins, text, content)
}

// IsConfigFile reports whether a policy is the name of a file with a configuration.
func IsConfigFile(text string) bool {
	switch filepath.Ext(text) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// readPolicy reads a KubeSchedulerConfiguration, which is what a file holds.
func readPolicy(plugins []*scheduler.Plugin, file string, content []byte) (*Policy, error) {
	p := &Policy{Text: file, plugins: plugins}
	var err error
	if p.config, err = manifest.ReadSchedulerConfig(bytes.NewReader(content), file, plugins); err != nil {
		return nil, err
	}
	for _, config := range p.config.Extenders {
		server, err := extender.New(config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		p.extenders = append(p.extenders, server)
	}
	sum := sha256.Sum256(content)
	p.Hash = hex.EncodeToString(sum[:])
	return p, nil
}

// defaultScheduler is the name of the profile for pods that name none.
const defaultScheduler = "default-scheduler"

// Options returns what makes a scheduler of the policy; each call makes profiles of
// its own. Extenders are asked until ctx is done.
func (p *Policy) Options(ctx context.Context) (o scheduler.Options, err error) {
	o.Profiles = map[string]*scheduler.Profile{}
	if p.config == nil {
		o.Profiles[""], err = scheduler.NewProfile(p.plugins, p.list)
		return o, err
	}
	var extenders []scheduler.Extender
	for _, server := range p.extenders {
		extenders = append(extenders, server.Client(ctx))
	}
	for i := range p.config.Profiles {
		sp := &p.config.Profiles[i]
		name := schedulerName(sp.Name)
		if o.Profiles[name], err = sp.New(p.plugins); err != nil {
			return o, err
		}
		o.Profiles[name].SetExtenders(extenders)
		o.Profiles[name].ShareStart(o.Profiles[schedulerName(p.config.Profiles[0].Name)])
	}
	o.InitialBackoff = cluster.Time(p.config.InitialBackoff) * cluster.Second
	o.MaxBackoff = cluster.Time(p.config.MaxBackoff) * cluster.Second
	return o, nil
}

// with returns the policy with one plugin more in each of its profiles.
func (p *Policy) with(more scheduler.Weighted) *Policy {
	q := *p
	if p.config == nil {
		q.list = append(slices.Clone(p.list), more)
		return &q
	}
	config := *p.config
	config.Profiles = slices.Clone(config.Profiles)
	for i := range config.Profiles {
		config.Profiles[i].Policy = append(slices.Clone(config.Profiles[i].Policy), more)
	}
	q.config = &config
	return &q
}

// schedulerName returns a profile's name as classes have it.
func schedulerName(profile string) string {
	if profile == defaultScheduler {
		return ""
	}
	return profile
}

// ParsePolicy reads a policy: a plugin's name, or several as
// "name:weight+name:weight". A weight left out is 1. The plugins must be among
// those given.
func ParsePolicy(plugins []*scheduler.Plugin, text string) ([]scheduler.Weighted, error) {
	var policy []scheduler.Weighted
	for part := range strings.SplitSeq(text, "+") {
		name, weightText, weighted := strings.Cut(strings.TrimSpace(part), ":")
		w := scheduler.Weighted{Name: name, Weight: 1}
		if weighted {
			weight, err := strconv.ParseInt(weightText, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("policy %q: the weight %q is not a whole number; write NAME:WEIGHT, for example fgd:2", text, weightText)
			}
			w.Weight = weight
		}
		policy = append(policy, w)
	}
	// Making a profile checks names, weights and options.
	profile, err := scheduler.NewProfile(plugins, policy)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", text, err)
	}
	if !profile.Prefers() {
		return nil, fmt.Errorf("policy %q prefers no node to another; name a plugin that scores: %s", text, strings.Join(Preferring(plugins), ", "))
	}
	return policy, nil
}

// Preferring returns the names, in lower case, of the plugins that are policies by
// themselves, in the order of the list. What can't be made is left out.
func Preferring(plugins []*scheduler.Plugin) (names []string) {
	for _, pl := range plugins {
		profile, err := scheduler.NewProfile(plugins, []scheduler.Weighted{{Name: pl.Name, Weight: 1}})
		if err == nil && profile.Prefers() {
			names = append(names, strings.ToLower(pl.Name))
		}
	}
	return names
}
