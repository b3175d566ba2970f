//go:build linux

package network

import "testing"

func TestAddressesDiffer(t *testing.T) {
	seen := map[string]int{ControlPlaneIP().String(): 0}
	for i := 1; i <= MaxNodes; i++ {
		ip, pods := NodeIP(i), NodePods(i)
		if !Prefix.Contains(ip) || !PodPrefix.Overlaps(pods) {
			t.Fatalf("node %d at %v with pods in %v lies outside the lab's network", i, ip, pods)
		}
		for _, text := range []string{ip.String(), pods.String()} {
			if first, ok := seen[text]; ok {
				t.Fatalf("nodes %d and %d share %s", first, i, text)
			}
			seen[text] = i
		}
	}
	if Prefix.Overlaps(PodPrefix) || Prefix.Overlaps(ServicePrefix) || PodPrefix.Overlaps(ServicePrefix) {
		t.Error("networks overlap")
	}
}

func TestAddNodeBeyondTheLast(t *testing.T) {
	if err := (Network{Lab: "nothing"}).AddNode(MaxNodes + 1); err == nil {
		t.Error("a node without an address was made")
	}
}
