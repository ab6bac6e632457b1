package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// configKey is the setting under which the configuration of before lies while a change of many parts of it goes on.
const configKey = "config.before"

// configLease is the setting that says until when somebody works on such a change.
const configLease = "config.lease"

// configTable is a table that holds configuration.
type configTable struct {
	name   string
	key    []string
	own    string // column that rises with each change by a person; "" where rows are compared whole
	within string // SQL that picks the rows that count
}

// configTables are in the order in which rows are put back.
func configTables() []configTable {
	return []configTable{
		{name: "meta_object", key: []string{"key"}, own: "version"},
		{name: "meta_field", key: []string{"object", "key"}, own: "version"},
		{name: "org_unit", key: []string{"id"}, own: "version"},
		{name: "access_role", key: []string{"key"}, own: "version"},
		{name: "segment", key: []string{"key"}, own: "version"},
		{name: "segment_static_member", key: []string{"segment_key", "customer_id"}},
		{name: "classification", key: []string{"key"}, own: "version"},
		{name: "view_saved", key: []string{"id"}, own: "version", within: "id IN (SELECT view FROM view_share WHERE who = 'everyone')"},
		{name: "view_share", key: []string{"view", "who"}, within: "who = 'everyone'"},
		{name: "view_usual", key: []string{"object", "who"}, within: "who = 'everyone'"},
		{name: "stage_process", key: []string{"object", "version"}},
		{name: "approval_process", key: []string{"id", "version"}},
		{name: "automation", key: []string{"id"}, own: "version"},
		{name: "automation_revision", key: []string{"automation", "revision"}},
		{name: "action_play", key: []string{"key"}, own: "version"},
	}
}

// configPart is what one table held.
type configPart struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

// configKept is the configuration of before.
type configKept struct {
	Token    string                `json:"token"`
	Tables   map[string]configPart `json:"tables"`
	Settings map[string]string     `json:"settings"`
}

func (t *configTable) read(ctx context.Context, c Conn) (p configPart, err error) {
	q := "SELECT * FROM " + t.name
	if t.within != "" {
		q += " WHERE " + t.within
	}
	rows, err := c.Query(ctx, q+" ORDER BY "+strings.Join(t.key, ", "))
	if err != nil {
		return p, err
	}
	defer rows.Close()
	if p.Columns, err = rows.Columns(); err != nil {
		return p, err
	}
	for rows.Next() {
		row, to := make([]any, len(p.Columns)), make([]any, len(p.Columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return p, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = string(b)
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return p, rows.Err()
}

// at is where a column stands, -1 for none.
func (p *configPart) at(column string) int {
	for i, c := range p.Columns {
		if c == column {
			return i
		}
	}
	return -1
}

func (p *configPart) keyOf(t *configTable, row []any) string {
	parts := make([]string, len(t.key))
	for i, k := range t.key {
		parts[i] = fmt.Sprint(row[p.at(k)])
	}
	return strings.Join(parts, "\x00")
}

// KeepConfig keeps the configuration as it is, with some settings, so that RestoreConfig can put it back: a change of many parts that
// ends in the middle leaves nothing of itself. Whoever keeps it has until an instant. Conflict blueprint.busy while somebody else
// keeps it.
func (s *Store) KeepConfig(ctx context.Context, token string, until time.Time, settings ...string) error {
	return s.Write(ctx, func(c Conn) error {
		if _, found, err := keptConfig(ctx, c); err != nil || found {
			if err == nil {
				err = fault.New(fault.Conflict, "blueprint.busy", nil)
			}
			return err
		}
		k := configKept{Token: token, Tables: map[string]configPart{}, Settings: map[string]string{}}
		for _, t := range configTables() {
			p, err := t.read(ctx, c)
			if err != nil {
				return err
			}
			k.Tables[t.name] = p
		}
		for _, key := range settings {
			var text string
			found, err := c.QueryRow(ctx, []any{&text}, settingRead, key)
			if err != nil {
				return err
			}
			if !found {
				text = ""
			}
			k.Settings[key] = text
		}
		raw, err := json.Marshal(k)
		if err != nil {
			return fmt.Errorf("keep the configuration: %w", err)
		}
		n, err := c.Exec(ctx, "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", configKey, string(raw))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "blueprint.busy", nil)
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, settingWrite, configLease, strconv.FormatInt(milli(until), 10))
		return err
	})
}

// ExtendConfig gives whoever keeps the configuration more time.
func (s *Store) ExtendConfig(ctx context.Context, token string, until time.Time) error {
	return s.Write(ctx, func(c Conn) error {
		k, found, err := keptConfig(ctx, c)
		if err != nil || !found || k.Token != token {
			return err
		}
		_, err = c.Exec(ctx, settingWrite, configLease, strconv.FormatInt(milli(until), 10))
		return err
	})
}

func keptConfig(ctx context.Context, c Conn) (k configKept, found bool, err error) {
	var text string
	found, err = c.QueryRow(ctx, []any{&text}, settingRead+c.Dialect().ForUpdate(), configKey)
	if err != nil || !found {
		return k, false, err
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&k); err != nil {
		return k, true, fmt.Errorf("the configuration that was kept: %w", err)
	}
	for _, p := range k.Tables {
		for _, row := range p.Rows {
			for i, v := range row {
				if n, ok := v.(json.Number); ok {
					if row[i], err = n.Int64(); err != nil {
						return k, true, err
					}
				}
			}
		}
	}
	return k, true, nil
}

const settingDrop = "DELETE FROM setting WHERE key = ?"

// DropConfig ends a change that came to its end. Conflict blueprint.taken_back when its time was over and the configuration of before
// was put back meanwhile.
func (s *Store) DropConfig(ctx context.Context, token string) error {
	return s.Write(ctx, func(c Conn) error {
		k, found, err := keptConfig(ctx, c)
		if err != nil {
			return err
		}
		if !found || k.Token != token {
			return fault.New(fault.Conflict, "blueprint.taken_back", nil)
		}
		_, err = c.Exec(ctx, settingDrop, configKey)
		return err
	})
}

// RestoreConfig puts the configuration back that was kept, in one transaction: with a token that of one change, without one that of a
// change whose time was over at an instant. done is false when there was nothing to put back. Tables and columns that the change made
// stay: nothing asks for them.
func (s *Store) RestoreConfig(ctx context.Context, token string, over time.Time) (done bool, err error) {
	err = s.Write(ctx, func(c Conn) error {
		done = false
		k, found, err := keptConfig(ctx, c)
		if err != nil || !found || token != "" && k.Token != token {
			return err
		}
		var lease string
		if held, err := c.QueryRow(ctx, []any{&lease}, settingRead, configLease); err != nil {
			return err
		} else if until, bad := strconv.ParseInt(lease, 10, 64); token == "" && held && bad == nil && until > milli(over) {
			return nil
		}
		for _, t := range configTables() {
			was, kept := k.Tables[t.name]
			if !kept { // an older version kept it, which did not change this table either
				continue
			}
			if err := t.restore(ctx, c, was); err != nil {
				return fmt.Errorf("put back %s: %w", t.name, err)
			}
		}
		for key, text := range k.Settings {
			q, args := settingWrite, []any{key, text}
			if text == "" {
				q, args = settingDrop, []any{key}
			}
			if _, err := c.Exec(ctx, q, args...); err != nil {
				return err
			}
		}
		for _, q := range []string{
			"DELETE FROM stage_stay WHERE NOT EXISTS (SELECT 1 FROM stage_process p WHERE p.object = stage_stay.object AND p.version = stage_stay.version)",
			approvalRaise, "UPDATE rights_state SET version = version + 1 WHERE one = 1",
		} {
			if _, err := c.Exec(ctx, q); err != nil {
				return err
			}
		}
		done = true
		_, err = c.Exec(ctx, settingDrop, configKey)
		return err
	})
	return done, err
}

// restore makes a table what it was: rows that are others go first, so that nothing is taken that those of before need.
func (t *configTable) restore(ctx context.Context, c Conn, was configPart) error {
	now, err := t.read(ctx, c)
	if err != nil {
		return err
	}
	before := map[string][]any{}
	for _, row := range was.Rows {
		before[was.keyOf(t, row)] = row
	}
	where := strings.Join(t.key, " = ? AND ") + " = ?"
	for _, row := range now.Rows {
		key := now.keyOf(t, row)
		if old, ok := before[key]; ok && t.same(&was, old, &now, row) {
			delete(before, key)
			continue
		}
		args := make([]any, len(t.key))
		for i, k := range t.key {
			args[i] = row[now.at(k)]
		}
		if _, err := c.Exec(ctx, "DELETE FROM "+t.name+" WHERE "+where, args...); err != nil {
			return err
		}
	}
	insert := "INSERT INTO " + t.name + " (" + strings.Join(was.Columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", max(0, len(was.Columns)-1)) + ")"
	for _, row := range was.Rows {
		if _, gone := before[was.keyOf(t, row)]; !gone {
			continue
		}
		if _, err := c.Exec(ctx, insert, row...); err != nil {
			return err
		}
	}
	return nil
}

// same reports a row that nobody changed.
func (t *configTable) same(was *configPart, old []any, now *configPart, row []any) bool {
	if t.own != "" {
		return reflect.DeepEqual(old[was.at(t.own)], row[now.at(t.own)])
	}
	return reflect.DeepEqual(old, row)
}
