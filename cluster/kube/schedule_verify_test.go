//go:build verify

package kube_test

import "testing"

// TestVerifyFaultSchedules plays 1,000 random schedules of faults: as many as TestFaultSchedules
// has, and those after them.
func TestVerifyFaultSchedules(t *testing.T) { playSchedules(t, 1000) }
