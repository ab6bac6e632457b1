// Package objects holds the declarations of the standard objects, one JSON file each, embedded in the program. Package
// schema reads them; nothing else does.
package objects

import "embed"

// FS holds the declaration files, "customer.json" and so on, at its root.
//
//go:embed *.json
var FS embed.FS
