package traces

import (
	"io"
	"os"
)

// fileStart returns how a file begins, decompressed, to recognise it; "" if it can't be
// read, or is a folder or a pipe.
func fileStart(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	in, err := openStream(path)
	if err != nil {
		return ""
	}
	defer in.close()
	start := make([]byte, 1<<16)
	n, _ := io.ReadFull(in, start) // what there is
	return string(start[:n])
}
