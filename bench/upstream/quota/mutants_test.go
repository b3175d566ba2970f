package quota

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/bench/upstream/setting"
	"github.com/berthsim/berth/cluster"
	berth "github.com/berthsim/berth/quota"
)

// each returns a mistake about every container of an account.
func each(name string, f func(*cluster.Container)) mistake {
	return mistake{name: name, onAccount: func(a *cluster.Account) {
		for i := range a.Containers {
			f(&a.Containers[i])
		}
		for i := range a.InitContainers {
			f(&a.InitContainers[i])
		}
	}}
}

// item returns a mistake about every item of LimitRanges.
func item(name string, f func(*berth.LimitRangeItem)) mistake {
	return mistake{name: name, onLimitRange: func(r *berth.LimitRange) {
		r.Items = slices.Clone(r.Items)
		for i := range r.Items {
			f(&r.Items[i])
		}
	}}
}

// operator returns a mistake that takes one operator of scopes for another.
func operator(from, to string) mistake {
	return mistake{name: from + " is " + to, onQuota: func(q *cluster.ResourceQuota) {
		for i := range q.Scopes {
			if q.Scopes[i].Operator == from && q.Scopes[i].Scope == berth.ScopePriorityClass {
				q.Scopes[i].Operator = to
			}
		}
	}}
}

// scope returns a mistake that takes one scope for another.
func scope(from, to string) mistake {
	return mistake{name: from + " is " + to, onQuota: func(q *cluster.ResourceQuota) {
		for i := range q.Scopes {
			if q.Scopes[i].Scope == from {
				q.Scopes[i].Scope = to
			}
		}
	}}
}

func claim(name string, f func(*berth.Claim)) mistake {
	return mistake{name: name, onObject: func(o *berth.Object) {
		if o.Claim != nil {
			f(o.Claim)
		}
	}}
}

func service(name string, f func(*berth.Service)) mistake {
	return mistake{name: name, onObject: func(o *berth.Object) {
		if o.Service != nil {
			f(o.Service)
		}
	}}
}

// alternatives returns a mistake about what resource claims ask for.
func alternatives(name string, f func(*berth.DeviceDemand)) mistake {
	return mistake{name: name, onObject: func(o *berth.Object) {
		o.Devices = slices.Clone(o.Devices)
		for i := range o.Devices {
			o.Devices[i].Alternatives = slices.Clone(o.Devices[i].Alternatives)
			f(&o.Devices[i])
		}
	}}
}

func unheard(name string, kind cluster.Kind) mistake {
	return mistake{name: name, onEvent: func(e *cluster.Event) bool { return e.Kind != kind }}
}

func accounts(name string, f func(*cluster.Account)) mistake {
	return mistake{name: name, onAccount: f}
}

// mentionsNot leaves out what is mentioned with an amount of 0.
func mentionsNot(list []cluster.NamedAmount) []cluster.NamedAmount {
	return slices.DeleteFunc(slices.Clone(list), func(a cluster.NamedAmount) bool { return a.Amount == 0 })
}

var podMistakes = []mistake{
	each("init containers all go on", func(c *cluster.Container) { c.Restarts = true }),
	each("sidecars end", func(c *cluster.Container) { c.Restarts = false }),
	each("limits don't count", func(c *cluster.Container) { c.Limits = nil }),
	each("what is asked for as 0 isn't mentioned", func(c *cluster.Container) { c.Requests, c.Limits = mentionsNot(c.Requests), mentionsNot(c.Limits) }),
	each("what containers have doesn't count", func(c *cluster.Container) { c.GivenRequests, c.GivenLimits = nil, nil }),
	accounts("init containers don't count", func(a *cluster.Account) { a.InitContainers = nil }),
	accounts("the first container counts", func(a *cluster.Account) { a.Containers = a.Containers[:1] }),
	accounts("overhead doesn't count", func(a *cluster.Account) { a.Overhead = nil }),
	accounts("the pod as a whole doesn't count", func(a *cluster.Account) { a.Whole = nil }),
	accounts("a resize that is infeasible counts", func(a *cluster.Account) { a.ResizeInfeasible = false }),
	accounts("deadlines are not seen", func(a *cluster.Account) { a.Deadline = false }),
	accounts("affinity stays in the namespace", func(a *cluster.Account) { a.OtherNamespaces = false }),
	accounts("priority classes are not seen", func(a *cluster.Account) { a.PriorityClass = "" }),
	{name: "pods that have ended count", onPod: func(p *berth.Pod) { p.Ended = false }},
	{name: "pods that are overdue count", onPod: func(p *berth.Pod) { p.Overdue = false }},
}

var otherMistakes = []mistake{
	claim("there are no storage classes", func(c *berth.Claim) { c.StorageClass = "" }),
	claim("storage that is allocated doesn't count", func(c *berth.Claim) { c.Allocated = -1 }),
	claim("claims have one class of attributes", func(c *berth.Claim) { c.VolumeAttributes = c.VolumeAttributes[:min(1, len(c.VolumeAttributes))] }),
	service("load balancers have ports of nodes", func(s *berth.Service) { s.NoNodePorts = false }),
	service("ports of nodes are those that are set", func(s *berth.Service) { s.Ports = s.NodePorts }),
	alternatives("all devices are one", func(d *berth.DeviceDemand) {
		for i := range d.Alternatives {
			d.Alternatives[i].All = false
		}
	}),
	alternatives("the first alternative counts", func(d *berth.DeviceDemand) { d.Alternatives = d.Alternatives[:1] }),
	alternatives("classes are no extended resources", func(d *berth.DeviceDemand) {
		for i := range d.Alternatives {
			d.Alternatives[i].Extended = ""
		}
	}),
	{name: "updates are charged in full", onRequest: func(r *berth.Request) { r.Operation = berth.Create }},
	{name: "resizing is not looked at", onRequest: func(r *berth.Request) {
		if r.Subresource == "resize" {
			r.Subresource = "status"
		}
	}},
	{name: "the status of claims may be denied", onRequest: func(r *berth.Request) {
		if r.Subresource == "status" && r.Object.Claim != nil {
			r.Subresource = ""
		}
	}},
}

var quotaMistakes = []mistake{
	operator("In", "NotIn"), operator("NotIn", "In"), operator("Exists", "DoesNotExist"), operator("DoesNotExist", "Exists"),
	scope("Terminating", "NotTerminating"), scope("NotTerminating", "Terminating"), scope("BestEffort", "NotBestEffort"),
	scope("NotBestEffort", "BestEffort"), scope("CrossNamespacePodAffinity", "PriorityClass"), scope("VolumeAttributesClass", "BestEffort"),
	{name: "the first scope counts", onQuota: func(q *cluster.ResourceQuota) { q.Scopes = q.Scopes[:min(1, len(q.Scopes))] }},
	{name: "limits may be exceeded by one", onQuota: func(q *cluster.ResourceQuota) {
		for i := range q.Enforced {
			q.Enforced[i].Amount++
		}
	}},
	{name: "limits must not be reached", onQuota: func(q *cluster.ResourceQuota) {
		for i := range q.Enforced {
			q.Enforced[i].Amount--
		}
	}},
	{name: "the spec is enforced at once", onQuota: func(q *cluster.ResourceQuota) { q.Enforced = q.Hard }},
	{name: "what isn't known is 0", onQuota: func(q *cluster.ResourceQuota) {
		defer func() {
			slices.SortFunc(q.Used, func(a, b cluster.NamedAmount) int { return strings.Compare(a.Name, b.Name) })
		}()
		for _, l := range q.Enforced {
			if !slices.ContainsFunc(q.Used, func(u cluster.NamedAmount) bool { return u.Name == l.Name }) {
				q.Used = append(q.Used, cluster.NamedAmount{Name: l.Name})
			}
		}
	}},
	{name: "nothing is charged", onCharged: func(before, after *cluster.ResourceQuota) { after.Used = before.Used }},
	{name: "what is counted is not what is enforced", onCounted: func(q *cluster.ResourceQuota) { q.Enforced = q.Used }},
}

var pluginMistakes = []mistake{
	item("there is no minimum", func(x *berth.LimitRangeItem) { x.Min = nil }),
	item("there is no maximum", func(x *berth.LimitRangeItem) { x.Max = nil }),
	item("there is no ratio", func(x *berth.LimitRangeItem) { x.Ratio = nil }),
	item("ratios are whole", func(x *berth.LimitRangeItem) {
		x.Ratio = slices.Clone(x.Ratio)
		for i := range x.Ratio {
			x.Ratio[i].Amount -= x.Ratio[i].Amount % 1000
		}
	}),
	item("there are no default limits", func(x *berth.LimitRangeItem) { x.Default = nil }),
	item("there are no default requests", func(x *berth.LimitRangeItem) { x.DefaultRequest = nil }),
	item("requests are the limits by default", func(x *berth.LimitRangeItem) { x.DefaultRequest = x.Default }),
	item("pods are containers", func(x *berth.LimitRangeItem) {
		if x.Type == berth.LimitPod {
			x.Type = berth.LimitContainer
		}
	}),
	item("claims are not limited", func(x *berth.LimitRangeItem) {
		if x.Type == berth.LimitClaim {
			x.Type = "Volume"
		}
	}),
	{name: "no priority class is the default", onPriority: func(c *berth.PriorityClass) { c.GlobalDefault = false }},
	{name: "all classes preempt", onPriority: func(c *berth.PriorityClass) { c.NeverPreempts = false }},
	{name: "runtime classes have no overhead", onRuntime: func(c *berth.RuntimeClass) { c.Overhead = nil }},
	{name: "runtime classes run anywhere", onRuntime: func(c *berth.RuntimeClass) { c.Schedules = false }},
	{name: "a priority that is asked for is taken", onAsked: func(p *berth.NewPod) { p.Priority = nil }},
	{name: "a policy that is asked for is taken", onAsked: func(p *berth.NewPod) { p.NeverPreempts = nil }},
	{name: "overhead that is asked for is taken", onAsked: func(p *berth.NewPod) { p.Account.Overhead = nil }},
	{name: "pods tolerate no node that is lost", onFilled: func(p *berth.NewPod) {
		p.Tolerations = slices.DeleteFunc(slices.Clone(p.Tolerations), func(t cluster.Toleration) bool { return t.Seconds != nil && *t.Seconds == 300 })
	}},
	unheard("the controller doesn't hear that pods end", cluster.PodEnded),
	unheard("the controller doesn't hear that pods are told to end", cluster.PodTold),
	unheard("the controller doesn't hear that pods change", cluster.PodChanged),
}

// mostStories is how many stories a mistake may go unnoticed.
const mostStories = 1500

// TestMutants makes mistakes in Berth's side, each of which must be noticed: in those that are kept,
// since that is faster, or else in some that are drawn; in these alone if there are more REQUESTS than usual.
func TestMutants(t *testing.T) {
	pin()
	kept, err := ReadKept("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if setting.Int(t, "REQUESTS", 2000) > 20000 {
		kept = nil
	}
	all := slices.Concat(podMistakes, otherMistakes, quotaMistakes, pluginMistakes)
	for _, wrong := range all {
		t.Run(wrong.name, func(t *testing.T) {
			if !*keeping {
				t.Parallel()
			}
			notices := func(s Story) bool { return play(t, s, wrong, newFeatures()).Difference != "" }
			if slices.ContainsFunc(kept, func(k Kept) bool { return notices(k.Story) }) {
				return
			}
			for i := range mostStories {
				s := Draw(1, uint64(i))
				if !notices(s) {
					continue
				}
				if *keeping {
					s, _ = smaller(t, s, wrong)
					keep(t, strings.NewReplacer(" ", "-", "'", "").Replace(wrong.name), "Notices if "+wrong.name+".", s)
					kept, _ = ReadKept("testdata")
				}
				return
			}
			t.Errorf("nobody noticed in %d stories", mostStories)
		})
	}
	t.Logf("%d mistakes", len(all))
}
