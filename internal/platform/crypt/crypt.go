// Package crypt encrypts personal data and makes it findable without reading it.
//
// A Keyring comes from the secret lines of one key file. The first line is the current secret and wraps the data keys;
// later lines are older secrets that can still unwrap (rotation puts a new line on top). The last line never changes: from it come the first
// keys of the blind index and of the search tokens, so that rotation does not touch what is stored, and for good those of the suppression
// list, of cursors and of names (Fixed). Further index keys are random, wrapped by the secret, and kept with the data that they are made for
// (Index). All working keys are derived with HKDF-SHA256 bound to the workspace.
//
// Every subject (a customer, mostly) has a data key of its own, wrapped by the workspace's key; destroying the wrapped
// key makes the subject's values unreadable everywhere, backups included. Values and wrapped keys are AES-256-GCM with a
// random 96-bit nonce:
//
//	value       1 byte version (1) | 12 nonce | ciphertext | 16 tag     additional data: workspace|object|field|record
//	wrapped key 1 byte version (1) | 4 key id | 12 nonce | 32 | 16 tag   additional data: workspace|subject
//
// While the data keys of a workspace are exchanged a subject has two: what is written is sealed with the new one, and either opens; the
// stored form of such a pair is two wrapped keys, the new one first. While one index key follows another, what is written takes the newest,
// and Blinds and Tokens give what a value may stand under.
//
// so a value moved to another field, record or workspace does not open. A data key encrypts far below 2^32 values, the
// bound of random nonces. The blind index is HMAC-SHA256 cut to 128 bits over class and normalised value; it shows which
// records share a value, and nothing else without the key. A Keyring is safe for concurrent use.
package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

const (
	version   = 1
	keySize   = 32
	nonceSize = 12
	tagSize   = 16
	idSize    = 4

	// WrappedSize is the length of a wrapped data key in bytes.
	WrappedSize = 1 + idSize + nonceSize + keySize + tagSize
	// Overhead is how much longer than its plaintext a sealed value is.
	Overhead = 1 + nonceSize + tagSize
)

// Key is the unwrapped data key of one subject, and while keys are exchanged also the one that it had before.
type Key struct {
	aead    cipher.AEAD
	former  cipher.AEAD // nil outside an exchange
	subject id.ID
	wrapped []byte // the stored form that it was unwrapped from, nil for one that was just made
}

// Place is where a value stands; it is bound into the ciphertext.
type Place struct {
	Object string
	Field  string
	Record id.ID
}

// Keyring holds the keys of one workspace.
type Keyring struct {
	workspace string
	wrappers  atomic.Pointer[[]wrapper] // the current one first
	source    atomic.Pointer[func() ([][]byte, error)]
	refresh   atomic.Pointer[func(subject id.ID) ([]byte, error)]
	indexes   atomic.Pointer[[]index] // the newest first, never empty
	first     index                   // derived from the last secret
	cursor    sync.Pool
	suppress  sync.Pool
	cache     cache
	random    random
}

type wrapper struct {
	id   [idSize]byte
	aead cipher.AEAD
}

// New makes the keyring of a workspace from secrets of at least 32 bytes, the current one first.
func New(workspace string, secrets ...[]byte) (*Keyring, error) {
	if len(secrets) == 0 {
		return nil, fault.New(fault.Internal, "crypt.no_secret", nil)
	}
	k := &Keyring{workspace: workspace}
	if err := k.Renew(secrets...); err != nil {
		return nil, err
	}
	root := secrets[len(secrets)-1]
	for purpose, pool := range map[string]*sync.Pool{"cursor": &k.cursor, "suppress": &k.suppress} {
		if err := k.pool(root, purpose, pool); err != nil {
			return nil, err
		}
	}
	var err error
	if k.first, err = k.indexOf(0, root); err != nil {
		return nil, err
	}
	k.indexes.Store(&[]index{k.first})
	k.cache.limit = 16_384
	return k, nil
}

// Renew takes over the secrets of now, the current one first; the last must be the one that the keyring was made with. Keys that were
// wrapped by any of them open.
func (k *Keyring) Renew(secrets ...[]byte) error {
	var list []wrapper
	for _, s := range secrets {
		if len(s) < keySize {
			return fault.New(fault.Internal, "crypt.secret_short", nil)
		}
		w, err := k.derive(s, "wrap")
		if err != nil {
			return err
		}
		sum := sha256.Sum256(append([]byte("guanxi key id|"), w...))
		aead, err := NewAEAD(w)
		if err != nil {
			return err
		}
		list = append(list, wrapper{id: [idSize]byte(sum[:idSize]), aead: aead})
	}
	if len(list) == 0 {
		return fault.New(fault.Internal, "crypt.no_secret", nil)
	}
	k.wrappers.Store(&list)
	return nil
}

// Source says where secrets are that came since, for a key that another process wrapped with a newer one.
func (k *Keyring) Source(read func() ([][]byte, error)) { k.source.Store(&read) }

func (k *Keyring) derive(secret []byte, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "guanxi/1/"+purpose+"/"+k.workspace, keySize)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "crypt.derive", fmt.Errorf("derive %s key: %w", purpose, err))
	}
	return key, nil
}

// pool makes keyed hashes of a purpose.
func (k *Keyring) pool(secret []byte, purpose string, pool *sync.Pool) error {
	key, err := k.derive(secret, purpose)
	if err != nil {
		return err
	}
	pool.New = func() any { return hmac.New(sha256.New, key) }
	return nil
}

// NewAEAD is the cipher that keys and values are sealed with: AES in Galois/Counter mode, 256-bit keys, 96-bit nonces.
func NewAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "crypt.cipher", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "crypt.cipher", err)
	}
	return aead, nil
}

// NewKey makes a data key for a subject, and the wrapped form to store.
func (k *Keyring) NewKey(subject id.ID) (*Key, []byte, error) {
	var raw [keySize]byte
	k.random.read(raw[:])
	aead, err := NewAEAD(raw[:])
	if err != nil {
		return nil, nil, err
	}
	wrapped := k.wrap(subject, raw[:])
	clear(raw[:])
	return &Key{aead: aead, subject: subject, wrapped: wrapped}, wrapped, nil
}

func (k *Keyring) wrap(subject id.ID, raw []byte) []byte {
	w := &(*k.wrappers.Load())[0]
	out := make([]byte, 1+idSize+nonceSize, WrappedSize)
	out[0] = version
	copy(out[1:], w.id[:])
	nonce := out[1+idSize:]
	k.random.read(nonce)
	return w.aead.Seal(out, nonce, raw, k.subjectData(subject))
}

func (k *Keyring) subjectData(subject id.ID) []byte {
	b := make([]byte, 0, len(k.workspace)+9)
	b = append(append(b, k.workspace...), '|')
	return binary.BigEndian.AppendUint64(b, uint64(subject)) //nolint:gosec // ids are positive
}

// Unwrap opens a stored data key, or a pair of them, keeping recent ones in memory. A key that was tampered with, belongs to another
// subject or workspace, or was wrapped by a secret that is not in the key file is an Internal fault.
func (k *Keyring) Unwrap(subject id.ID, wrapped []byte) (*Key, error) {
	if key := k.cache.get(subject); key != nil && bytes.Equal(key.wrapped, wrapped) {
		return key, nil
	}
	key := &Key{subject: subject, wrapped: bytes.Clone(wrapped)}
	parts := [][]byte{wrapped}
	if len(wrapped) == 2*WrappedSize {
		parts = [][]byte{wrapped[:WrappedSize], wrapped[WrappedSize:]}
	}
	for i, part := range parts {
		raw, _, err := k.open(subject, part)
		if err != nil {
			return nil, err
		}
		aead, err := NewAEAD(raw)
		clear(raw)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			key.aead = aead
		} else {
			key.former = aead
		}
	}
	k.cache.put(subject, key)
	return key, nil
}

// Refresh says where the stored key of a subject is, for a value that a key kept in memory does not open because another process has
// exchanged the key meanwhile. read gives nil for a subject without one.
func (k *Keyring) Refresh(read func(subject id.ID) ([]byte, error)) { k.refresh.Store(&read) }

// open returns the raw data key and whether it is wrapped by the current secret.
func (k *Keyring) open(subject id.ID, wrapped []byte) (raw []byte, current bool, err error) {
	if len(wrapped) != WrappedSize || wrapped[0] != version {
		return nil, false, fault.New(fault.Internal, "crypt.key_format", nil)
	}
	raw, current, err = k.openWith(subject, wrapped)
	if read := k.source.Load(); fault.CodeOf(err) == codeUnknown && read != nil {
		secrets, sourceErr := (*read)()
		if sourceErr != nil {
			return nil, false, sourceErr
		}
		if err := k.Renew(secrets...); err != nil {
			return nil, false, err
		}
		return k.openWith(subject, wrapped)
	}
	return raw, current, err
}

const codeUnknown = "crypt.key_unknown"

func (k *Keyring) openWith(subject id.ID, wrapped []byte) (raw []byte, current bool, err error) {
	wrappers := *k.wrappers.Load()
	for i := range wrappers {
		w := &wrappers[i]
		if !bytes.Equal(w.id[:], wrapped[1:1+idSize]) {
			continue
		}
		raw, err = w.aead.Open(nil, wrapped[1+idSize:1+idSize+nonceSize], wrapped[1+idSize+nonceSize:], k.subjectData(subject))
		if err != nil {
			return nil, false, fault.Wrap(fault.Internal, "crypt.key_tampered", err)
		}
		return raw, i == 0, nil
	}
	return nil, false, fault.New(fault.Internal, codeUnknown, nil)
}

// Rewrap wraps a data key with the current secret; changed is false when it already is.
func (k *Keyring) Rewrap(subject id.ID, wrapped []byte) (out []byte, changed bool, err error) {
	raw, current, err := k.open(subject, wrapped)
	if err != nil || current {
		return wrapped, false, err
	}
	out = k.wrap(subject, raw)
	clear(raw)
	return out, true, nil
}

// Forget drops a subject's key from memory, when the subject is erased.
func (k *Keyring) Forget(subject id.ID) { k.cache.drop(subject) }

// ForgetAll drops all keys from memory, when former ones are destroyed.
func (k *Keyring) ForgetAll() {
	k.cache.mu.Lock()
	defer k.cache.mu.Unlock()
	k.cache.young, k.cache.old = nil, nil
}

// Remember keeps a key that NewKey made, once it is stored for certain.
func (k *Keyring) Remember(subject id.ID, key *Key) { k.cache.put(subject, key) }

// Seal encrypts a value for its place.
func (k *Keyring) Seal(key *Key, at Place, plaintext []byte) []byte {
	out := make([]byte, 1+nonceSize, len(plaintext)+Overhead)
	out[0] = version
	nonce := out[1:]
	k.random.read(nonce)
	return key.aead.Seal(out, nonce, plaintext, k.placeData(at))
}

// Open decrypts a value that was sealed for the same place.
func (k *Keyring) Open(key *Key, at Place, sealed []byte) ([]byte, error) {
	out, _, err := k.Inspect(key, at, sealed)
	return out, err
}

// Inspect is Open, and tells whether the value is sealed with the newest key of its subject.
func (k *Keyring) Inspect(key *Key, at Place, sealed []byte) (out []byte, current bool, err error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, false, fault.New(fault.Internal, "crypt.value_format", nil)
	}
	out, current, err = k.inspect(key, at, sealed)
	read := k.refresh.Load()
	if err == nil || read == nil || key.subject == 0 {
		return out, current, err
	}
	wrapped, lost := (*read)(key.subject)
	if lost != nil || len(wrapped) == 0 || bytes.Equal(wrapped, key.wrapped) {
		return nil, false, err
	}
	fresh, lost := k.Unwrap(key.subject, wrapped)
	if lost != nil {
		return nil, false, err
	}
	return k.inspect(fresh, at, sealed)
}

func (k *Keyring) inspect(key *Key, at Place, sealed []byte) ([]byte, bool, error) {
	data := k.placeData(at)
	out, err := key.aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], data)
	if err == nil {
		return out, true, nil
	}
	if key.former != nil {
		if out, older := key.former.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], data); older == nil {
			return out, false, nil
		}
	}
	return nil, false, fault.Wrap(fault.Internal, "crypt.value_tampered", err)
}

func (k *Keyring) placeData(at Place) []byte {
	b := make([]byte, 0, 96)
	b = append(append(b, k.workspace...), '|')
	b = append(append(b, at.Object...), '|')
	b = append(append(b, at.Field...), '|')
	return strconv.AppendInt(b, int64(at.Record), 10)
}

func sum(pool *sync.Pool, out []byte, parts ...string) []byte {
	h, _ := pool.Get().(hash.Hash)
	h.Reset()
	var buf [128]byte
	for i, p := range parts {
		if i > 0 {
			h.Write([]byte{0})
		}
		// Hash.Write takes bytes; a copy through a small buffer does not allocate.
		for len(p) > 0 {
			n := copy(buf[:], p)
			h.Write(buf[:n])
			p = p[n:]
		}
	}
	out = h.Sum(out)
	pool.Put(h)
	return out
}

// Suppression is the keyed digest of a value whose owner was erased: 43 characters that show nothing without the key, and nothing
// in common with the blind index.
func (k *Keyring) Suppression(class, normalised string) string {
	var b [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(sum(&k.suppress, b[:0], class, normalised))
}

// Sign appends 12 bytes of authentication to a message that leaves the server and comes back (a page cursor).
func (k *Keyring) Sign(message []byte) []byte {
	var b [sha256.Size]byte
	mac := sum(&k.cursor, b[:0], string(message))
	return append(message[:len(message):len(message)], mac[:12]...)
}

// Verify takes the message out of what Sign returned; ok is false when either was changed.
func (k *Keyring) Verify(signed []byte) (message []byte, ok bool) {
	n := len(signed) - 12
	if n < 0 {
		return nil, false
	}
	var b [sha256.Size]byte
	mac := sum(&k.cursor, b[:0], string(signed[:n]))
	return signed[:n], hmac.Equal(mac[:12], signed[n:])
}

// random hands out bytes of the system's generator, taken in blocks because a call costs more than the bytes.
type random struct {
	mu   sync.Mutex
	buf  [4096]byte
	left int
}

func (r *random) read(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p) > r.left {
		rand.Read(r.buf[:]) //nolint:errcheck // never fails: it ends the program instead
		r.left = len(r.buf)
	}
	from := r.buf[len(r.buf)-r.left:]
	n := copy(p, from)
	clear(from[:n])
	r.left -= n
}

// cache keeps up to limit keys in two generations: when the young one holds half of them, the old one is forgotten.
type cache struct {
	mu         sync.Mutex
	limit      int
	young, old map[id.ID]*Key
}

func (c *cache) get(subject id.ID) *Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key := c.young[subject]; key != nil {
		return key
	}
	key := c.old[subject]
	if key != nil {
		c.store(subject, key)
	}
	return key
}

func (c *cache) put(subject id.ID, key *Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(subject, key)
}

func (c *cache) store(subject id.ID, key *Key) {
	if c.young == nil {
		c.young = make(map[id.ID]*Key)
	}
	if len(c.young) >= c.limit/2 {
		c.old, c.young = c.young, make(map[id.ID]*Key)
	}
	c.young[subject] = key
}

func (c *cache) drop(subject id.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, subject)
	delete(c.old, subject)
}

// ParseSecrets reads the text of a key file, or of an environment variable: lines "guanxi-key-1 <base64 of 32 bytes>",
// the current secret first; a line may also be the bare base64.
func ParseSecrets(text string) ([][]byte, error) {
	var out [][]byte
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, linePrefix)))
		if err != nil || len(raw) < keySize {
			return nil, fault.New(fault.Invalid, "crypt.key_file", nil)
		}
		out = append(out, raw)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "crypt.key_file", nil)
	}
	return out, nil
}

// Cached is the data key of a subject when it is in memory, nil otherwise.
func (k *Keyring) Cached(subject id.ID) *Key { return k.cache.get(subject) }
