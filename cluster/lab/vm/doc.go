// Package vm runs Kubernetes nodes in virtual machines: a kernel of their own, a real
// kubelet, containerd and runc, under QEMU. Where hardware virtualisation works it is
// used, and emulation where it doesn't.
//
// Build makes once what all machines share: Debian's cloud kernel, unpacked and never
// installed; an initramfs with our own PID 1 (package init); a read-only base disk with
// the programs; and a data disk onto which the images are imported. A Machine is one
// node: it copies the data disk, gets its configuration in memory, at each start anew,
// and takes commands over a serial line.
//
// A Machine holds nothing but its Spec: QEMU outlives the program that started it, and
// another one finds it by the machine's folder. docs/lab-vm.md says what is needed, how
// it works and what it costs.
package vm
