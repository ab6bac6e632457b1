package app

import (
	"archive/tar"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/argon2"

	"github.com/guanxi-crm/guanxi/internal/base/config"
	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/platform/blob"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
)

// A backup is a tar of a consistent copy of each database and the staged files, compressed with zstd. Its last entry is the
// manifest with the sha256 of all others, so that a file that broke off is recognised. Analytics is left out: it is built
// from the records. With a passphrase the whole archive is encrypted (argon2id, AES-256-GCM in segments), and the secret key is inside.
// Without one personal values alone are ciphertext, for which DIR/secret.key is needed.

const (
	manifestName  = "manifest.json"
	sealedKeyName = "secret.key.sealed"
	backupFormat  = 1
)

// manifest describes a backup.
type manifest struct {
	Format    int                        `json:"format"`
	Program   string                     `json:"program"`
	At        time.Time                  `json:"at"`
	Positions map[string]change.Position `json:"positions"` // of each workspace's change log at least
	Sums      map[string]string          `json:"sums"`
	Sealed    bool                       `json:"sealed"` // the secret key is inside, under a passphrase
}

// BackupResult is what a backup wrote.
type BackupResult struct {
	File       string   `json:"file"`
	Bytes      int64    `json:"bytes"`
	Workspaces []string `json:"workspaces"`
	Key        string   `json:"key"` // where the secret key is: "passphrase" or the file to keep beside the backup
}

func (a *App) backup(ctx context.Context, file, passphrase string, say func(string)) (_ *BackupResult, err error) {
	stage, err := os.MkdirTemp(a.Config.Data, ".backup-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	m := manifest{Format: backupFormat, Program: a.Version, At: a.Clock.Now(), Positions: map[string]change.Position{}, Sums: map[string]string{}, Sealed: passphrase != ""}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backup file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = out.Close()
			_ = os.Remove(file)
		}
	}()
	var sink io.Writer = out
	var seal io.Closer = io.NopCloser(nil)
	if passphrase != "" {
		w, err := sealBackup(out, passphrase)
		if err != nil {
			return nil, err
		}
		sink, seal = w, w
	}
	zw, err := zstd.NewWriter(sink, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	b := &backupWriter{tar: tar.NewWriter(zw), sums: m.Sums}
	res := &BackupResult{File: file, Key: filepath.Join(a.Config.Data, SecretName)}
	if res.Workspaces, err = a.backupWorkspaces(ctx, b, stage, m.Positions, say); err != nil {
		return nil, err
	}
	say("instance")
	copyPath := filepath.Join(stage, "instance.db")
	if err := a.instance.BackupTo(ctx, copyPath); err != nil {
		return nil, err
	}
	if err := b.file("instance.db", copyPath); err != nil {
		return nil, err
	}
	if passphrase != "" {
		res.Key = "passphrase"
		if err := a.backupKey(b, passphrase); err != nil {
			return nil, err
		}
	}
	doc, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(b.bytes(manifestName, doc), b.tar.Close(), zw.Close(), seal.Close(), out.Sync()); err != nil {
		return nil, err
	}
	info, err := out.Stat()
	if err != nil {
		return nil, err
	}
	res.Bytes = info.Size()
	return res, out.Close()
}

func (a *App) backupWorkspaces(ctx context.Context, b *backupWriter, stage string, at map[string]change.Position, say func(string)) ([]string, error) {
	all, err := a.instance.Workspaces(ctx)
	if err != nil {
		return nil, err
	}
	keys := []string{}
	for _, info := range all {
		say("workspace " + info.Key)
		w, err := a.workspace(ctx, info.Key)
		if err != nil {
			return nil, err
		}
		if at[info.Key], err = w.store.Log().Head(ctx); err != nil {
			return nil, err
		}
		if err := a.backupWorkspace(ctx, b, w, stage); err != nil {
			return nil, err
		}
		keys = append(keys, info.Key)
	}
	return keys, nil
}

// backupWorkspace writes the records first and then the files. Until both are written no file goes, so that every row has its content;
// files that come meanwhile are without a row in the backup, and the first start after a restore removes them.
func (a *App) backupWorkspace(ctx context.Context, b *backupWriter, w *workspace, stage string) error {
	defer w.blobs.Hold()()
	copyPath := filepath.Join(stage, w.info.Key+".db")
	saver, ok := w.db.(interface {
		BackupTo(ctx context.Context, path string) error
	})
	if !ok {
		return fault.New(fault.Invalid, "app.backup_postgres", nil)
	}
	if err := saver.BackupTo(ctx, copyPath); err != nil {
		return err
	}
	name := path.Join("workspaces", w.info.Key)
	if err := b.file(path.Join(name, "records.db"), copyPath); err != nil {
		return err
	}
	if err := os.Remove(copyPath); err != nil {
		return err
	}
	if err := b.tree(path.Join(name, "imports"), filepath.Join(w.dir, "imports")); err != nil {
		return err
	}
	return b.tree(path.Join(name, blob.Files), filepath.Join(w.dir, blob.Files))
}

func (a *App) backupKey(b *backupWriter, passphrase string) error {
	plain, err := os.ReadFile(filepath.Join(a.Config.Data, SecretName))
	if errors.Is(err, fs.ErrNotExist) && a.Config.Secret != "" {
		plain, err = []byte(a.Config.Secret), nil
	}
	if err != nil {
		return err
	}
	sealed, err := sealKey(plain, passphrase)
	if err != nil {
		return err
	}
	return b.bytes(sealedKeyName, sealed)
}

// backupWriter adds files to a tar and remembers their sums.
type backupWriter struct {
	tar  *tar.Writer
	sums map[string]string
}

func (b *backupWriter) file(name, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return b.entry(name, info.Size(), f)
}

func (b *backupWriter) bytes(name string, content []byte) error {
	return b.entry(name, int64(len(content)), strings.NewReader(string(content)))
}

func (b *backupWriter) entry(name string, size int64, r io.Reader) error {
	if err := b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, Format: tar.FormatPAX}); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(b.tar, sum), io.LimitReader(r, size)); err != nil {
		return err
	}
	if name != manifestName {
		b.sums[name] = hex.EncodeToString(sum.Sum(nil))
	}
	return nil
}

// tree adds the files below a directory; one that vanishes meanwhile (a scratch file) is left out.
func (b *backupWriter) tree(name, dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		err = b.file(path.Join(name, filepath.ToSlash(rel)), p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func passphraseKey(passphrase string, salt []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(argon2.IDKey([]byte(passphrase), salt, 3, 64*1024, 1, 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sealKey is 16 bytes of salt, 12 of nonce, and the ciphertext.
func sealKey(plain []byte, passphrase string) ([]byte, error) {
	head := make([]byte, 28)
	_, _ = rand.Read(head)
	aead, err := passphraseKey(passphrase, head[:16])
	if err != nil {
		return nil, err
	}
	return aead.Seal(head, head[16:], plain, []byte(sealedKeyName)), nil
}

func unsealKey(sealed []byte, passphrase string) ([]byte, error) {
	wrong := fault.New(fault.Invalid, "app.passphrase_wrong", nil)
	if len(sealed) < 28 {
		return nil, wrong
	}
	aead, err := passphraseKey(passphrase, sealed[:16])
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, sealed[16:28], sealed[28:], []byte(sealedKeyName))
	if err != nil {
		return nil, wrong
	}
	return plain, nil
}

// Restore implements cli.Backend: it fills a data directory that is empty. What was written is removed when it fails.
func (b Backend) Restore(ctx context.Context, cfg *config.Config, file, passphrase string, say func(string)) (err error) {
	if cfg.DatabaseURL != "" {
		return spoken(fault.New(fault.Invalid, "app.backup_postgres", nil), nil)
	}
	if occupied(cfg.Data) {
		return spoken(fault.New(fault.Conflict, "app.restore_not_empty", nil), nil)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	archive, err := openBackup(f, passphrase)
	if err != nil {
		return spoken(err, nil)
	}
	zr, err := zstd.NewReader(archive, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer zr.Close()
	r := &restorer{dir: cfg.Data, sums: map[string]string{}, passphrase: passphrase, say: say}
	if err := r.all(ctx, tar.NewReader(zr)); err != nil {
		return errors.Join(spoken(err, nil), empty(cfg.Data))
	}
	if !r.m.Sealed {
		say("put the secret key of the backed-up instance at " + filepath.Join(cfg.Data, SecretName))
	}
	return nil
}

// apart reports files that are kept apart from backups and may be there before one is restored: the secret key, and the ledger of
// erasures, up to which the backup is brought when it is first opened.
func apart(name string) bool { return name == SecretName || name == LedgerName }

// occupied reports a data directory with something in it that a restored backup would mix with.
func occupied(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !apart(e.Name()) })
}

// empty removes what a restore wrote into a directory.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !apart(e.Name()) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

type restorer struct {
	dir        string
	m          *manifest
	sums       map[string]string
	passphrase string
	say        func(string)
}

func (r *restorer) all(ctx context.Context, t *tar.Reader) error {
	damaged := fault.New(fault.Invalid, "app.backup_damaged", nil)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if _, ok := fault.Find(err); ok {
				return err
			}
			return damaged
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.entry(h, t); err != nil {
			if _, ok := fault.Find(err); ok {
				return err
			}
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zstd.ErrCRCMismatch) {
				return damaged
			}
			return err
		}
	}
	if r.m == nil || r.m.Format != backupFormat || len(r.m.Sums) != len(r.sums) {
		return damaged
	}
	for name, sum := range r.m.Sums {
		if r.sums[name] != sum {
			return damaged
		}
	}
	return nil
}

func (r *restorer) entry(h *tar.Header, body io.Reader) error {
	if !filepath.IsLocal(h.Name) || h.Typeflag != tar.TypeReg {
		return fault.New(fault.Invalid, "app.backup_damaged", nil)
	}
	switch h.Name {
	case manifestName:
		raw, err := io.ReadAll(io.LimitReader(body, 64<<20))
		if err != nil {
			return err
		}
		r.m = &manifest{}
		return json.Unmarshal(raw, r.m)
	case sealedKeyName:
		return r.key(body)
	}
	r.say(h.Name)
	to := filepath.Join(r.dir, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), body)
	r.sums[h.Name] = hex.EncodeToString(sum.Sum(nil))
	return errors.Join(err, f.Sync(), f.Close())
}

func (r *restorer) key(body io.Reader) error {
	sealed, err := io.ReadAll(io.LimitReader(body, 1<<20))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(sealed)
	r.sums[sealedKeyName] = hex.EncodeToString(sum[:])
	if r.passphrase == "" {
		return fault.New(fault.Invalid, "app.passphrase_needed", nil)
	}
	plain, err := unsealKey(sealed, r.passphrase)
	if err != nil {
		return err
	}
	to := filepath.Join(r.dir, SecretName)
	if _, err := os.Stat(to); err == nil { // the one that was kept apart may hold newer secrets besides
		return nil
	}
	return os.WriteFile(to, plain, 0o600)
}
