//go:build !linux

package app

import (
	"errors"

	"github.com/spf13/cobra"
)

// lab says why there is none: nodes are made of what Linux alone has.
func (a *app) lab() *cobra.Command {
	return &cobra.Command{
		Use:                "lab",
		Short:              "Run real kubelets on this machine (Linux only)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return exit(exitWorldFailed, errors.New("a lab's nodes are made of namespaces and cgroups: run it on Linux"))
		},
	}
}
