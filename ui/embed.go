// Package ui holds the built web interface, so that one program serves everything.
//
// The files under dist are made by `npm run build` and never committed; only the placeholder dist/.gitkeep
// is, so that Go builds before the interface does. A Dist without index.html means that the interface was not
// built into this program. Assets lie beside ready-made .gz and .br forms; names under assets/ carry a content
// hash and never change their content.
package ui

import "embed"

// Dist is the built interface with the prefix "dist/".
//
//go:embed all:dist
var Dist embed.FS
