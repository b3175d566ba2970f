//go:build !linux

package app

import (
	"errors"

	"github.com/spf13/cobra"
)

// certify says why it can't be done: a lab's nodes are made of what Linux alone has.
func (a *app) certify() *cobra.Command {
	return &cobra.Command{
		Use:                "certify",
		Short:              "Hold the simulator against real kubelets (Linux only)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return exit(exitWorldFailed, errors.New("a lab's nodes are made of namespaces and cgroups: run it on Linux"))
		},
	}
}
