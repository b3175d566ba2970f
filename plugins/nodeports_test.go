package plugins_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

func TestNodePorts(t *testing.T) {
	const taken = "n:2 node(s) didn't have free ports for the requested pod ports"
	port := func(ip, protocol string, number int32) cluster.HostPort {
		return cluster.HostPort{IP: ip, Protocol: protocol, Port: number}
	}
	tests := []struct {
		name       string
		there, new []cluster.HostPort
		want       string
	}{
		{"the same", []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, taken},
		{"another port", []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, []cluster.HostPort{port("0.0.0.0", "TCP", 81)}, "n:ok"},
		{"another protocol", []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, []cluster.HostPort{port("0.0.0.0", "UDP", 80)}, "n:ok"},
		{"one address each", []cluster.HostPort{port("10.0.0.1", "TCP", 80)}, []cluster.HostPort{port("10.0.0.2", "TCP", 80)}, "n:ok"},
		{"the same address", []cluster.HostPort{port("10.0.0.1", "TCP", 80)}, []cluster.HostPort{port("10.0.0.1", "TCP", 80)}, taken},
		{"all addresses there", []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, []cluster.HostPort{port("10.0.0.2", "TCP", 80)}, taken},
		{"all addresses wanted", []cluster.HostPort{port("10.0.0.1", "TCP", 80)}, []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, taken},
		{":: is an address like others", []cluster.HostPort{port("::", "TCP", 80)}, []cluster.HostPort{port("10.0.0.1", "TCP", 80)}, "n:ok"},
		{"1 is one", []cluster.HostPort{port("0.0.0.0", "TCP", 1)}, []cluster.HostPort{port("0.0.0.0", "TCP", 1)}, taken},
		{"the second of each", []cluster.HostPort{port("0.0.0.0", "TCP", 80), port("0.0.0.0", "TCP", 443)},
			[]cluster.HostPort{port("0.0.0.0", "TCP", 22), port("0.0.0.0", "TCP", 443)}, taken},
		{"none wanted", []cluster.HostPort{port("0.0.0.0", "TCP", 80)}, nil, "n:ok"},
	}
	for _, tt := range tests {
		w := newWorld()
		w.join(cluster.NodeSpec{Name: "n"})
		w.on("n", cluster.Class{})
		w.on("n", cluster.Class{Ports: tt.there})
		if got := w.filter(t, plugins.NodePorts, "", cluster.Class{Ports: tt.new}); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
}

// TestNodePortsHasNoSay checks that pods without a port are let pass unasked.
func TestNodePortsHasNoSay(t *testing.T) {
	w := newWorld()
	f := instance[scheduler.Filter](t, plugins.NodePorts, "")
	if f.Filter(w.State, w.pending(cluster.Class{}, "")) != nil {
		t.Error("a pod without ports gets a filter")
	}
	if f.Filter(w.State, w.pending(cluster.Class{Ports: []cluster.HostPort{{Port: 1}}}, "")) == nil {
		t.Error("port 1 gets no filter")
	}
}
