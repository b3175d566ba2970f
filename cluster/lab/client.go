//go:build linux

package lab

import (
	"context"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// look is how often the lab looks whether what it waits for has come.
const look = 100 * time.Millisecond

// config says how to reach the API server. Nothing but the server's own fairness slows the lab
// down.
func (l *Lab) config() (*rest.Config, error) {
	c, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("reading the lab's kubeconfig: %w", err)
	}
	c.QPS, c.Timeout = -1, 30*time.Second
	return c, nil
}

// Client speaks to the lab's API server, as an administrator.
func (l *Lab) Client() (*kubernetes.Clientset, error) {
	config, err := l.config()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("speaking to the lab's API server: %w", err)
	}
	return client, nil
}

// awaitAPIServer waits until the API server says that it is ready.
func (l *Lab) awaitAPIServer(ctx context.Context) error {
	client, err := l.Client()
	if err != nil {
		return err
	}
	for {
		text, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil && string(text) == "ok" {
			return nil
		}
		for _, name := range []string{etcd, apiServer, proxy} {
			if pids, err := l.group(name).Pids(); err == nil && len(pids) == 0 {
				return fmt.Errorf("%s ended: %s", name, l.lastWords(name))
			}
		}
		if waited := pause(ctx, look); waited != nil {
			return fmt.Errorf("the API server isn't ready: %w: %s", waited, l.lastWords(apiServer))
		}
	}
}

// awaitNodes waits until all of some nodes are Ready. Their leases come up to ten seconds later:
// a kubelet that finds itself unregistered at its first renewal leaves it to its second.
func (l *Lab) awaitNodes(ctx context.Context, names []string) error {
	client, err := l.Client()
	if err != nil {
		return err
	}
	for {
		missing := unready(ctx, client, names)
		if len(missing) == 0 {
			return nil
		}
		if err := l.findDead(missing); err != nil {
			return err
		}
		if waited := pause(ctx, look); waited != nil {
			return fmt.Errorf("nodes %v aren't Ready: %w; see their logs in %s", missing, waited, l.path(nodesDir))
		}
	}
}

// unready are those of some nodes that aren't Ready, as far as the API server says.
func unready(ctx context.Context, client *kubernetes.Clientset, names []string) (missing []string) {
	nodes, err := client.CoreV1().Nodes().List(ctx, meta.ListOptions{ResourceVersion: "0"})
	if err != nil { // it may be slow to begin with
		return names
	}
	ready := map[string]bool{}
	for _, n := range nodes.Items {
		ready[n.Name] = readiness(n.Status.Conditions) == core.ConditionTrue
	}
	for _, name := range names {
		if !ready[name] {
			missing = append(missing, name)
		}
	}
	return missing
}

// findDead says which of the nodes has no processes any more.
func (l *Lab) findDead(names []string) error {
	for _, name := range names {
		n, err := l.node(name)
		if err != nil { // a simulated one
			continue
		}
		if pids, err := n.Place.Group.Pids(); err == nil && len(pids) == 0 {
			return fmt.Errorf("node %s ended: %s", name, l.lastWords(name))
		}
	}
	return nil
}

// readiness is the status of a node's condition Ready; "" before the kubelet said it.
func readiness(conditions []core.NodeCondition) core.ConditionStatus {
	for _, c := range conditions {
		if c.Type == core.NodeReady {
			return c.Status
		}
	}
	return ""
}
