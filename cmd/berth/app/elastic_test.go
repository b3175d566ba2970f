package app

import (
	"os"
	"strings"
	"testing"
)

// TestElasticExample runs what docs/elastic.md shows, and holds it to what comes out.
func TestElasticExample(t *testing.T) {
	const policy, source = "../../../examples/queues/policy.yaml", "../../../examples/queues/cluster.yaml"
	page, err := os.ReadFile("../../../docs/elastic.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(policy)
	if err != nil {
		t.Fatal(err)
	}
	_, profiles, _ := strings.Cut(string(file), "\nprofiles:\n")
	if profiles == "" || !strings.Contains(string(page), "```yaml\nprofiles:\n"+profiles+"```") {
		t.Error("docs/elastic.md doesn't show the policy that examples/queues has")
	}
	status, out, problem := run(t.Context(), []string{"explain", source, "pod/web/more", "--policies", policy})
	first, _, _ := strings.Cut(strings.ReplaceAll(out, "../../../", ""), "\n")
	if status != 0 || !strings.Contains(first, "queue web lacks cpu") || !strings.Contains(string(page), first) {
		t.Errorf("docs/elastic.md doesn't show what comes out, status %d: %s%s", status, out, problem)
	}
	status, out, problem = run(t.Context(), []string{"explain", source, "pod/ml/train", "--policies", policy})
	if status != 0 || !strings.Contains(out, "pod ml/train goes to n1") {
		t.Errorf("ml may borrow, and yet, status %d: %s%s", status, out, problem)
	}
	status, _, problem = run(t.Context(), []string{"explain", source, "pod/web/more", "--policies", "kube+elasticquota"})
	if status != 2 || !strings.Contains(problem, "queues is missing; list the queues in the pluginConfig") {
		t.Errorf("a policy without queues: status %d, %s", status, problem)
	}
}
