package dialect_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/store/dialect"
)

func TestRebind(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"SELECT 1":                           "SELECT 1",
		"a = ? AND b IN (?, ?)":              "a = $1 AND b IN ($2, $3)",
		"a = '?' AND b = ?":                  "a = '?' AND b = $1",
		"a = 'it''s ?' AND b = ? AND c = ''": "a = 'it''s ?' AND b = $1 AND c = ''",
		`"a?" = ? AND "b""?" = ?`:            `"a?" = $1 AND "b""?" = $2`,
	} {
		if got := (dialect.Postgres{}).Rebind(in); got != want {
			t.Errorf("%s became %s", in, got)
		}
		if got := (dialect.SQLite{}).Rebind(in); got != in {
			t.Errorf("SQLite: %s became %s", in, got)
		}
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	mine := fault.New(fault.Stale, "record.stale", nil)
	if got := dialect.Fault(dialect.Other, mine); got != error(mine) {
		t.Errorf("a fault became %v", got)
	}
	if got := dialect.Fault(dialect.Other, context.Canceled); !errors.Is(got, context.Canceled) || fault.CodeOf(got) != "" {
		t.Errorf("a cancelled context became %v", got)
	}
	if dialect.Fault(dialect.Busy, nil) != nil {
		t.Error("no error became one")
	}
	for class, want := range map[dialect.Class]struct {
		kind fault.Kind
		code string
	}{
		dialect.Unique: {fault.Conflict, "store.duplicate"}, dialect.DiskFull: {fault.Unavailable, "store.disk_full"},
		dialect.Busy: {fault.Unavailable, "store.busy"}, dialect.Contention: {fault.Unavailable, "store.contention"},
		dialect.Closed: {fault.Unavailable, "store.closed"}, dialect.Refused: {fault.Unavailable, "store.unreachable"},
		dialect.Other: {fault.Internal, "store.failed"},
	} {
		got := dialect.Fault(class, io.ErrUnexpectedEOF)
		if fault.KindOf(got) != want.kind || fault.CodeOf(got) != want.code || !errors.Is(got, io.ErrUnexpectedEOF) {
			t.Errorf("class %d became %v", class, got)
		}
	}
}

func TestSearchQuery(t *testing.T) {
	t.Parallel()
	objects, tokens := []string{"customer", "order_line"}, []string{"张三", "a'b*", `q"`}
	if got, want := (dialect.SQLite{}).SearchQuery(objects, tokens), `"张三" AND "a_27b"* AND "q_22" AND ("_ocustomer" OR "_oorder_5fline")`; got != want {
		t.Errorf("SQLite: %s", got)
	}
	if got, want := (dialect.Postgres{}).SearchQuery(objects, tokens), "'张三' & 'a''b':* & 'q\"' & ('\x01customer' | '\x01order_line')"; got != want {
		t.Errorf("PostgreSQL: %q", got)
	}
}
