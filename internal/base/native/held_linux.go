package native

import (
	"bytes"
	"os"
	"strconv"
)

// Held is how many bytes of memory the program holds for itself: what is resident without the pages of files. 0 where it cannot be told.
func Held() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	f := bytes.Fields(b)
	if err != nil || len(f) < 3 {
		return 0
	}
	resident, err1 := strconv.ParseUint(string(f[1]), 10, 64)
	shared, err2 := strconv.ParseUint(string(f[2]), 10, 64)
	if err1 != nil || err2 != nil || shared > resident {
		return 0
	}
	return (resident - shared) * uint64(os.Getpagesize()) //nolint:gosec // a page is some thousand bytes
}
