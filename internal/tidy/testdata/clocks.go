// Package clocks reads clocks.
package clocks

import (
	"context"
	. "time"
)

type clock struct{ now func() Time }

var global = clock{Now} // want: uses time.Now

func read(ctx context.Context, t Time) Duration {
	Sleep(Second)                                          // want: uses time.Sleep
	<-After(Second)                                        // want: uses time.After
	<-Tick(Second)                                         // want: uses time.Tick
	<-NewTimer(Second).C                                   // want: uses time.NewTimer
	<-NewTicker(Second).C                                  // want: uses time.NewTicker
	AfterFunc(Second, nil)                                 // want: uses time.AfterFunc
	_, _ = context.WithTimeout(ctx, Second)                // want: uses context.WithTimeout
	_, _ = context.WithDeadline(ctx, Unix(0, 0))           // want: uses context.WithDeadline
	_, _ = context.WithTimeoutCause(ctx, Second, nil)      // want: uses context.WithTimeoutCause
	_, _ = context.WithDeadlineCause(ctx, Unix(0, 0), nil) // want: uses context.WithDeadlineCause
	_ = Until(t)                                           // want: uses time.Until
	_ = t.After(Unix(0, 0))                                // the method compares
	return Since(t)                                        // want: uses time.Since
}
