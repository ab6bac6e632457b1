//go:build linux && cgo

package native

// #include <stdlib.h>
// #ifdef __GLIBC__
// #include <malloc.h>
// static void give_back(void) { malloc_trim(0); }
// // Few arenas: what is free in one is of no use to the threads of another, and a page goes back only when all of it is free. The library
// // reads the bound when it makes the second arena, so it is told before there is a second thread.
// __attribute__((constructor)) static void few_arenas(void) { if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, 2); }
// #else
// static void give_back(void) {}
// #endif
import "C"

// Trim gives back what is free. It takes milliseconds and holds up whoever allocates meanwhile.
func Trim() { C.give_back() }
