// Package native gives back to the system what C libraries in the program have freed and keep for later.
//
// The databases are C and C++ code. Their allocator, that of the C library, keeps freed memory in an arena for each thread that
// ever asked for some; after a large load that is most of what the program holds, and nothing but Trim takes it back.
package native
