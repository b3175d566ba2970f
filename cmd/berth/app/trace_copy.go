package app

import (
	"errors"
	"io"
	"os"

	"github.com/berthsim/berth/traces/wire"
)

// copyOwn writes a file in Berth's own format once more, record by record: whole, with what
// it says of itself, and from now on with a trailer if it had none. It reports how many
// records there were, and what is missing if it had none.
func copyOwn(to io.Writer, name string, stop func() error) (records int64, torn *wire.Torn, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	r, err := wire.NewReader(f, wire.ReadOptions{Name: name, Torn: true})
	if err != nil {
		return 0, nil, err
	}
	w, err := wire.Create(to, *r.Meta(), wire.Options{Records: r.Records()})
	if err != nil {
		return 0, nil, err
	}
	for {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, r.Torn(), w.Close()
		}
		if err == nil {
			err = w.Write(x)
		}
		if records++; err == nil && records%4096 == 0 {
			err = stop()
		}
		if err != nil {
			return records, nil, err
		}
	}
}
