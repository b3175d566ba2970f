// Command check plays the log of a run again, and asks kube-scheduler's own code about every
// binding: go run ./logged/check LOG. It exits with status 1 if one isn't among upstream's best,
// or if something was decided otherwise than the log has it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/berthsim/berth/bench"
	"github.com/berthsim/berth/bench/upstream/logged"
	"github.com/berthsim/berth/plugins"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: check LOG")
		os.Exit(2)
	}
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

// check plays a log. It fails if nothing was bound in it.
func check(path string) error {
	m, err := logged.NewMirror()
	if err != nil {
		return err
	}
	defer m.Close()
	r, err := bench.Replay(context.Background(), path, "", bench.Options{Plugins: plugins.All, Watch: m})
	if err != nil {
		return err
	}
	if r.Difference != nil {
		return fmt.Errorf("%s: %s", path, r.Difference)
	}
	for _, x := range m.Mistakes {
		fmt.Println(x)
	}
	fmt.Printf("%s: upstream was asked about %d bindings, and %d are not among its best\n", path, m.Bindings, len(m.Mistakes))
	switch {
	case m.Bindings == 0:
		return errors.New("no pod was bound")
	case len(m.Mistakes) > 0:
		return errors.New("upstream would have bound a pod elsewhere")
	}
	return nil
}
