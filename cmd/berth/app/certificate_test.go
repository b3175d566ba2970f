package app

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCertificateIsTrue plays again the log of the certificate in docs/results.md, decision by
// decision: real kubelets can't be had everywhere, what Berth decided then can.
func TestCertificateIsTrue(t *testing.T) {
	docs := filepath.Join("..", "..", "..", "docs")
	var out, errs bytes.Buffer
	env := Env{Args: []string{"replay", filepath.Join(docs, "certificate", "live.berth"), "--verify", "-o", "json"}, Stdout: &out, Stderr: &errs}
	if status := Run(context.Background(), env); status != 0 {
		t.Fatalf("exit status %d: %s", status, errs.String())
	}
	var replayed struct{ Digest, Policy string }
	if err := json.Unmarshal(out.Bytes(), &replayed); err != nil {
		t.Fatal(err)
	}
	if want := "kube, eviction kube:grace=20s"; replayed.Policy != want {
		t.Errorf("it was decided by %q, not by %q", replayed.Policy, want)
	}
	if len(replayed.Digest) != 64 {
		t.Fatalf("the log replays to the digest %q", replayed.Digest)
	}
	for _, name := range []string{"results.md", "certificate/certificate.html"} {
		text, err := os.ReadFile(filepath.Join(docs, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), replayed.Digest) {
			t.Errorf("docs/%s doesn't have the digest of its log, %s", name, replayed.Digest)
		}
	}
}

// TestExampleScriptIsShown wants docs/certify.md to show the example as it is.
func TestExampleScriptIsShown(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	example, err := os.ReadFile(filepath.Join(root, "examples", "certify", "script.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "certify.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```yaml\n"+string(example)+"```\n") {
		t.Error("docs/certify.md doesn't show examples/certify/script.yaml as it is")
	}
}
