package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
	"github.com/guanxi-crm/guanxi/internal/record/view"
)

// Rights implements rights.Store.
type Rights struct{ store *Store }

var _ rights.Store = (*Rights)(nil)

// NewRights keeps rights in a Store.
func NewRights(s *Store) *Rights { return &Rights{store: s} }

const (
	rightsVersion = "SELECT version FROM rights_state WHERE one = 1"
	rightsRaise   = "UPDATE rights_state SET version = version + 1 WHERE one = 1"
	unitList      = "SELECT id, kind, parent, name, position, version, head FROM org_unit ORDER BY id"
	unitInsert    = "INSERT INTO org_unit (kind, parent, name, position, version, head, created_at, updated_at, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	unitUpdate    = "UPDATE org_unit SET kind = ?, parent = ?, name = ?, position = ?, version = ?, head = ?, updated_at = ? WHERE id = ? AND version = ?"
	unitDelete    = "DELETE FROM org_unit WHERE id = ?"
	memberList    = "SELECT unit, person FROM org_member ORDER BY unit, person"
	memberInsert  = "INSERT INTO org_member (unit, person) VALUES (?, ?) ON CONFLICT DO NOTHING"
	memberDelete  = "DELETE FROM org_member WHERE unit = ? AND person = ?"
	memberClear   = "DELETE FROM org_member WHERE unit = ?"
	roleList      = "SELECT key, body, version FROM access_role ORDER BY key"
	roleInsert    = "INSERT INTO access_role (key, body, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	roleUpdate    = "UPDATE access_role SET body = ?, version = ?, updated_at = ? WHERE key = ? AND version = ?"
	roleDelete    = "DELETE FROM access_role WHERE key = ?"
	shareColumns  = "id, object, record, kind, grantee, writes, until, created_at, created_by"
	shareList     = "SELECT " + shareColumns + " FROM record_share WHERE record = ? AND object = ? ORDER BY id"
	shareWith     = "SELECT " + shareColumns + " FROM record_share WHERE kind = ? AND grantee = ? AND (until = 0 OR until > ?) ORDER BY id"
	shareCount    = "SELECT count(*) FROM record_share WHERE kind = ? AND grantee = ? AND (until = 0 OR until > ?)"
	shareInsert   = "INSERT INTO record_share (" + shareColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	shareReplace  = "DELETE FROM record_share WHERE record = ? AND kind = ? AND grantee = ?"
	shareOver     = "DELETE FROM record_share WHERE until > 0 AND until <= ?"
	shareDelete   = "DELETE FROM record_share WHERE id = ? AND record = ? AND object = ?"
	shareOfUnit   = "DELETE FROM record_share WHERE kind <> 'user' AND grantee = ?"
)

// write runs fn and raises the version in the same transaction.
func (k *Rights) write(ctx context.Context, fn func(c Conn) error) error {
	return k.store.Write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, rightsRaise); err != nil { // first: it makes writers wait for each other
			return err
		}
		return fn(c)
	})
}

// Version implements rights.Store.
func (k *Rights) Version(ctx context.Context) (version int64, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		_, err := c.QueryRow(ctx, []any{&version}, rightsVersion)
		return err
	})
	return version, err
}

// Load implements rights.Store.
func (k *Rights) Load(ctx context.Context) (version int64, units []rights.Unit, roles []rights.Role, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		units, roles = nil, nil
		if _, err := c.QueryRow(ctx, []any{&version}, rightsVersion); err != nil {
			return err
		}
		if units, err = loadUnits(ctx, c); err != nil {
			return err
		}
		return Each(ctx, c, func(rows *sql.Rows) error {
			var key, body string
			r := rights.Role{}
			if err := rows.Scan(&key, &body, &r.Version); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(body), &r.Definition); err != nil {
				r.Definition, r.Broken = access.Definition{Name: key}, true
			}
			r.Key = access.Role(key)
			roles = append(roles, r)
			return nil
		}, roleList)
	})
	return version, units, roles, err
}

func loadUnits(ctx context.Context, c Conn) (units []rights.Unit, err error) {
	at := map[id.ID]int{}
	err = Each(ctx, c, func(rows *sql.Rows) error {
		var u rights.Unit
		var kind string
		var key, parent, head int64
		err := rows.Scan(&key, &kind, &parent, &u.Name, &u.Position, &u.Version, &head)
		u.ID, u.Parent, u.Kind, u.Head = id.ID(key), id.ID(parent), rights.Kind(kind), id.ID(head)
		at[u.ID] = len(units)
		units = append(units, u)
		return err
	}, unitList)
	if err != nil {
		return nil, err
	}
	return units, Each(ctx, c, func(rows *sql.Rows) error {
		var unit, person int64
		if err := rows.Scan(&unit, &person); err != nil {
			return err
		}
		if i, ok := at[id.ID(unit)]; ok {
			units[i].Members = append(units[i].Members, id.ID(person))
		}
		return nil
	}, memberList)
}

// PutUnit implements rights.Store.
func (k *Rights) PutUnit(ctx context.Context, u rights.Unit) error {
	now := milli(k.store.clock.Now())
	return k.write(ctx, func(c Conn) error {
		if u.Version == 1 {
			_, err := c.Exec(ctx, unitInsert, string(u.Kind), int64(u.Parent), u.Name, int64(u.Position), u.Version, int64(u.Head), now, now, int64(u.ID))
			return err
		}
		n, err := c.Exec(ctx, unitUpdate, string(u.Kind), int64(u.Parent), u.Name, int64(u.Position), u.Version, int64(u.Head), now, int64(u.ID), u.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "rights.stale", nil)
		}
		return err
	})
}

// DeleteUnit implements rights.Store.
func (k *Rights) DeleteUnit(ctx context.Context, unit id.ID) error {
	return k.write(ctx, func(c Conn) error {
		for _, q := range []string{unitDelete, memberClear, shareOfUnit} {
			if _, err := c.Exec(ctx, q, int64(unit)); err != nil {
				return err
			}
		}
		for _, kind := range []string{view.Team, view.Department} {
			if err := forgetGrantee(ctx, c, view.Grantee{Kind: kind, ID: unit}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ChangeMembers implements rights.Store.
func (k *Rights) ChangeMembers(ctx context.Context, add, remove []rights.Place) error {
	return k.write(ctx, func(c Conn) error {
		for _, p := range remove {
			if _, err := c.Exec(ctx, memberDelete, int64(p.Unit), int64(p.Person)); err != nil {
				return err
			}
		}
		for _, p := range add {
			if _, err := c.Exec(ctx, memberInsert, int64(p.Unit), int64(p.Person)); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutRole implements rights.Store.
func (k *Rights) PutRole(ctx context.Context, r rights.Role) error {
	now := milli(k.store.clock.Now())
	return k.write(ctx, func(c Conn) error {
		if r.Version == 1 {
			n, err := c.Exec(ctx, roleInsert, string(r.Key), asJSON(r.Definition), r.Version, now, now)
			if err == nil && n == 0 {
				return fault.New(fault.Conflict, "rights.role_taken", nil)
			}
			return err
		}
		n, err := c.Exec(ctx, roleUpdate, asJSON(r.Definition), r.Version, now, string(r.Key), r.Version-1)
		if err == nil && n == 0 {
			return fault.New(fault.Stale, "rights.stale", nil)
		}
		return err
	})
}

// DeleteRole implements rights.Store.
func (k *Rights) DeleteRole(ctx context.Context, key access.Role) error {
	return k.write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, roleDelete, string(key)); err != nil {
			return err
		}
		return forgetGrantee(ctx, c, view.Grantee{Kind: view.ByRole, Role: string(key)})
	})
}

func (k *Rights) shares(ctx context.Context, c Conn, q string, args ...any) (out []rights.Share, err error) {
	err = Each(ctx, c, func(rows *sql.Rows) error {
		var s rights.Share
		var kind string
		var key, rec, grantee, until, created, by int64
		if err := rows.Scan(&key, &s.Object, &rec, &kind, &grantee, &s.Writes, &until, &created, &by); err != nil {
			return err
		}
		s.ID, s.Record, s.Grantee, s.CreatedBy, s.Kind = id.ID(key), id.ID(rec), id.ID(grantee), id.ID(by), rights.Kind(kind)
		s.CreatedAt = time.UnixMilli(created).UTC()
		if until != 0 {
			s.Until = time.UnixMilli(until).UTC()
		}
		out = append(out, s)
		return nil
	}, q, args...)
	return out, err
}

// Shares implements rights.Store.
func (k *Rights) Shares(ctx context.Context, object string, rec id.ID) (out []rights.Share, err error) {
	err = k.store.Read(ctx, func(c Conn) (err error) {
		out, err = k.shares(ctx, c, shareList, int64(rec), object)
		return err
	})
	return out, err
}

// SharedWith implements rights.Store.
func (k *Rights) SharedWith(ctx context.Context, to []rights.Grantee, now time.Time) (out []rights.Share, err error) {
	err = k.store.Read(ctx, func(c Conn) error {
		out = nil
		for _, g := range to {
			list, err := k.shares(ctx, c, shareWith, string(g.Kind), int64(g.ID), milli(now))
			if err != nil {
				return err
			}
			out = append(out, list...)
		}
		return nil
	})
	return out, err
}

// PutShare implements rights.Store. What has ended is cleared away on the way.
func (k *Rights) PutShare(ctx context.Context, s rights.Share, most int) error {
	return k.write(ctx, func(c Conn) error {
		if _, err := c.Exec(ctx, shareOver, milli(s.CreatedAt)); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, shareReplace, int64(s.Record), string(s.Kind), int64(s.Grantee)); err != nil {
			return err
		}
		var n int64
		if _, err := c.QueryRow(ctx, []any{&n}, shareCount, string(s.Kind), int64(s.Grantee), milli(s.CreatedAt)); err != nil {
			return err
		}
		if n >= int64(most) {
			return fault.New(fault.Conflict, "rights.too_many_shares", fault.Params{"max": most})
		}
		until := int64(0)
		if !s.Until.IsZero() {
			until = milli(s.Until)
		}
		_, err := c.Exec(ctx, shareInsert, int64(s.ID), s.Object, int64(s.Record), string(s.Kind), int64(s.Grantee), s.Writes, until, milli(s.CreatedAt), int64(s.CreatedBy))
		return err
	})
}

// DeleteShare implements rights.Store.
func (k *Rights) DeleteShare(ctx context.Context, object string, rec, share id.ID) error {
	return k.write(ctx, func(c Conn) error {
		n, err := c.Exec(ctx, shareDelete, int64(share), int64(rec), object)
		if err == nil && n == 0 {
			return fault.New(fault.NotFound, "rights.share_unknown", nil)
		}
		return err
	})
}
