//go:build linux

package vm

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// tapBridge joins a namespace's uplink and its taps.
const tapBridge = "br-tap"

// Attach makes a tap in a network namespace and joins it to uplink, a link that is there
// already: the namespace's end of a veth pair whose other end is a port of the lab's
// switch. The machine behind the tap is then on the switch as if it were plugged in; so
// uplink's own addresses go, lest the namespace answer in the machine's place. What is
// made goes with the namespace; what is there already stays.
func Attach(ns, uplink, tap string) error {
	err := inNetNS(ns, func() error {
		up, err := netlink.LinkByName(uplink)
		if err != nil {
			return fmt.Errorf("looking for %s: %w", uplink, err)
		}
		addresses, err := netlink.AddrList(up, netlink.FAMILY_ALL)
		if err != nil {
			return fmt.Errorf("listing the addresses of %s: %w", uplink, err)
		}
		for i := range addresses {
			if err := netlink.AddrDel(up, &addresses[i]); err != nil {
				return fmt.Errorf("taking %v from %s: %w", addresses[i].IPNet, uplink, err)
			}
		}
		bridge, err := ensureLink(&netlink.Bridge{LinkAttrs: attributes(tapBridge)})
		if err != nil {
			return err
		}
		device, err := ensureLink(&netlink.Tuntap{LinkAttrs: attributes(tap), Mode: netlink.TUNTAP_MODE_TAP, Flags: netlink.TUNTAP_NO_PI | netlink.TUNTAP_VNET_HDR})
		if err != nil {
			return err
		}
		for _, port := range []netlink.Link{up, device} {
			if err := errors.Join(netlink.LinkSetMaster(port, bridge), netlink.LinkSetUp(port)); err != nil {
				return fmt.Errorf("plugging %s into %s: %w", port.Attrs().Name, tapBridge, err)
			}
		}
		return netlink.LinkSetUp(bridge)
	})
	if err != nil {
		return fmt.Errorf("attaching tap %s in network namespace %q: %w", tap, ns, err)
	}
	return nil
}

func attributes(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

// ensureLink makes a link unless there is one of its name, and returns it.
func ensureLink(l netlink.Link) (netlink.Link, error) {
	name := l.Attrs().Name
	found, err := netlink.LinkByName(name)
	if err == nil {
		return found, nil
	}
	if none := (netlink.LinkNotFoundError{}); !errors.As(err, &none) {
		return nil, fmt.Errorf("looking for %s: %w", name, err)
	}
	if err := netlink.LinkAdd(l); err != nil {
		return nil, fmt.Errorf("making %s: %w", name, err)
	}
	return netlink.LinkByName(name)
}

// inNetNS calls f in a network namespace, given by path or by name; "" is this one. What f
// starts or opens there stays there.
func inNetNS(ns string, f func() error) error {
	if ns == "" {
		return f()
	}
	if !strings.Contains(ns, "/") {
		ns = filepath.Join("/run/netns", ns)
	}
	done := make(chan error)
	go func() {
		// A thread that has changed its namespace serves nobody else: it ends with this
		// goroutine, since it is never unlocked.
		runtime.LockOSThread()
		done <- func() error {
			handle, err := netns.GetFromPath(ns)
			if err != nil {
				return fmt.Errorf("opening network namespace %s: %w", ns, err)
			}
			defer handle.Close()
			if err := netns.Set(handle); err != nil {
				return fmt.Errorf("entering network namespace %s: %w", ns, err)
			}
			return f()
		}()
	}()
	return <-done
}
