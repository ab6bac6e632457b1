package sqlstore

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
)

const (
	rotationColumns = "id, state, phase, cursor, done, total, error, by_kind, created_by, created_at, finished_at, kind, paused, changed, spent"
	rotationInsert  = "INSERT INTO key_rotation (" + rotationColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	rotationSave    = "UPDATE key_rotation SET state = ?, phase = ?, cursor = ?, done = ?, total = ?, error = ?, finished_at = ?, changed = ?, spent = ? WHERE id = ?"
	rotationPause   = "UPDATE key_rotation SET paused = ? WHERE id = ? AND state <> 'done' AND kind <> 'secret'"
	rotationPaused  = "SELECT paused FROM key_rotation WHERE id = ?"
	rotationList    = "SELECT " + rotationColumns + " FROM key_rotation ORDER BY id DESC LIMIT ?"
)

// Wrapping is one place in which data keys are kept wrapped: how many there are, how a portion is read (id and stored form, behind an
// id), and how one is written unless it was changed meanwhile.
type Wrapping struct {
	Phase string
	count string
	read  string
	write string
	// member is the member of a JSON text that holds the key; "" for a column that is the key.
	member string
	// nested keys have their length before them and what they seal behind.
	Nested bool
}

// Wrappings are all places, in the order in which they are taken.
func Wrappings() []Wrapping {
	text := func(phase, table, member string) Wrapping {
		return Wrapping{Phase: phase, count: "SELECT count(*) FROM " + table, read: "SELECT id, resume FROM " + table + " WHERE id > ? ORDER BY id LIMIT ?",
			write: "UPDATE " + table + " SET resume = ? WHERE id = ? AND resume = ?", member: member, Nested: true}
	}
	return []Wrapping{
		{Phase: "people", count: "SELECT count(*) FROM person_key", read: "SELECT subject, wrapped FROM person_key WHERE subject > ? ORDER BY subject LIMIT ?",
			write: "UPDATE person_key SET wrapped = ? WHERE subject = ? AND wrapped = ?"},
		{Phase: "former", count: "SELECT count(*) FROM person_key WHERE former IS NOT NULL", read: "SELECT subject, former FROM person_key WHERE former IS NOT NULL AND subject > ? ORDER BY subject LIMIT ?",
			write: "UPDATE person_key SET former = ? WHERE subject = ? AND former = ?"},
		{Phase: "index", count: "SELECT count(*) FROM index_key", read: "SELECT generation, wrapped FROM index_key WHERE generation > ? ORDER BY generation LIMIT ?",
			write: "UPDATE index_key SET wrapped = ? WHERE generation = ? AND wrapped = ?"},
		{Phase: "webhooks", count: "SELECT count(*) FROM webhook", read: "SELECT id, wrapped FROM webhook WHERE id > ? ORDER BY id LIMIT ?",
			write: "UPDATE webhook SET wrapped = ? WHERE id = ? AND wrapped = ?"},
		{Phase: "mail", count: "SELECT count(*) FROM mail_profile", read: "SELECT id, wrapped FROM mail_profile WHERE id > ? ORDER BY id LIMIT ?",
			write: "UPDATE mail_profile SET wrapped = ? WHERE id = ? AND wrapped = ?"},
		{Phase: "letters", count: "SELECT count(*) FROM mail_message", read: "SELECT id, wrapped FROM mail_message WHERE id > ? ORDER BY id LIMIT ?",
			write: "UPDATE mail_message SET wrapped = ? WHERE id = ? AND wrapped = ?"},
		{Phase: "guests", count: "SELECT count(*) FROM meeting_guest", read: "SELECT id, wrapped FROM meeting_guest WHERE id > ? ORDER BY id LIMIT ?",
			write: "UPDATE meeting_guest SET wrapped = ? WHERE id = ? AND wrapped = ?"},
		text("imports", "import_job", "file_key"),
		text("exports", "mass_job", "key"),
		{Phase: "copies", count: "SELECT count(*) FROM privacy_copy WHERE sealed IS NOT NULL", read: "SELECT id, sealed FROM privacy_copy WHERE sealed IS NOT NULL AND id > ? ORDER BY id LIMIT ?",
			write: "UPDATE privacy_copy SET sealed = ? WHERE id = ? AND sealed = ?", Nested: true},
		{Phase: "approvals", count: "SELECT count(*) FROM approval", read: "SELECT id, content FROM approval WHERE id > ? ORDER BY id LIMIT ?",
			write: "UPDATE approval SET content = ? WHERE id = ? AND content = ?", Nested: true},
	}
}

// CountWrapped is how many keys a place has at most.
func (s Privacy) CountWrapped(ctx context.Context, w Wrapping) (n int64, err error) {
	err = s.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&n}, w.count)
		return err
	})
	return n, err
}

// Rewrap takes the next portion of a place behind a cursor: each key is given to rewrap, and what came out is stored together with
// the state of the rotation. more is false when there was nothing left.
func (s Privacy) Rewrap(ctx context.Context, w Wrapping, r *privacy.Rotation, limit int, rewrap func(owner id.ID, stored []byte) ([]byte, bool, error)) (more bool, err error) {
	var then privacy.Rotation
	err = s.Write(Bulk(ctx), func(c Conn) error {
		then = *r
		type entry struct {
			owner int64
			raw   []byte
			text  string
		}
		var list []entry
		err := Each(ctx, c, func(rows *sql.Rows) error {
			var e entry
			if w.member == "" {
				err := rows.Scan(&e.owner, &e.raw)
				list = append(list, e)
				return err
			}
			err := rows.Scan(&e.owner, &e.text)
			list = append(list, e)
			return err
		}, w.read, then.Cursor, int64(limit))
		if err != nil {
			return err
		}
		for _, e := range list {
			then.Cursor = e.owner
			then.Done++
			if err := w.one(ctx, c, id.ID(e.owner), e.raw, e.text, rewrap); err != nil {
				return err
			}
		}
		more = len(list) == limit
		return saveRotation(ctx, c, &then)
	})
	if err == nil {
		*r = then
	}
	return more, err
}

func (w Wrapping) one(ctx context.Context, c Conn, owner id.ID, raw []byte, text string, rewrap func(id.ID, []byte) ([]byte, bool, error)) error {
	if w.member == "" {
		out, changed, err := rewrap(owner, raw)
		if err == nil && changed {
			_, err = c.Exec(ctx, w.write, out, int64(owner), raw)
		}
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return fmt.Errorf("decode %s: %w", w.Phase, err)
	}
	var stored []byte
	if members[w.member] == nil || json.Unmarshal(members[w.member], &stored) != nil || len(stored) == 0 {
		return nil
	}
	out, changed, err := rewrap(owner, stored)
	if err != nil || !changed {
		return err
	}
	members[w.member] = json.RawMessage(`"` + base64.StdEncoding.EncodeToString(out) + `"`)
	_, err = c.Exec(ctx, w.write, asJSON(members), int64(owner), text)
	return err
}

// AddRotation stores a new rotation.
func (s Privacy) AddRotation(ctx context.Context, r *privacy.Rotation) error {
	return s.Write(ctx, func(c Conn) error {
		_, err := c.Exec(ctx, rotationInsert, int64(r.ID), string(r.State), r.Phase, r.Cursor, r.Done, r.Total, r.Error, string(r.ByKind), int64(r.By), milli(r.At), milli(r.FinishedAt),
			r.Kind, r.Paused, r.Changed, r.Spent)
		return err
	})
}

func saveRotation(ctx context.Context, c Conn, r *privacy.Rotation) error {
	_, err := c.Exec(ctx, rotationSave, string(r.State), r.Phase, r.Cursor, r.Done, r.Total, r.Error, milli(r.FinishedAt), r.Changed, r.Spent, int64(r.ID))
	return err
}

// SaveRotation stores where a rotation stands.
func (s Privacy) SaveRotation(ctx context.Context, r *privacy.Rotation) error {
	return s.Write(ctx, func(c Conn) error { return saveRotation(ctx, c, r) })
}

// Rotations lists rotations, newest first.
func (s Privacy) Rotations(ctx context.Context, limit int) ([]*privacy.Rotation, error) {
	return read(ctx, s.Store, func(rows *sql.Rows) (*privacy.Rotation, error) {
		r := &privacy.Rotation{}
		var key, by, at, finished int64
		var state, kind string
		err := rows.Scan(&key, &state, &r.Phase, &r.Cursor, &r.Done, &r.Total, &r.Error, &kind, &by, &at, &finished, &r.Kind, &r.Paused, &r.Changed, &r.Spent)
		r.ID, r.State, r.ByKind, r.By, r.At, r.FinishedAt = id.ID(key), privacy.State(state), access.ActorKind(kind), id.ID(by), instant(at), instant(finished)
		return r, err
	}, rotationList, int64(limit))
}
