// Package manifest turns objects of the Kubernetes API into Berth's vocabulary.
// It is the only place that knows both.
//
// A Converter takes objects as they are in the API, from a file or a live
// cluster. Read and ReadPath take YAML and JSON, as kubectl prints it or people
// write it, do to it what the API server does when objects are created (Default,
// priority classes), and convert it.
//
// No field is dropped silently: for every type whose fields a conversion may
// read, a table (fields*.go) says which are converted, and why the others are
// ignored. The table decides what the readers decode, and a test goes through
// Kubernetes' types by reflection, so that a field that is new in a later version
// fails it.
package manifest
