package manifest

import (
	"fmt"
	"strings"
	"time"

	"github.com/berthsim/berth/internal/input"
	"k8s.io/apimachinery/pkg/util/validation"
)

// An Extender is a process that kube-scheduler asks about pods, over HTTP.
type Extender struct {
	URLPrefix string // what the verbs are appended to

	// What it is asked; empty if it isn't.
	FilterVerb, PreemptVerb, PrioritizeVerb, BindVerb string

	Weight      int64         // of its priorities; above 0 if it has any
	EnableHTTPS bool          // without a CA in TLS, servers are not verified
	TLS         *ExtenderTLS  // nil if nothing is said of it
	HTTPTimeout time.Duration // of a call; 5 s by default

	NodeCacheCapable bool              // it knows the nodes, and is sent names alone
	ManagedResources []ManagedResource // only pods that request one concern it; all pods, if there are none
	Ignorable        bool              // without its answer pods are placed all the same
}

// A ManagedResource is an extended resource that an extender looks after.
type ManagedResource struct {
	Name               string
	IgnoredByScheduler bool // NodeResourcesFit doesn't filter by it
}

// An ExtenderTLS says how a connection to an extender is made safe. Data comes
// before files, which are not read here.
type ExtenderTLS struct {
	Insecure                  bool // the server is not verified
	ServerName                string
	CertFile, KeyFile, CAFile string
	CertData, KeyData, CAData []byte // in PEM
}

// extenders reads the extenders, those without whose answer no pod is placed first,
// as kube-scheduler asks them (pkg/scheduler/scheduler.go, buildExtenders).
func (c *configReader) extenders() ([]Extender, error) {
	var must, may []Extender
	managed, binders := map[string]bool{}, 0
	for i := range c.file.Extenders {
		from := &c.file.Extenders[i]
		e, err := from.extender(managed)
		if e.BindVerb != "" {
			binders++
		}
		if err == nil && binders > 1 {
			err = in(wrong("is the second in the file", "let one extender bind, and no other"), "bindVerb")
		}
		if err != nil {
			return nil, in(err, "extenders", i)
		}
		for _, r := range e.ManagedResources {
			if r.IgnoredByScheduler {
				c.ignored = append(c.ignored, r.Name)
			}
		}
		if e.Ignorable {
			may = append(may, e)
		} else {
			must = append(must, e)
		}
	}
	return append(must, may...), nil
}

// extender converts one extender. Managed are the resources of those before it.
func (from *extenderFile) extender(managed map[string]bool) (Extender, error) {
	e := Extender{
		URLPrefix: from.URLPrefix, FilterVerb: from.FilterVerb, PreemptVerb: from.PreemptVerb,
		PrioritizeVerb: from.PrioritizeVerb, BindVerb: from.BindVerb, Weight: from.Weight,
		EnableHTTPS: from.EnableHTTPS, HTTPTimeout: from.HTTPTimeout.Duration,
		NodeCacheCapable: from.NodeCacheCapable, Ignorable: from.Ignorable,
	}
	if e.HTTPTimeout == 0 {
		e.HTTPTimeout = 5 * time.Second
	}
	if e.PrioritizeVerb != "" && e.Weight <= 0 {
		return e, in(wrong(fmt.Sprintf("is %d, for an extender that prioritizes", e.Weight), "write a weight such as 1, or remove prioritizeVerb"), "weight")
	}
	for j, r := range from.ManagedResources {
		err := checkExtended(r.Name)
		if err == nil && managed[r.Name] {
			err = wrong("is "+input.Quoted(r.Name)+" for the second time", "let one extender manage it")
		}
		if err != nil {
			return e, in(err, "managedResources", j, "name")
		}
		managed[r.Name] = true
		e.ManagedResources = append(e.ManagedResources, ManagedResource(r))
	}
	if t := from.TLSConfig; t != nil {
		e.TLS = &ExtenderTLS{
			Insecure: t.Insecure, ServerName: t.ServerName, CertFile: t.CertFile, KeyFile: t.KeyFile, CAFile: t.CAFile,
			CertData: t.CertData, KeyData: t.KeyData, CAData: t.CAData,
		}
		if t.Insecure && (t.CAFile != "" || len(t.CAData) > 0) {
			return e, in(wrong("is true although there is a CA to verify the server by", "remove one of the two"), "tlsConfig", "insecure")
		}
	}
	return e, nil
}

// checkExtended checks that a name is one of an extended resource.
func checkExtended(name string) error {
	const remedy = "name one such as example.com/device"
	if len(validation.IsQualifiedName(name)) > 0 {
		return wrong("is "+input.Quoted(name)+", which is no name of a resource", remedy)
	}
	native := !strings.Contains(name, "/") || strings.Contains(name, "kubernetes.io/")
	if native || strings.HasPrefix(name, "requests.") || len(validation.IsQualifiedName("requests."+name)) > 0 {
		return wrong("is "+input.Quoted(name)+", which is no extended resource", remedy)
	}
	return nil
}
