// Berth compares scheduling and eviction policies on recorded traces, on a
// simulated Kubernetes cluster. Run "berth help" for what it can do.
package main

import "github.com/berthsim/berth/cmd/berth/app"

func main() { app.Main() }
