package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// SocketName is the socket in the data directory through which the command line talks to the server. Where the path of the
// data directory is too long for a socket it stands in a directory of the owner's own below the temporary one, and
// AddressName says where.
const (
	SocketName  = "guanxi.sock"
	AddressName = "guanxi.sock.path"
)

// socketLimit is how many bytes a socket's path may have on every system: 104 with the closing zero on macOS, 108 on Linux.
const socketLimit = 103

// socketPath is where the server of a data directory listens; elsewhere says that it is not in the directory itself.
func socketPath(data string) (path string, elsewhere bool, err error) {
	path = filepath.Join(data, SocketName)
	if len(path) <= socketLimit {
		return path, false, nil
	}
	whole, err := filepath.Abs(data)
	if err != nil {
		return "", false, err
	}
	if real, err := filepath.EvalSymlinks(whole); err == nil {
		whole = real
	}
	sum := sha256.Sum256([]byte(whole))
	name := hex.EncodeToString(sum[:8]) + ".sock"
	own := "guanxi-" + strconv.Itoa(os.Getuid())
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		path := filepath.Join(base, own, name)
		if base == "" || len(path) > socketLimit {
			continue
		}
		if err = ownDir(filepath.Dir(path)); err == nil {
			return path, true, nil
		}
	}
	return "", false, errors.Join(errors.New("no directory is short enough for the socket"), err)
}

// ownDir makes a directory that nobody else can enter, and refuses one that somebody else put there.
func ownDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || ok && int(st.Uid) != os.Getuid() {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	if info.Mode().Perm() != 0o700 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// socket listens for the owner of the data directory alone. The directory's lock is held, so a socket that is there is left
// of a server that was killed.
func (a *App) socket() (net.Listener, error) {
	address := filepath.Join(a.Config.Data, AddressName)
	path, elsewhere, err := socketPath(a.Config.Data)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	for _, old := range []string{path, address} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("socket: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	err = os.Chmod(path, 0o600)
	if err == nil && elsewhere {
		err = os.WriteFile(address, []byte(path+"\n"), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("socket: %w", err), l.Close())
	}
	if elsewhere {
		return &elsewhereListener{l, address}, nil
	}
	return l, nil
}

// elsewhereListener takes the address away with the socket.
type elsewhereListener struct {
	net.Listener
	address string
}

func (l *elsewhereListener) Close() error {
	err := os.Remove(l.address)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(l.Listener.Close(), err)
}

// findSocket is where the running server of a data directory listens.
func findSocket(data string) string {
	if raw, err := os.ReadFile(filepath.Join(data, AddressName)); err == nil {
		if path := strings.TrimSpace(string(raw)); path != "" {
			return path
		}
	}
	return filepath.Join(data, SocketName)
}
