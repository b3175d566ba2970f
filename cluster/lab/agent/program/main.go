//go:build linux

// Command program is the lab's agent; see package agent.
package main

import (
	"os"
	"runtime"

	"github.com/berthsim/berth/cluster/lab/agent"
)

func init() { runtime.LockOSThread() } // main stays on the process's first thread

func main() { os.Exit(agent.Main(os.Args)) }
