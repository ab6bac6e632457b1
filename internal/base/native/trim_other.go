//go:build !linux || !cgo

package native

// Trim does nothing here.
func Trim() {}
