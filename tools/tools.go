//go:build tools

// Package tools pins the programs that the checks run.
package tools

import _ "honnef.co/go/tools/cmd/staticcheck"
