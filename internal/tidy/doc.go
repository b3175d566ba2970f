// Package tidy holds tests of the source itself, and no code. They check
//
//   - who imports whom, against a table with a reason for each package;
//   - that the packages which decide read no clock, no global randomness and
//     no map order, start no goroutine, and write products of floats so that
//     no processor fuses them;
//   - sizes of functions and files, doc comments and names;
//   - that no file names a path of the machine it was written on.
//
// Each check reports findings of what it is given, so that a test can give it
// source that breaks the rule and see that it says so. The source that breaks
// the rules on determinism is in testdata, with what should be found beside it.
package tidy
