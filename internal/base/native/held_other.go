//go:build !linux

package native

// Held is not known here.
func Held() uint64 { return 0 }
