package kubetest_test

import (
	"os"
	"testing"

	"k8s.io/klog/v2"
)

// TestMain silences client-go, which logs what the tests make go wrong.
func TestMain(m *testing.M) {
	klog.SetOutput(discard{})
	klog.LogToStderr(false)
	os.Exit(m.Run())
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
