// Package locales holds the words of the program: <locale>/<area>.json, flat objects of key and sentence, embedded. Package
// lang reads them; the interface keeps its own words in ui.
package locales

import "embed"

// FS holds the folders zh-CN and en at its root.
//
//go:embed zh-CN en
var FS embed.FS
