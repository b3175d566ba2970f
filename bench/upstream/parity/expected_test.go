package parity

// expected are the outcomes that a run of 20,000 pods must have met.
var expected = []string{}
