//go:build linux

package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/bench/certify"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/lab"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/internal/input"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// certifyLabel is of the pods that certify creates, so that it can take them away.
const certifyLabel = "berth.dev/certify"

// readCertifyScript reads a script, and the pod of each of its groups.
func readCertifyScript(path string) (*certify.Script, []*core.Pod, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; name a script, see docs/certify.md", err)
	}
	s, err := certify.ReadScript(path, content)
	if err != nil {
		return nil, nil, err
	}
	var pods []*core.Pod
	for _, g := range s.Pods {
		file := filepath.Join(filepath.Dir(path), g.File)
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("%w; a group's file stands beside the script", err)
		}
		p := &core.Pod{}
		if err := yaml.UnmarshalStrict(text, p); err != nil {
			return nil, nil, &input.Error{File: file, Problem: oneLine(err.Error()), Remedy: "write the manifest of one pod"}
		}
		if p.Kind != "Pod" || p.Name == "" {
			return nil, nil, &input.Error{File: file, Problem: fmt.Sprintf("it is a %q called %q", p.Kind, p.Name), Remedy: "write the manifest of one pod"}
		}
		if p.Namespace == "" {
			p.Namespace = metav1.NamespaceDefault
		}
		pods = append(pods, p)
	}
	return s, pods, nil
}

// A labStage plays scripts on a lab.
type labStage struct {
	lab    *lab.Lab
	client kubernetes.Interface
	pods   []*core.Pod // by group
}

// Create implements certify.Stage.
func (s *labStage) Create(ctx context.Context, group, n int) error {
	p := s.pods[group].DeepCopy()
	p.Name = fmt.Sprintf("%s-%d", p.Name, n)
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	p.Labels[certifyLabel] = "true"
	if _, err := s.client.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating the pod %s: %w", p.Name, err)
	}
	return nil
}

// Strike implements certify.Stage.
func (s *labStage) Strike(ctx context.Context, kind faults.Kind, node string, over bool) error {
	which := map[faults.Kind][2]lab.FaultKind{
		faults.Hang: {lab.KillKubelet, lab.StartKubelet}, faults.Partition: {lab.Partition, lab.Heal},
	}[kind]
	fault := lab.Fault{Kind: which[0], Node: node}
	if over {
		fault.Kind = which[1]
	}
	return s.lab.Fault(ctx, fault)
}

// prepare wants a lab on which nothing is left of an earlier script.
func (s *labStage) prepare(ctx context.Context) error {
	if err := s.clear(ctx); err != nil {
		return fmt.Errorf("preparing the lab: %w", err)
	}
	return nil
}

// await waits until every node is ready, and has no taint that says otherwise.
func (s *labStage) await(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		nodes, err := s.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil || len(nodes.Items) == 0 {
			return false, nil // the API server may be busy: it is asked again
		}
		for i := range nodes.Items {
			if !isFit(&nodes.Items[i]) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the lab's nodes to be ready: %w; berth lab status says which are not", err)
	}
	return nil
}

// isFit reports whether a node is ready and lets pods come.
func isFit(n *core.Node) bool {
	for _, t := range n.Spec.Taints {
		if strings.HasPrefix(t.Key, "node.kubernetes.io/") {
			return false
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == core.NodeReady {
			return c.Status == core.ConditionTrue
		}
	}
	return false
}

// clear removes the pods of scripts, and waits until they are gone.
func (s *labStage) clear(ctx context.Context) error {
	for _, namespace := range s.namespaces() {
		now := int64(0)
		ours := metav1.ListOptions{LabelSelector: certifyLabel}
		err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			pods, err := s.client.CoreV1().Pods(namespace).List(ctx, ours)
			if err != nil {
				return false, nil
			}
			for i := range pods.Items {
				err := s.client.CoreV1().Pods(namespace).Delete(ctx, pods.Items[i].Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
				if err != nil && !apierrors.IsNotFound(err) {
					return false, nil
				}
			}
			return len(pods.Items) == 0, nil
		})
		if err != nil {
			return fmt.Errorf("removing the script's pods from the namespace %s: %w", namespace, err)
		}
	}
	return nil
}

// namespaces are those of the script's pods.
func (s *labStage) namespaces() (names []string) {
	seen := map[string]bool{}
	for _, p := range s.pods {
		if !seen[p.Namespace] {
			seen[p.Namespace] = true
			names = append(names, p.Namespace)
		}
	}
	return names
}

// saveCertificate writes a certificate's files beside the log.
func saveCertificate(dir string, c *certify.Certificate, facts []certify.Fact) error {
	var json bytes.Buffer
	if err := (&bench.Table{Value: c}).Write(&json, bench.FormatJSON); err != nil {
		return err
	}
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"certificate.html", func(w io.Writer) error { return c.WritePage(w, facts) }},
		{"certificate.svg", c.WriteSVG},
		{"certificate.json", func(w io.Writer) error { _, err := json.WriteTo(w); return err }},
	} {
		if err := writeAside(filepath.Join(dir, file.name), file.write); err != nil {
			return fmt.Errorf("saving a certificate: %w", err)
		}
	}
	return nil
}

// certificateTable shows a certificate on standard output.
func certificateTable(c *certify.Certificate) *bench.Table {
	t := &bench.Table{
		Title: c.Verdict(), Head: []string{"what", "live n", "live median", "live range", "as live: median", "range", "all simulated: n", "median", "range"},
		Labels: 1, Value: c,
	}
	for _, m := range c.Measures {
		t.Rows = append(t.Rows, []string{
			m.Name, fmt.Sprint(len(m.Live)), certify.Middle(m.Live), certify.Span(m.Live),
			certify.Middle(m.Alike), certify.Span(m.Alike), fmt.Sprint(len(m.Sim)), certify.Middle(m.Sim), certify.Span(m.Sim),
		})
	}
	for _, d := range c.Different {
		why := "nothing was otherwise"
		if len(d.Why) > 0 {
			why = d.Why[0]
		}
		t.Title += fmt.Sprintf("; %s: %s live, %s simulated (%s)", d.Pod, d.Live, d.Sim, why)
	}
	return t
}

// startUpText returns start-up times as --startup takes them.
func startUpText(u sim.StartUp) string {
	var words []string
	for _, t := range u {
		words = append(words, time.Duration(t).Round(time.Millisecond).String())
	}
	return strings.Join(words, ",")
}
