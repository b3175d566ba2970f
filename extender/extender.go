// Package extender asks kube-scheduler's extenders: processes that have a say about
// pods, and are asked over HTTP. It sends and takes what kube-scheduler 1.36 does
// (pkg/scheduler/extender.go, k8s.io/kube-scheduler/extender/v1), so an extender that
// serves a cluster serves a simulation, too.
//
// A Server is an extender as a configuration describes it; its Client is one
// scheduler's, and a scheduler.Extender.
package extender

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	extenderv1 "k8s.io/kube-scheduler/extender/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/scheduler"
)

// A Server is an extender that can be asked. It may be shared.
type Server struct {
	config manifest.Extender
	http   *http.Client
}

// New returns the Server that a configuration describes. It reads certificates, and
// asks nothing yet. Extenders that bind are refused: binding is the Cluster's.
func New(config manifest.Extender) (*Server, error) {
	if config.BindVerb != "" {
		return nil, fmt.Errorf("extender %s: bindVerb is %q, but pods are bound by the cluster that is simulated; leave bindVerb out", config.URLPrefix, config.BindVerb)
	}
	transport, err := transport(&config)
	if err != nil {
		return nil, fmt.Errorf("extender %s: tlsConfig: %w", config.URLPrefix, err)
	}
	return &Server{config, &http.Client{Transport: transport, Timeout: config.HTTPTimeout}}, nil
}

// Client returns a scheduler.Extender for one run, which ctx may end.
func (sv *Server) Client(ctx context.Context) *Client { return &Client{Server: sv, ctx: ctx} }

// A Client asks a Server for one scheduler. It implements scheduler.Extender.
type Client struct {
	*Server
	ctx    context.Context // of the run: a scheduler knows none
	writer manifest.Writer
}

var _ scheduler.Extender = (*Client)(nil)

// Name implements scheduler.Extender: it is the URL, as in kube-scheduler.
func (c *Client) Name() string { return c.config.URLPrefix }

// Ignorable implements scheduler.Extender.
func (c *Client) Ignorable() bool { return c.config.Ignorable }

// Verbs implements scheduler.Extender.
func (c *Client) Verbs() (verbs scheduler.Verbs) {
	if c.config.FilterVerb != "" {
		verbs |= scheduler.VerbFilter
	}
	if c.config.PrioritizeVerb != "" {
		verbs |= scheduler.VerbPrioritize
	}
	if c.config.PreemptVerb != "" {
		verbs |= scheduler.VerbPreempt
	}
	return verbs
}

// Interested implements scheduler.Extender: whether p asks for a resource that the
// extender manages, or it manages none in particular. A request for 0 of it, which
// kube-scheduler counts, is not known here.
func (c *Client) Interested(s *cluster.State, p cluster.PodID) bool {
	class := s.Class(p)
	return len(c.config.ManagedResources) == 0 ||
		slices.ContainsFunc(c.config.ManagedResources, func(r manifest.ManagedResource) bool {
			return r.Name == cluster.GPUShares && class.GPUs.Count > 0 ||
				slices.ContainsFunc(class.Extended, func(a cluster.NamedAmount) bool { return a.Name == r.Name })
		})
}

// args says which pod and which nodes a question is about: the nodes, or, to an
// extender that knows them, their names.
func (c *Client) args(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) *extenderv1.ExtenderArgs {
	args := &extenderv1.ExtenderArgs{Pod: c.writer.Pod(s, p)}
	if c.config.NodeCacheCapable {
		names := make([]string, len(nodes))
		for i, n := range nodes {
			names[i] = s.Nodes.Name[n]
		}
		args.NodeNames = &names
		return args
	}
	args.Nodes = &v1.NodeList{}
	for _, n := range nodes {
		args.Nodes.Items = append(args.Nodes.Items, *c.writer.Node(s, n))
	}
	return args
}

// Filter implements scheduler.Extender.
func (c *Client) Filter(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (f scheduler.Filtered, err error) {
	var result extenderv1.ExtenderFilterResult
	if err := c.ask(c.config.FilterVerb, c.args(s, p, nodes), &result); err != nil {
		return f, err
	}
	if result.Error != "" {
		return f, fmt.Errorf("%s: %s", c.config.FilterVerb, result.Error)
	}
	if f.Kept, f.Bare, err = c.kept(s, nodes, &result); err != nil {
		return f, err
	}
	f.Rejected = rejected(s, &result)
	return f, nil
}

// kept returns the nodes that an answer leaves. Names must be among those that were
// sent; nodes, as in kube-scheduler, may be others of the cluster, too.
func (c *Client) kept(s *cluster.State, nodes []cluster.NodeID, result *extenderv1.ExtenderFilterResult) (kept []cluster.NodeID, bare bool, err error) {
	if c.config.NodeCacheCapable && result.NodeNames != nil {
		sent := map[string]cluster.NodeID{}
		for _, n := range nodes {
			sent[s.Nodes.Name[n]] = n
		}
		for _, name := range *result.NodeNames {
			n, ok := sent[name]
			if !ok {
				return nil, false, fmt.Errorf("%s: it keeps node %q, about which it was not asked", c.config.FilterVerb, name)
			}
			kept = append(kept, n)
		}
		return kept, false, nil
	}
	if result.Nodes == nil {
		return nil, false, nil
	}
	for i := range result.Nodes.Items {
		name := result.Nodes.Items[i].Name
		n, ok := s.Nodes.Named(name)
		if !ok {
			return nil, false, fmt.Errorf("%s: it keeps node %q, which is not there", c.config.FilterVerb, name)
		}
		kept = append(kept, n)
	}
	return kept, true, nil
}

// rejected returns the nodes for which an answer gives a reason, in order of their
// names. What can't be resolved counts, if the answer says both.
func rejected(s *cluster.State, result *extenderv1.ExtenderFilterResult) (out []scheduler.ExtenderRejection) {
	for _, name := range sorted(result.FailedAndUnresolvableNodes) {
		if n, ok := s.Nodes.Named(name); ok {
			out = append(out, scheduler.ExtenderRejection{Node: n, Reason: result.FailedAndUnresolvableNodes[name], Unresolvable: true})
		}
	}
	for _, name := range sorted(result.FailedNodes) {
		n, ok := s.Nodes.Named(name)
		if _, both := result.FailedAndUnresolvableNodes[name]; ok && !both {
			out = append(out, scheduler.ExtenderRejection{Node: n, Reason: result.FailedNodes[name]})
		}
	}
	return out
}

// Prioritize implements scheduler.Extender.
func (c *Client) Prioritize(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (scores []scheduler.ExtenderScore, weight int64, err error) {
	var result extenderv1.HostPriorityList
	if err := c.ask(c.config.PrioritizeVerb, c.args(s, p, nodes), &result); err != nil {
		return nil, 0, err
	}
	for _, host := range result {
		if n, ok := s.Nodes.Named(host.Host); ok {
			scores = append(scores, scheduler.ExtenderScore{Node: n, Score: host.Score})
		}
	}
	return scores, c.config.Weight, nil
}

// ask sends a question, and reads the answer as kube-scheduler does: status 200, and
// one value of JSON at its beginning.
func (c *Client) ask(verb string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("%s: writing the question: %w", verb, err)
	}
	url := strings.TrimRight(c.config.URLPrefix, "/") + "/" + verb
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: the answer has status %d, not 200", verb, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("%s: reading the answer: %w", verb, err)
	}
	return nil
}
