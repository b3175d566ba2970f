//go:build linux

package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"

	"github.com/berthsim/berth/cluster/lab/vm/guest"
)

// bringUp gives the machine its address and routes.
func bringUp(b *guest.Boot) error {
	if err := up("lo"); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("forwarding what pods send: %w", err)
	}
	if !b.Address.IsValid() {
		return nil
	}
	link, err := netlink.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("looking for eth0: %w", err)
	}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: ipNet(b.Address)}); err != nil {
		return fmt.Errorf("giving eth0 %v: %w", b.Address, err)
	}
	if err := up("eth0"); err != nil {
		return err
	}
	routes := b.Routes
	if b.Gateway.IsValid() {
		all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		routes = append([]guest.Route{{To: all, Via: b.Gateway}}, routes...)
	}
	for _, r := range routes {
		route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(r.To), Gw: r.Via.AsSlice()}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("routing %v by %v: %w", r.To, r.Via, err)
		}
	}
	return nil
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetUp(link)
	}
	if err != nil {
		return fmt.Errorf("bringing %s up: %w", name, err)
	}
	return nil
}

// ipNet returns an address and its network in the form that netlink takes.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
