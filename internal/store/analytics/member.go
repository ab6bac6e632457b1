package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Source of members: a query of one workspace, compiled from a condition, with "?" parameters.
type Select struct {
	SQL  string
	Args []any
}

// Who says which customers a replacement is about.
type Who uint8

// Everyone, or the customers of the last small pass of the traits (trait_now).
const (
	Everyone Who = iota
	Touched
)

func (w Who) and(column string) string {
	if w == Touched {
		return " AND " + column + " IN (SELECT customer_id FROM trait_now)"
	}
	return ""
}

// Move is one customer's change of class; Was is "" for the first class, Class is "" for one who left all classes.
type Move struct {
	Customer   id.ID
	Was, Class string
}

const (
	clearClassNext = `DELETE FROM class_next`
	clearClassMove = `DELETE FROM class_move`
	fillClassNext  = `INSERT INTO class_next (customer_id, class_key) SELECT q.customer_id, q.class_key FROM (`
	// Parameters: the classification.
	findClassMoves = `INSERT INTO class_move (customer_id, was_key, class_key)
SELECT n.customer_id, m.class_key, n.class_key FROM class_next n
LEFT JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?) m ON m.customer_id = n.customer_id
WHERE m.class_key IS NULL OR m.class_key <> n.class_key`
	findClassLeavers = `INSERT INTO class_move (customer_id, was_key, class_key)
SELECT m.customer_id, m.class_key, NULL FROM class_member m LEFT JOIN class_next n ON n.customer_id = m.customer_id
WHERE m.classification = ? AND n.customer_id IS NULL`
	dropMovedClass = `DELETE FROM class_member WHERE classification = ? AND customer_id IN (SELECT customer_id FROM class_move)`
	addMovedClass  = `INSERT INTO class_member (classification, customer_id, class_key, since_at)
SELECT CAST(? AS TEXT), customer_id, class_key, CAST(? AS BIGINT) FROM class_move WHERE class_key IS NOT NULL`
	dropMovedRows  = `DELETE FROM t_class WHERE customer_id IN (SELECT customer_id FROM class_move)`
	readClassMoves = `SELECT customer_id, was_key, class_key FROM class_move`
	countClasses   = `SELECT class_key, count(*) FROM class_member WHERE classification = ? GROUP BY class_key`
	readClasses    = `SELECT classification, class_key, since_at FROM class_member WHERE customer_id = ?`
	dropClass      = `DELETE FROM class_member WHERE classification = ?`
	countMembers   = `SELECT count(*) FROM class_member WHERE classification = ?`

	clearSegmentNext = `DELETE FROM segment_next`
	clearSegmentMove = `DELETE FROM segment_move`
	fillSegmentNext  = `INSERT INTO segment_next (customer_id) SELECT DISTINCT q.customer_id FROM (`
	findEntered      = `INSERT INTO segment_move (customer_id, entered)
SELECT n.customer_id, TRUE FROM segment_next n
LEFT JOIN (SELECT customer_id FROM segment_member WHERE segment_key = ?) m ON m.customer_id = n.customer_id
WHERE m.customer_id IS NULL`
	findLeft = `INSERT INTO segment_move (customer_id, entered)
SELECT m.customer_id, FALSE FROM segment_member m LEFT JOIN segment_next n ON n.customer_id = m.customer_id
WHERE m.segment_key = ? AND n.customer_id IS NULL`
	dropLeft   = `DELETE FROM segment_member WHERE segment_key = ? AND customer_id IN (SELECT customer_id FROM segment_move WHERE NOT entered)`
	addEntered = `INSERT INTO segment_member (segment_key, customer_id, since_at)
SELECT CAST(? AS TEXT), customer_id, CAST(? AS BIGINT) FROM segment_move WHERE entered`
	readSegmentMoves = `SELECT customer_id, entered FROM segment_move`
	countSegment     = `SELECT count(*) FROM segment_member WHERE segment_key = ?`
	dropSegment      = `DELETE FROM segment_member WHERE segment_key = ?`
)

func memberTexts() []Text {
	return []Text{
		{"clear class next", clearClassNext}, {"clear class move", clearClassMove}, {"find class moves", findClassMoves},
		{"find class leavers", findClassLeavers}, {"find touched class leavers", findClassLeavers + Touched.and("m.customer_id")},
		{"drop moved class", dropMovedClass}, {"add moved class", addMovedClass}, {"drop moved rows", dropMovedRows},
		{"add moved rows", pivotText(classColumns())}, {"read class moves", readClassMoves}, {"count classes", countClasses},
		{"read classes", readClasses}, {"drop class", dropClass}, {"count members", countMembers},
		{"clear segment next", clearSegmentNext}, {"clear segment move", clearSegmentMove}, {"find entered", findEntered},
		{"find left", findLeft}, {"find touched left", findLeft + Touched.and("m.customer_id")}, {"drop left", dropLeft},
		{"add entered", addEntered}, {"read segment moves", readSegmentMoves}, {"count segment", countSegment}, {"drop segment", dropSegment},
	}
}

// pivotText writes t_class anew for the customers that moved, one column for each classification.
func pivotText(columns []string) string {
	var b strings.Builder
	b.WriteString("INSERT INTO t_class (customer_id, " + quoteAll(columns, "") + ", computed_at) SELECT customer_id")
	for _, c := range columns {
		b.WriteString(", max(CASE WHEN classification = '" + strings.TrimPrefix(c, customClass) + "' THEN class_key END)")
	}
	b.WriteString(", CAST(? AS BIGINT) FROM class_member WHERE customer_id IN (SELECT customer_id FROM class_move) GROUP BY customer_id")
	return b.String()
}

// customClass begins the column of a classification that is not one of the standard ones.
const customClass = "c_"

// ClassColumn is the column of t_class that holds a classification.
func ClassColumn(classification string) string {
	if slices.Contains(classColumns(), classification) {
		return classification
	}
	return customClass + classification
}

// maxClasses is how many classifications fit into the family.
const maxClasses = 28

// ensureClass adds the column of a classification and renews the wide view.
func (s *Store) ensureClass(ctx context.Context, tx Tx, classification string) ([]string, error) {
	name := ClassColumn(classification)
	if slices.Contains(s.classes, name) {
		return s.classes, nil
	}
	if !plainKey(classification) || len(s.classes) >= maxClasses {
		return nil, fault.New(fault.Invalid, "analytics.too_many_classifications", fault.Params{"max": maxClasses})
	}
	d := s.db.Dialect()
	classes := append(slices.Clone(s.classes), name)
	v := traitsView(classes)
	err := run(ctx, tx,
		exec{"DROP VIEW IF EXISTS " + Quote(v.name), nil},
		exec{"ALTER TABLE t_class ADD COLUMN " + Quote(name) + " " + d.ColumnType(schema.String), nil},
		exec{"CREATE VIEW " + Quote(v.name) + " AS " + v.text, nil},
		exec{dropState, []any{"views"}})
	return classes, err
}

// ReplaceClasses makes the result of a query (columns customer_id and class_key, a customer at most once) the members of a
// classification, for everyone or for the touched customers, whose rows alone the query must then give. Each difference is
// handed to fn inside the transaction: its failure leaves everything as it was. Customers who stay keep their since; the
// members of the very first pass have none, since they may have been what they are for long.
func (s *Store) ReplaceClasses(ctx context.Context, classification string, q Select, who Who, at time.Time, fn func(Move) error) (moved int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	classes := s.classes
	err = s.db.Write(ctx, func(tx Tx) error {
		if classes, err = s.ensureClass(ctx, tx, classification); err != nil {
			return err
		}
		since, before := at.UnixMilli(), int64(0)
		if _, err := one(ctx, tx, countMembers, []any{classification}, &before); err != nil {
			return err
		}
		if before == 0 {
			since = 0
		}
		err := run(ctx, tx, exec{clearClassNext, nil}, exec{clearClassMove, nil},
			exec{fillClassNext + q.SQL + ") q", q.Args},
			exec{findClassMoves, []any{classification}},
			exec{findClassLeavers + who.and("m.customer_id"), []any{classification}})
		if err != nil {
			return err
		}
		err = each(ctx, tx, readClassMoves, nil, func(r *sql.Rows) error {
			var c int64
			var was, is sql.NullString
			if err := r.Scan(&c, &was, &is); err != nil {
				return err
			}
			moved++
			return fn(Move{Customer: id.ID(c), Was: was.String, Class: is.String})
		})
		if err != nil {
			return err
		}
		return run(ctx, tx, exec{dropMovedClass, []any{classification}},
			exec{addMovedClass, []any{classification, since}},
			exec{dropMovedRows, nil}, exec{pivotText(classes), []any{at.UnixMilli()}},
			exec{clearClassNext, nil})
	})
	if err != nil {
		return 0, fmt.Errorf("replace classes of %s: %w", classification, err)
	}
	s.classes = classes
	return moved, nil
}

// DropClasses forgets a classification's members.
func (s *Store) DropClasses(ctx context.Context, classification string) error {
	_, err := s.ReplaceClasses(ctx, classification, Select{SQL: "SELECT CAST(0 AS BIGINT) AS customer_id, '' AS class_key WHERE FALSE"},
		Everyone, time.UnixMilli(0), func(Move) error { return nil })
	return err
}

// ClassCounts are the sizes of the classes of a classification; empty ones are absent.
func (s *Store) ClassCounts(ctx context.Context, classification string) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, s.db, countClasses, []any{classification}, func(r *sql.Rows) error {
		var k string
		var n int64
		if err := r.Scan(&k, &n); err != nil {
			return err
		}
		out[k] = n
		return nil
	})
	return out, err
}

// Class is a customer's present class of one classification.
type Class struct {
	Key   string
	Since time.Time // zero when not known
}

// Classes are a customer's present classes by classification.
func (s *Store) Classes(ctx context.Context, customer id.ID) (map[string]Class, error) {
	out := map[string]Class{}
	err := each(ctx, s.db, readClasses, []any{int64(customer)}, func(r *sql.Rows) error {
		var name, key string
		var since int64
		if err := r.Scan(&name, &key, &since); err != nil {
			return err
		}
		c := Class{Key: key}
		if since > 0 {
			c.Since = time.UnixMilli(since).UTC()
		}
		out[name] = c
		return nil
	})
	return out, err
}

// Passage is one customer's entering or leaving of a segment.
type Passage struct {
	Customer id.ID
	Entered  bool
}

// ReplaceMembers makes the result of a query (column customer_id) the members of a segment, for everyone or for the touched
// customers, whose rows alone the query must then give. Each difference is handed to fn inside the transaction.
func (s *Store) ReplaceMembers(ctx context.Context, segment string, q Select, who Who, at time.Time, fn func(Passage) error) (size, entered, left int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Write(ctx, func(tx Tx) error {
		err := run(ctx, tx, exec{clearSegmentNext, nil}, exec{clearSegmentMove, nil},
			exec{fillSegmentNext + q.SQL + ") q", q.Args},
			exec{findEntered, []any{segment}}, exec{findLeft + who.and("m.customer_id"), []any{segment}})
		if err != nil {
			return err
		}
		err = each(ctx, tx, readSegmentMoves, nil, func(r *sql.Rows) error {
			var c int64
			var in bool
			if err := r.Scan(&c, &in); err != nil {
				return err
			}
			if in {
				entered++
			} else {
				left++
			}
			return fn(Passage{Customer: id.ID(c), Entered: in})
		})
		if err != nil {
			return err
		}
		err = run(ctx, tx, exec{dropLeft, []any{segment}}, exec{addEntered, []any{segment, at.UnixMilli()}}, exec{clearSegmentNext, nil})
		if err != nil {
			return err
		}
		_, err = one(ctx, tx, countSegment, []any{segment}, &size)
		return err
	})
	if err != nil {
		return 0, 0, 0, fmt.Errorf("replace members of %s: %w", segment, err)
	}
	return size, entered, left, nil
}

// DropMembers forgets a segment's members.
func (s *Store) DropMembers(ctx context.Context, segment string) error {
	return s.db.Write(ctx, func(tx Tx) error { return run(ctx, tx, exec{dropSegment, []any{segment}}) })
}
