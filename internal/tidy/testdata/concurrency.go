// Package concurrency does two things at a time.
package concurrency

import (
	"context"
	"sync"
)

func start(ctx context.Context, c chan int, work func()) error {
	go work() // want: starts a goroutine
	var wg sync.WaitGroup
	wg.Go(work)                  // want: uses (*sync.WaitGroup).Go
	context.AfterFunc(ctx, work) // want: uses context.AfterFunc
	c <- 1                       // want: sends on a channel
	select {                     // want: selects
	case <-ctx.Done():
	default:
	}
	return ctx.Err()
}
