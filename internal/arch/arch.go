// Package arch holds the house rules of the code as tests: which room may import which, who owns an outside module,
// what no code may call, and how long a file or a function may be. It parses the source itself.
package arch
