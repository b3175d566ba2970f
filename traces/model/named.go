package model

import (
	"embed"
	"slices"
)

//go:embed named
var named embed.FS

// Names lists Berth's own models.
func Names() []string { return slices.Clone(ownNames) }

var ownNames = []string{"inference", "training", "batch", "mixed"}

// Named returns the text of one of Berth's own models.
func Named(name string) (content []byte, ok bool) {
	if !slices.Contains(ownNames, name) {
		return nil, false
	}
	content, err := named.ReadFile("named/" + name + ".json")
	return content, err == nil
}
