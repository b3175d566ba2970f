package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
	"github.com/berthsim/berth/quota"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
)

// A regime is what limits namespaces in a run: ResourceQuotas that admission holds to, or a
// tree of queues by which the scheduler goes.
type regime struct {
	hash    string // SHA-256 of the file, in hex
	quotas  []*cluster.ResourceQuota
	elastic *scheduler.Weighted // nil for none
	plugin  *scheduler.Plugin   // the same
}

// elasticPrefix tells a file with a tree of queues from manifests.
const elasticPrefix = "elastic:"

// openRegime reads a value of the axis quota other than none: a file or folder of manifests
// with ResourceQuotas, or elastic:FILE, a tree of queues. Settings change its limits.
func openRegime(text string, plugins []*scheduler.Plugin, settings []QuotaSetting) (*regime, error) {
	if file, ok := strings.CutPrefix(text, elasticPrefix); ok {
		return openElastic(file, plugins, settings)
	}
	read, err := manifest.ReadPath(text)
	if err != nil {
		return nil, err
	}
	r := &regime{}
	for _, e := range read.Events() {
		if q, ok := e.Object.(*cluster.ResourceQuota); ok {
			fresh := *q
			fresh.Hard, fresh.Enforced, fresh.Used = slices.Clone(q.Hard), nil, nil
			if err := quota.Validate(&fresh); err != nil {
				return nil, fmt.Errorf("%s: %w", text, err)
			}
			r.quotas = append(r.quotas, &fresh)
		}
	}
	if len(r.quotas) == 0 {
		return nil, fmt.Errorf("%s: there is no ResourceQuota; give manifests with some, or elastic:FILE", text)
	}
	h := sha256.New()
	for i := range settings {
		if err := settings[i].apply(r.quotas); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		fmt.Fprintln(h, settings[i].String())
	}
	for _, q := range r.quotas {
		fmt.Fprintln(h, q.Namespace, q.Name, q.Scopes, q.Hard)
	}
	r.hash = hex.EncodeToString(h.Sum(nil))
	return r, nil
}

// A QuotaSetting changes a limit: quota/team-a/requests.cpu=200.
type QuotaSetting struct {
	Namespace string
	Quota     string // "" for the namespace's only one
	Resource  string
	Text      string // of the amount
	Amount    int64
}

// String writes the setting as ParseQuotaSetting reads it.
func (q QuotaSetting) String() string {
	name := q.Namespace
	if q.Quota != "" {
		name += ":" + q.Quota
	}
	return "quota/" + name + "/" + q.Resource + "=" + q.Text
}

// ParseQuotaSetting reads quota/NAMESPACE/RESOURCE=AMOUNT, or
// quota/NAMESPACE:QUOTA/RESOURCE=AMOUNT where a namespace has several quotas of the resource.
func ParseQuotaSetting(text string) (q QuotaSetting, err error) {
	const form = "write quota/NAMESPACE/RESOURCE=AMOUNT, for example quota/team-a/requests.cpu=200"
	rest, ok := strings.CutPrefix(text, "quota/")
	name, value, both := strings.Cut(rest, "=")
	namespace, resource, slash := strings.Cut(name, "/")
	if !ok || !both || !slash || namespace == "" || resource == "" {
		return q, fmt.Errorf("%q sets nothing; %s", text, form)
	}
	q.Namespace, q.Quota, _ = strings.Cut(namespace, ":")
	q.Resource, q.Text = resource, value
	if q.Amount, err = manifest.ParseAmount(resource, value); err != nil {
		return q, fmt.Errorf("%q: the amount %w", text, err)
	}
	return q, nil
}

// ParseQuotaSettings reads several.
func ParseQuotaSettings(texts []string) ([]QuotaSetting, error) {
	settings := make([]QuotaSetting, len(texts))
	for i, text := range texts {
		var err error
		if settings[i], err = ParseQuotaSetting(text); err != nil {
			return nil, err
		}
	}
	return settings, nil
}

// apply changes the limit that the setting names, or adds it to the only quota that can have
// it.
func (q *QuotaSetting) apply(quotas []*cluster.ResourceQuota) error {
	var of, with []*cluster.ResourceQuota
	for _, o := range quotas {
		if o.Namespace != q.Namespace || q.Quota != "" && o.Name != q.Quota {
			continue
		}
		of = append(of, o)
		if _, ok := find(o.Hard, q.Resource); ok {
			with = append(with, o)
		}
	}
	switch {
	case len(of) == 0:
		return fmt.Errorf("--set %s: there is no such quota; there are %s", q, quotaNames(quotas))
	case len(with) > 1 || len(with) == 0 && len(of) > 1:
		return fmt.Errorf("--set %s: there are several quotas; write quota/NAMESPACE:QUOTA/… with one of %s", q, quotaNames(of))
	case len(with) == 0:
		at, _ := find(of[0].Hard, q.Resource)
		of[0].Hard = slices.Insert(of[0].Hard, at, cluster.NamedAmount{Name: q.Resource, Amount: q.Amount})
		return quota.Validate(of[0])
	}
	at, _ := find(with[0].Hard, q.Resource)
	with[0].Hard[at].Amount = q.Amount
	return nil
}

func quotaNames(quotas []*cluster.ResourceQuota) string {
	names := make([]string, len(quotas))
	for i, q := range quotas {
		names[i] = q.Namespace + ":" + q.Name
	}
	return strings.Join(names, ", ")
}

// elasticName is the plugin that goes by a tree of queues.
const elasticName = "ElasticQuota"

// openElastic reads a tree of queues, the arguments of the plugin ElasticQuota.
func openElastic(file string, plugins []*scheduler.Plugin, settings []QuotaSetting) (*regime, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; name a file with a tree of queues", file, err)
	}
	plugin, err := scheduler.Find(plugins, elasticName)
	if err != nil {
		return nil, err
	}
	args, err := manifest.ReadPluginArgs(file, content, plugin)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(content)
	if len(settings) > 0 {
		if args, err = withGuarantees(args, settings); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if _, err := plugin.New(args); err != nil {
			return nil, fmt.Errorf("%s, as changed by --set: %w", file, err)
		}
	}
	for i := range settings {
		fmt.Fprintln(h, settings[i].String())
	}
	return &regime{hash: hex.EncodeToString(h.Sum(nil)), elastic: &scheduler.Weighted{Name: elasticName, Weight: 1, Args: args}, plugin: plugin}, nil
}

// withGuarantees returns a plugin's arguments with other amounts guaranteed to queues.
func withGuarantees(args scheduler.Args, settings []QuotaSetting) (scheduler.Args, error) {
	var tree map[string]any
	if err := args(&tree); err != nil {
		return nil, err
	}
	list, _ := tree["queues"].([]any)
	for i := range settings {
		q := &settings[i]
		at := slices.IndexFunc(list, func(x any) bool { m, ok := x.(map[string]any); return ok && m["name"] == q.Namespace })
		if at < 0 || q.Quota != "" {
			return nil, fmt.Errorf("--set %s: there is no such queue; write quota/QUEUE/RESOURCE=AMOUNT", q)
		}
		queue := list[at].(map[string]any)
		guaranteed, ok := queue["guaranteed"].(map[string]any)
		if !ok {
			guaranteed = map[string]any{}
			queue["guaranteed"] = guaranteed
		}
		guaranteed[q.Resource] = q.Text
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("writing a tree of queues: %w", err)
	}
	return func(into any) error { return json.Unmarshal(text, into) }, nil
}

// regimes opens each value of the axis quota once.
func (x *Experiment) regimes(plugins []*scheduler.Plugin) (map[string]*regime, error) {
	var settings []QuotaSetting
	for _, text := range x.Set {
		q, err := ParseQuotaSetting(text)
		if err != nil {
			return nil, invalid("set", text, "%v", err)
		}
		settings = append(settings, q)
	}
	all := map[string]*regime{}
	for _, text := range x.Axes.Quota {
		if text == none {
			continue
		}
		r, err := openRegime(text, plugins, settings)
		if err != nil {
			return nil, invalid("quota", text, "%v", err)
		}
		all[text] = r
	}
	return all, nil
}

// quotasInfo names what limited namespaces.
func quotasInfo(x *Experiment, regimes map[string]*regime) (list []PolicyInfo) {
	for _, text := range x.Axes.Quota {
		if r := regimes[text]; r != nil {
			list = append(list, PolicyInfo{text, r.hash})
		}
	}
	return list
}

// policy returns a policy under the regime; nil changes none.
func (r *regime) policy(p *Policy) *Policy {
	if r == nil || r.elastic == nil {
		return p
	}
	return p.with(*r.elastic)
}

// measure returns a Recorder of what is used of the regime's limits.
func (r *regime) measure() (limitMeasure, error) {
	if r.elastic == nil {
		return newQuotaMeasure(), nil
	}
	plugin, err := r.plugin.New(r.elastic.Args)
	if err != nil {
		return nil, err
	}
	teller, ok := plugin.(queueTeller)
	if !ok {
		return nil, fmt.Errorf("the plugin %s doesn't tell what queues use; it must have a method EachUse", r.plugin.Name)
	}
	return &queueMeasure{teller: teller}, nil
}

// over brings the regime to a run; nil brings none.
func (r *regime) over(k *sky, work sim.Work) {
	k.controllers = r.controllers(k.controllers)
	switch {
	case r == nil:
	case r.elastic == nil:
		k.options.Admission = &quota.Admission{}
		k.source = &ruled{from: k.source, quotas: r.quotas}
	case k.options.Kubelets == nil: // or nobody would hear that a pod was told to end
		k.options.Kubelets = sim.DefaultKubelets()
		k.options.Kubelets.Work = work
	}
}

// controllers returns who else decides under the regime, beside others and before the
// scheduler. Where queues reclaim what is theirs, pods go that others take the place of, as a
// Job sees to it.
func (r *regime) controllers(others []cluster.Controller) []cluster.Controller {
	switch {
	case r == nil:
		return others
	case r.elastic == nil:
		return append([]cluster.Controller{quota.NewController(quota.ControllerOptions{}), workload.NewRetry()}, others...)
	case slices.ContainsFunc(others, func(c cluster.Controller) bool { _, ok := c.(*workload.Replicas); return ok }):
		return others
	}
	return append(others, workload.NewReplicas())
}

// ruled is a trace that quotas precede.
type ruled struct {
	from   traces.Stream
	quotas []*cluster.ResourceQuota
}

// Next implements sim.Source.
func (r *ruled) Next() (cluster.Event, error) {
	if len(r.quotas) == 0 {
		return r.from.Next()
	}
	q := r.quotas[0]
	r.quotas = r.quotas[1:]
	return cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Node: cluster.None, Object: q}, nil
}
