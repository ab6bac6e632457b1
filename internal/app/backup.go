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
	"github.com/guanxi-crm/guanxi/internal/store/sqlite"
)

// A backup is two files. The first is a tar of a consistent copy of each database and the staged files, compressed with zstd; its last
// entry is the manifest with the sha256 of all others, so that a file that broke off is recognised. Analytics is left out: it is built
// from the records. The second, named like the first with keysSuffix behind, holds the wrapped data keys and index keys of the
// workspaces and with a passphrase the secret key too: without it nothing personal of the first opens, whoever has the passphrase. With
// a passphrase both are encrypted (argon2id, AES-256-GCM in segments). Without one DIR/secret.key is needed besides. Backups of
// format 1 are one file that holds everything; they are restored as ever.

const (
	manifestName  = "manifest.json"
	aboutName     = "about.json" // the first entry, so that a restore knows at once what it needs
	sealedKeyName = "secret.key.sealed"
	keysSuffix    = ".keys"
	keysName      = "keys.db"
	restoredKeys  = ".restored-keys"
	backupFormat  = 2
)

// keptApart are the tables of a workspace that lie in the second file.
func keptApart() []string { return []string{"person_key", "index_key"} }

// about is what both files of a backup begin with.
type about struct {
	Format int    `json:"format"`
	Pair   string `json:"pair"` // the same in both files
	Keys   bool   `json:"keys"` // the second file
}

// manifest describes a backup.
type manifest struct {
	Format    int                        `json:"format"`
	Program   string                     `json:"program"`
	At        time.Time                  `json:"at"`
	Positions map[string]change.Position `json:"positions"` // of each workspace's change log at least
	Sums      map[string]string          `json:"sums"`
	Sealed    bool                       `json:"sealed"` // the secret key is inside, under a passphrase
	Pair      string                     `json:"pair,omitempty"`
	Keys      bool                       `json:"keys,omitempty"` // the second file of a backup
}

// BackupResult is what a backup wrote.
type BackupResult struct {
	File       string   `json:"file"`
	Bytes      int64    `json:"bytes"`
	Workspaces []string `json:"workspaces"`
	Keys       string   `json:"keys"` // the second file: to be kept apart from the first, and needed with it
	Key        string   `json:"key"`  // where the secret key is: "passphrase" (in the second file) or the file to keep beside
}

func (a *App) backup(ctx context.Context, file, passphrase string, say func(string)) (_ *BackupResult, err error) {
	stage, err := os.MkdirTemp(a.Config.Data, ".backup-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	pair := make([]byte, 16)
	if _, err := rand.Read(pair); err != nil {
		return nil, err
	}
	m := manifest{Format: backupFormat, Program: a.Version, At: a.Clock.Now(), Positions: map[string]change.Position{}, Pair: hex.EncodeToString(pair)}
	res := &BackupResult{File: file, Keys: file + keysSuffix, Key: filepath.Join(a.Config.Data, SecretName)}
	if passphrase != "" {
		res.Key = "passphrase"
	}
	data := m
	res.Bytes, err = writeArchive(file, passphrase, &data, func(b *backupWriter) (err error) {
		if res.Workspaces, err = a.backupWorkspaces(ctx, b, stage, data.Positions, say); err != nil {
			return err
		}
		say("instance")
		copyPath := filepath.Join(stage, "instance.db")
		if err := a.instance.BackupTo(ctx, copyPath); err != nil {
			return err
		}
		return b.file("instance.db", copyPath)
	})
	if err != nil {
		return nil, err
	}
	say("keys")
	keys := m
	keys.Positions, keys.Keys, keys.Sealed = nil, true, passphrase != ""
	n, err := writeArchive(res.Keys, passphrase, &keys, func(b *backupWriter) error {
		for _, key := range res.Workspaces {
			if err := b.file(path.Join("workspaces", key, keysName), filepath.Join(stage, key+"."+keysName)); err != nil {
				return err
			}
		}
		if passphrase == "" {
			return nil
		}
		return a.backupKey(b, passphrase)
	})
	if err != nil {
		return nil, errors.Join(err, os.Remove(file))
	}
	res.Bytes += n
	return res, nil
}

// writeArchive writes one file of a backup: what it is, what fill adds, and the manifest. A file that was not finished is removed.
func writeArchive(file, passphrase string, m *manifest, fill func(b *backupWriter) error) (size int64, err error) {
	m.Sums = map[string]string{}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("backup file: %w", err)
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
			return 0, err
		}
		sink, seal = w, w
	}
	zw, err := zstd.NewWriter(sink, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, err
	}
	b := &backupWriter{tar: tar.NewWriter(zw), sums: m.Sums}
	head, err := json.Marshal(about{m.Format, m.Pair, m.Keys})
	if err != nil {
		return 0, err
	}
	if err := b.bytes(aboutName, head); err != nil {
		return 0, err
	}
	if err := fill(b); err != nil {
		return 0, err
	}
	doc, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(b.bytes(manifestName, doc), b.tar.Close(), zw.Close(), seal.Close(), out.Sync()); err != nil {
		return 0, err
	}
	info, err := out.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), out.Close()
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

// backupWorkspace writes the inbox of events first, then the records and then the files. Until they are written no file goes, so that
// every row has its content; files that come meanwhile are without a row in the backup, and the first start after a restore removes them.
func (a *App) backupWorkspace(ctx context.Context, b *backupWriter, w *workspace, stage string) error {
	defer w.blobs.Hold()()
	copyPath := filepath.Join(stage, w.info.Key+".db")
	saver, ok := w.db.(interface {
		BackupTo(ctx context.Context, path string) error
	})
	if !ok {
		return fault.New(fault.Invalid, "app.backup_postgres", nil)
	}
	name := path.Join("workspaces", w.info.Key)
	if err := w.events.backup(ctx, b, stage, name); err != nil {
		return err
	}
	if err := saver.BackupTo(ctx, copyPath); err != nil {
		return err
	}
	if err := sqlite.Detach(ctx, copyPath, filepath.Join(stage, w.info.Key+"."+keysName), keptApart()...); err != nil {
		return err
	}
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
func (b Backend) Restore(ctx context.Context, cfg *config.Config, file, keys, passphrase string, say func(string)) (err error) {
	if cfg.DatabaseURL != "" {
		return spoken(fault.New(fault.Invalid, "app.backup_postgres", nil), nil)
	}
	if occupied(cfg.Data) {
		return spoken(fault.New(fault.Conflict, "app.restore_not_empty", nil), nil)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	r := &restorer{dir: cfg.Data, passphrase: passphrase, say: say, keys: keys}
	if r.keys == "" {
		r.keys = file + keysSuffix
	}
	if err := r.restore(ctx, file); err != nil {
		return errors.Join(spoken(err, nil), empty(cfg.Data))
	}
	if r.m.Format > 1 {
		if err := r.restoreKeys(ctx); err != nil {
			return errors.Join(spoken(err, nil), empty(cfg.Data))
		}
	}
	if !r.m.Sealed {
		say("put the secret key of the backed-up instance at " + filepath.Join(cfg.Data, SecretName))
	}
	return nil
}

// restore reads one file of a backup.
func (r *restorer) restore(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	archive, err := openBackup(f, r.passphrase)
	if err != nil {
		return err
	}
	zr, err := zstd.NewReader(archive, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer zr.Close()
	r.m, r.sums = nil, map[string]string{}
	return r.all(ctx, tar.NewReader(zr))
}

// restoreKeys puts the keys of the second file back into the records of the first.
func (r *restorer) restoreKeys(ctx context.Context) (err error) {
	stage := filepath.Join(r.dir, restoredKeys)
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	k := &restorer{dir: stage, passphrase: r.passphrase, say: r.say, second: true}
	if err := k.restore(ctx, r.keys); err != nil {
		return err
	}
	if k.m.Pair != r.m.Pair {
		return fault.New(fault.Invalid, "app.restore_keys_other", fault.Params{"file": filepath.Base(r.keys)})
	}
	for name := range k.sums {
		if path.Base(name) != keysName {
			continue
		}
		records := filepath.Join(r.dir, filepath.FromSlash(path.Dir(name)), "records.db")
		if err := sqlite.Attach(ctx, records, filepath.Join(stage, filepath.FromSlash(name)), keptApart()...); err != nil {
			return err
		}
	}
	r.m.Sealed = k.m.Sealed
	return k.putSecret(r.dir)
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
	keys       string // the second file
	secret     []byte // the secret key that came with it
	second     bool   // this is it
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
	if r.m == nil || r.m.Format < 1 || r.m.Format > backupFormat || r.m.Keys != r.second || len(r.m.Sums) != len(r.sums) {
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
	case aboutName:
		return r.about(body)
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

// putSecret writes the secret key that came with a backup into the data directory.
func (r *restorer) putSecret(dir string) error {
	to := filepath.Join(dir, SecretName)
	if _, err := os.Stat(to); err == nil || len(r.secret) == 0 { // the one that was kept apart may hold newer secrets besides
		return nil
	}
	return os.WriteFile(to, r.secret, 0o600)
}

// about finds out at the beginning whether everything is there that is needed.
func (r *restorer) about(body io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(body, 1<<20))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	r.sums[aboutName] = hex.EncodeToString(sum[:])
	var a about
	switch err := json.Unmarshal(raw, &a); {
	case err != nil:
		return fault.New(fault.Invalid, "app.backup_damaged", nil)
	case a.Format > backupFormat:
		return fault.New(fault.Invalid, "app.backup_newer", nil)
	case a.Keys != r.second && a.Keys:
		return fault.New(fault.Invalid, "app.restore_is_keys", nil)
	case a.Keys != r.second:
		return fault.New(fault.Invalid, "app.restore_not_keys", fault.Params{"file": filepath.Base(r.keys)})
	case r.second:
		return nil
	}
	if _, err := os.Stat(r.keys); err != nil {
		return fault.New(fault.Invalid, "app.restore_keys_needed", fault.Params{"file": r.keys})
	}
	return nil
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
	r.secret = plain
	if r.second { // written once it is certain that the file belongs to the first one
		return nil
	}
	return r.putSecret(r.dir)
}
