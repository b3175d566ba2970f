// Package environment reads it.
package environment

import (
	"os"
	"syscall"
)

func read() string {
	if v, ok := os.LookupEnv("A"); ok { // want: uses os.LookupEnv
		return v
	}
	if v, ok := syscall.Getenv("B"); ok { // want: uses syscall.Getenv
		return v
	}
	for _, v := range os.Environ() { // want: uses os.Environ
		return v
	}
	return os.Getenv("C") // want: uses os.Getenv
}

func expand() string { return os.ExpandEnv("$D") } // want: uses os.ExpandEnv
