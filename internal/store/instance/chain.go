package instance

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
)

const lockChain = 775004

// chainMigration begins the chain. Nothing else gives older entries their places: a trail whose chain was removed does not
// get a new one unseen.
const chainMigration = "migrations/0003_chain.sql"

const (
	auditColumns = "id, workspace, at, actor_kind, actor_id, actor_name, action, object, record_id, detail, address"
	auditInsert  = "INSERT INTO audit (" + auditColumns + ", salt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	chainLast    = "SELECT seq, hash FROM audit_chain ORDER BY seq DESC LIMIT 1"
	chainInsert  = "INSERT INTO audit_chain (seq, entry, at, digest, hash) VALUES (?, ?, ?, ?, ?)"
	chainWalk    = "SELECT c.seq, c.entry, c.at, c.digest, c.hash, a.id, a.workspace, a.at, a.actor_kind, a.actor_id, a.actor_name, a.action, a.object, a.record_id, a.detail, a.address, a.salt " +
		"FROM audit_chain c LEFT JOIN audit a ON a.id = c.entry WHERE c.seq > ? ORDER BY c.seq LIMIT ?"
	chainless  = "SELECT " + auditColumns + " FROM audit a WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.entry = a.id) AND id > ? ORDER BY id LIMIT ?"
	chainStray = "SELECT id FROM audit a WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.entry = a.id) ORDER BY id LIMIT 1"
	saltEntry  = "UPDATE audit SET salt = ? WHERE id = ?"
	chainStep  = 2000
)

// AppendAudit implements auth.Store: the entry and its place in the chain are written together.
func (s *Store) AppendAudit(ctx context.Context, e auth.Entry) error {
	detail := []byte("{}")
	if len(e.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(e.Detail); err != nil {
			return fmt.Errorf("audit detail: %w", err)
		}
	}
	e.At = at(ms(e.At)) // as it is read back
	salt := rand.Text()
	return s.tx(ctx, func(t *tx) error {
		if err := t.lock(lockChain); err != nil {
			return err
		}
		if _, err := t.exec(auditInsert, int64(e.ID), e.Workspace, ms(e.At), string(e.ActorKind), int64(e.ActorID), e.ActorName, e.Action, e.Object, int64(e.RecordID), string(detail), e.Address, salt); err != nil {
			return err
		}
		place, hash, err := t.lastPlace()
		if err != nil {
			return err
		}
		_, err = t.chain(place, hash, &e, string(detail), salt)
		return err
	})
}

// lastPlace is the end of the chain, 0 for an empty one.
func (t *tx) lastPlace() (place int64, hash string, err error) {
	err = t.row(chainLast).Scan(&place, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return place, hash, err
}

// chain gives an entry the next place and returns its hash.
func (t *tx) chain(place int64, before string, e *auth.Entry, detail, salt string) (string, error) {
	digest := auth.Digest(e, detail, salt)
	hash := auth.Link(before, place+1, e.ID, e.At, digest)
	_, err := t.exec(chainInsert, place+1, int64(e.ID), ms(e.At), digest, hash)
	return hash, err
}

// adopt gives the entries of a trail that is older than the chain their places, once.
func (t *tx) adopt() error {
	place, hash, err := t.lastPlace()
	if err != nil || place != 0 {
		return err
	}
	var after int64
	for {
		type old struct {
			auth.Entry
			detail string
		}
		entries, err := collect(t, func(scan func(...any) error) (o old, err error) {
			var when int64
			err = scan(&o.ID, &o.Workspace, &when, &o.ActorKind, &o.ActorID, &o.ActorName, &o.Action, &o.Object, &o.RecordID, &o.detail, &o.Address)
			o.At = at(when)
			return o, err
		}, chainless, after, chainStep)
		if err != nil || len(entries) == 0 {
			return err
		}
		for i := range entries {
			salt := rand.Text()
			if _, err := t.exec(saltEntry, salt, int64(entries[i].ID)); err != nil {
				return err
			}
			if hash, err = t.chain(place, hash, &entries[i].Entry, entries[i].detail, salt); err != nil {
				return err
			}
			place, after = place+1, int64(entries[i].ID)
		}
	}
}

// place is one place of the chain with its entry, whose ID is 0 when it is gone.
type place struct {
	seq          int64
	entry        id.ID
	at           int64
	digest, hash string
	e            auth.Entry
	detail, salt string
}

func scanPlace(scan func(...any) error) (p place, err error) {
	var eid, when, actor, rec sql.NullInt64
	var ws, kind, name, action, object, detail, address, salt sql.NullString
	if err = scan(&p.seq, &p.entry, &p.at, &p.digest, &p.hash, &eid, &ws, &when, &kind, &actor, &name, &action, &object, &rec, &detail, &address, &salt); err != nil {
		return p, err
	}
	p.e = auth.Entry{ID: id.ID(eid.Int64), Workspace: ws.String, At: at(when.Int64), ActorID: id.ID(actor.Int64), ActorName: name.String, Action: action.String,
		Object: object.String, RecordID: id.ID(rec.Int64), Address: address.String}
	p.e.ActorKind = access.ActorKind(kind.String)
	p.detail, p.salt = detail.String, salt.String
	return p, nil
}

// CheckTrail implements auth.Store: it reads the chain a part at a time and stops at the first break. Entries appended
// meanwhile are walked too.
func (s *Store) CheckTrail(ctx context.Context, head int64, hash string) (auth.TrailCheck, error) {
	var r auth.TrailCheck
	broken := func(reason string, seq int64, entry id.ID) (auth.TrailCheck, error) {
		r.Reason, r.Place, r.Entry = reason, seq, entry
		return r, nil
	}
	var before string
	var done int64
	met := head == 0
	for {
		places, err := collect(s.on(ctx), scanPlace, chainWalk, done, chainStep)
		if err != nil {
			return r, err
		}
		for i := range places {
			p := &places[i]
			switch {
			case p.seq != done+1:
				return broken(auth.BreakMissing, done+1, 0)
			case p.hash != auth.Link(before, p.seq, p.entry, at(p.at), p.digest):
				return broken(auth.BreakHash, p.seq, p.entry)
			case p.e.ID == 0:
				return broken(auth.BreakMissing, p.seq, p.entry)
			case p.salt == "":
				r.Erased++
			case auth.Digest(&p.e, p.detail, p.salt) != p.digest:
				return broken(auth.BreakChanged, p.seq, p.entry)
			}
			if p.seq == head {
				if p.hash != strings.ToLower(hash) {
					return broken(auth.BreakHead, p.seq, p.entry)
				}
				met = true
			}
			done, before = p.seq, p.hash
			r.Entries++
			r.Head = auth.Head(p.seq, p.hash)
		}
		if len(places) < chainStep {
			break
		}
	}
	if !met {
		return broken(auth.BreakHead, head, 0)
	}
	stray, err := collect(s.on(ctx), func(scan func(...any) error) (v id.ID, err error) { return v, scan(&v) }, chainStray)
	if err != nil {
		return r, err
	}
	if len(stray) > 0 {
		return broken(auth.BreakAdded, 0, stray[0])
	}
	r.OK = true
	return r, nil
}
