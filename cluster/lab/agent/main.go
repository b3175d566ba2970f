//go:build linux

package agent

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Main is the agent's program: it does what args[1] says with what follows, and returns an exit
// status. The calling goroutine must be on the process's main thread, as a main's is while init
// functions have locked it: namespaces are a thread's.
func Main(args []string) int {
	runtime.LockOSThread()
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "agent: berth lab starts this program; run berth lab --help")
		return 2
	}
	verbs := map[string]func([]string) error{
		"run":   Run,      // SPEC: a program of the control plane
		"node":  Outer,    // SPEC: a node container
		"init":  Init,     // SPEC: its first process
		"proxy": Proxy,    // ADDRESS
		"fill":  FillHere, // BYTES
	}
	verb, ok := verbs[args[1]]
	if !ok {
		fmt.Fprintf(os.Stderr, "agent: there is no verb %q\n", args[1])
		return 2
	}
	starts := args[1] == "run" || args[1] == "node"
	if starts {
		unix.CloseOnExec(LockFD)
		unix.CloseOnExec(FailureFD)
	}
	if err := verb(args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		if starts {
			_, _ = unix.Write(FailureFD, []byte(err.Error())) // closed if it was too late to say so
		}
		return 3
	}
	return 0
}

// one returns the only argument.
func one(args []string) (string, error) {
	if len(args) != 1 {
		return "", fmt.Errorf("got %d arguments, not one", len(args))
	}
	return args[0], nil
}
