//go:build linux

// Package network makes a lab's network: a namespace for the control plane, one for each node,
// and one with the bridge that joins them. Nothing connects it with the machine's own network,
// so that labs don't disturb each other or anything else, and may all use the same addresses.
//
// The control plane's namespace forwards between the nodes' pod networks, so that a node needs
// one route, whatever other nodes there are.
package network

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespaceDir is where namespaces have names; `ip netns` looks there, too.
const namespaceDir = "/run/netns"

// Prefix is the network of control plane and nodes, PodPrefix that of all pods, ServicePrefix
// that of services.
var (
	Prefix        = netip.MustParsePrefix("10.240.0.0/16")
	PodPrefix     = netip.MustParsePrefix("10.244.0.0/16")
	ServicePrefix = netip.MustParsePrefix("10.96.0.0/16")
)

// MaxNodes is how many nodes have addresses.
const MaxNodes = 250

// ControlPlaneIP is where the API server listens; and the gateway of nodes.
func ControlPlaneIP() netip.Addr { return Prefix.Addr().Next() }

// NodeIP is the address of the i-th node, from 1.
func NodeIP(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 240, 1, byte(i)}) }

// NodePods is the network of the pods of the i-th node.
func NodePods(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 244, byte(i), 0}), 24)
}

// A Network is the network of the lab of that name, whether it is there or not.
type Network struct{ Lab string }

// The names of namespaces: of the switch, the control plane, and nodes.
func (n Network) namespace(of string) string { return "berth-" + n.Lab + "-" + of }

// Switch is the name of the namespace that holds the bridge.
func (n Network) Switch() string { return n.namespace("switch") }

// ControlPlane is the name of the control plane's namespace.
func (n Network) ControlPlane() string { return n.namespace("control") }

// Node is the name of the i-th node's namespace.
func (n Network) Node(i int) string { return n.namespace(fmt.Sprintf("node%d", i)) }

// Path is the file by which a namespace of that name is entered.
func Path(namespace string) string { return filepath.Join(namespaceDir, namespace) }

const (
	bridge  = "br0"     // in the switch's namespace
	uplink  = "eth0"    // in the others
	control = "control" // in the switch's namespace, the control plane's end
)

// port is the switch's end of a node's link.
func port(i int) string { return fmt.Sprintf("node%d", i) }

// Up makes the switch and the control plane's namespace.
func (n Network) Up() error {
	for _, name := range []string{n.Switch(), n.ControlPlane()} {
		if err := create(name); err != nil {
			return err
		}
	}
	h, done, err := handle(n.Switch())
	if err != nil {
		return err
	}
	defer done()
	if err := h.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge}}); err != nil {
		return fmt.Errorf("making the switch: %w", err)
	}
	if err := up(h, bridge); err != nil {
		return err
	}
	if err := n.plug(h, control, n.ControlPlane(), ControlPlaneIP()); err != nil {
		return err
	}
	return inside(n.ControlPlane(), func() error {
		for file, value := range map[string]string{"ip_forward": "1", "conf/all/send_redirects": "0", "conf/eth0/send_redirects": "0"} {
			if err := os.WriteFile("/proc/sys/net/ipv4/"+file, []byte(value), 0o644); err != nil {
				return fmt.Errorf("letting pods of different nodes speak: %w", err)
			}
		}
		return nil
	})
}

// AddNode makes the i-th node's namespace, with eth0 and a default route.
func (n Network) AddNode(i int) error {
	if i < 1 || i > MaxNodes {
		return fmt.Errorf("node %d has no address: a lab's network has %d", i, MaxNodes)
	}
	if err := create(n.Node(i)); err != nil {
		return err
	}
	h, done, err := handle(n.Switch())
	if err != nil {
		return err
	}
	defer done()
	if err := n.plug(h, port(i), n.Node(i), NodeIP(i)); err != nil {
		return err
	}
	if err := route(n.Node(i), nil, ControlPlaneIP()); err != nil {
		return err
	}
	pods := NodePods(i)
	return route(n.ControlPlane(), &net.IPNet{IP: pods.Addr().AsSlice(), Mask: net.CIDRMask(pods.Bits(), 32)}, NodeIP(i))
}

// plug connects a namespace with the switch, h's namespace.
func (n Network) plug(h *netlink.Handle, name, namespace string, ip netip.Addr) error {
	other, err := netns.GetFromPath(Path(namespace))
	if err != nil {
		return fmt.Errorf("opening namespace %s: %w", namespace, err)
	}
	defer other.Close()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: uplink, PeerNamespace: netlink.NsFd(int(other))}
	if err := h.LinkAdd(link); err != nil {
		return fmt.Errorf("connecting %s with the switch: %w", namespace, err)
	}
	br, err := h.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("finding the switch: %w", err)
	}
	if err := h.LinkSetMaster(link, br); err != nil {
		return fmt.Errorf("connecting %s with the switch: %w", namespace, err)
	}
	if err := up(h, name); err != nil {
		return err
	}
	in, done, err := handle(namespace)
	if err != nil {
		return err
	}
	defer done()
	eth, err := in.LinkByName(uplink)
	if err != nil {
		return fmt.Errorf("finding %s of %s: %w", uplink, namespace, err)
	}
	mask := net.CIDRMask(Prefix.Bits(), 32)
	if err := in.AddrAdd(eth, &netlink.Addr{IPNet: &net.IPNet{IP: ip.AsSlice(), Mask: mask}}); err != nil {
		return fmt.Errorf("giving %s its address: %w", namespace, err)
	}
	return errors.Join(up(in, "lo"), up(in, uplink))
}

// route sends what goes to a network, or by default, through a gateway.
func route(namespace string, to *net.IPNet, via netip.Addr) error {
	h, done, err := handle(namespace)
	if err != nil {
		return err
	}
	defer done()
	eth, err := h.LinkByName(uplink)
	if err != nil {
		return fmt.Errorf("finding %s of %s: %w", uplink, namespace, err)
	}
	if err := h.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Dst: to, Gw: via.AsSlice()}); err != nil {
		return fmt.Errorf("adding a route to %s: %w", namespace, err)
	}
	return nil
}

// SetPort cuts the i-th node off the switch, or connects it again.
func (n Network) SetPort(i int, connected bool) error {
	h, done, err := handle(n.Switch())
	if err != nil {
		return err
	}
	defer done()
	link, err := h.LinkByName(port(i))
	if err != nil {
		return fmt.Errorf("finding node %d at the switch: %w", i, err)
	}
	set := h.LinkSetDown
	if connected {
		set = h.LinkSetUp
	}
	if err := set(link); err != nil {
		return fmt.Errorf("switching node %d: %w", i, err)
	}
	return nil
}

// Connected reports whether the i-th node is on the switch.
func (n Network) Connected(i int) (bool, error) {
	h, done, err := handle(n.Switch())
	if err != nil {
		return false, err
	}
	defer done()
	link, err := h.LinkByName(port(i))
	if err != nil {
		return false, fmt.Errorf("finding node %d at the switch: %w", i, err)
	}
	return link.Attrs().Flags&net.FlagUp != 0, nil
}

// Remove removes the namespace of that name, and with it its links, whatever part of it is there.
func Remove(namespace string) error {
	file := Path(namespace)
	if err := unix.Unmount(file, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("removing namespace %s: %w", namespace, err)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing namespace %s: %w", namespace, err)
	}
	return nil
}

// create makes a namespace with a name. The calling goroutine stays in its own.
func create(name string) error {
	return onThread(func() error {
		made, err := netns.NewNamed(name)
		if err != nil {
			return fmt.Errorf("making network namespace %s: %w", name, err)
		}
		return made.Close()
	})
}

// inside runs f in a namespace.
func inside(namespace string, f func() error) error {
	return onThread(func() error {
		ns, err := netns.GetFromPath(Path(namespace))
		if err != nil {
			return fmt.Errorf("opening namespace %s: %w", namespace, err)
		}
		defer ns.Close()
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("entering namespace %s: %w", namespace, err)
		}
		return f()
	})
}

// onThread runs f on a thread of its own, which ends with f: whatever namespace f put it into,
// no other goroutine will run there.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends with the goroutine
		done <- f()
	}()
	return <-done
}

// handle speaks to the kernel about a namespace, until done is called.
func handle(namespace string) (h *netlink.Handle, done func(), err error) {
	ns, err := netns.GetFromPath(Path(namespace))
	if err != nil {
		return nil, nil, fmt.Errorf("opening namespace %s: %w", namespace, err)
	}
	h, err = netlink.NewHandleAt(ns)
	if err != nil {
		ns.Close()
		return nil, nil, fmt.Errorf("asking about namespace %s: %w", namespace, err)
	}
	return h, func() { h.Close(); ns.Close() }, nil
}

func up(h *netlink.Handle, name string) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("finding %s: %w", name, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("switching %s on: %w", name, err)
	}
	return nil
}
