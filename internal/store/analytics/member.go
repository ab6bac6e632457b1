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

// Move is one customer's change from one class to another; Class is "" for one who left all classes.
type Move struct {
	Customer   id.ID
	Was, Class string
}

const (
	clearClassMove = `DELETE FROM class_move`
	// {query} gives the classes as they are to be. Parameters: those of the query, the classification, and the one customer
	// where the scope is one.
	findClassMoves = `INSERT INTO class_move (customer_id, was_key, class_key)
SELECT COALESCE(n.customer_id, m.customer_id), m.class_key, n.class_key FROM ({query}) n
FULL JOIN (SELECT customer_id, class_key FROM class_member WHERE classification = ?{who}) m ON m.customer_id = n.customer_id
WHERE m.class_key IS DISTINCT FROM n.class_key`
	dropMovedClass = `DELETE FROM class_member WHERE classification = ? AND customer_id IN (SELECT customer_id FROM class_move)`
	addMovedClass  = `INSERT INTO class_member (classification, customer_id, class_key, since_at)
SELECT CAST(? AS TEXT), customer_id, class_key, CAST(? AS BIGINT) FROM class_move WHERE class_key IS NOT NULL`
	dropMovedRows = `DELETE FROM t_class WHERE customer_id IN (SELECT customer_id FROM class_move)`
	// A first class is no move: nobody is told of it, and the first pass over everyone passes no row through the program.
	readClassMoves = `SELECT customer_id, was_key, class_key FROM class_move WHERE was_key IS NOT NULL`
	countClasses   = `SELECT class_key, count(*) FROM class_member WHERE classification = ? GROUP BY class_key`
	readClasses    = `SELECT classification, class_key, since_at FROM class_member WHERE customer_id = ?`
	dropClass      = `DELETE FROM class_member WHERE classification = ?`
	anyMember      = `SELECT customer_id FROM class_member WHERE classification = ? LIMIT 1`

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
	// Of those who are customers no more nobody is told.
	readSegmentMoves  = `SELECT m.customer_id, m.entered FROM segment_move m JOIN a_customer c ON c.id = m.customer_id`
	readMembersNow    = `SELECT segment_key, customer_id FROM segment_member WHERE customer_id IN (SELECT customer_id FROM trait_now)`
	countSegmentMoves = `SELECT count(*) FILTER (WHERE entered), count(*) FILTER (WHERE NOT entered) FROM segment_move`
	countSegment      = `SELECT count(*) FROM segment_member WHERE segment_key = ?`
	dropSegment       = `DELETE FROM segment_member WHERE segment_key = ?`
)

func memberTexts() []Text {
	return append(lifecycleTexts(), []Text{
		{"clear class move", clearClassMove}, {"find class moves", classMovesText(allCustomers, "")},
		{"find touched class moves", classMovesText(allCustomers, Touched.and("customer_id"))}, {"find one's class moves", classMovesText(allCustomers, andOne)},
		{"drop moved class", dropMovedClass}, {"add moved class", addMovedClass}, {"drop moved rows", dropMovedRows},
		{"add moved rows", pivotText(classColumns())}, {"read class moves", readClassMoves}, {"count classes", countClasses},
		{"read classes", readClasses}, {"drop class", dropClass}, {"any member", anyMember},
		{"clear segment next", clearSegmentNext}, {"clear segment move", clearSegmentMove}, {"find entered", findEntered},
		{"find left", findLeft}, {"drop left", dropLeft}, {"read members now", readMembersNow},
		{"add entered", addEntered}, {"read segment moves", readSegmentMoves}, {"count segment moves", countSegmentMoves}, {"count segment", countSegment}, {"drop segment", dropSegment},
	}...)
}

// allCustomers stands for a query of classes where a text is shown.
const allCustomers = "SELECT t.id AS customer_id, CAST('' AS TEXT) AS class_key FROM a_customer t"

const andOne = " AND customer_id = ?"

func classMovesText(query, who string) string {
	return strings.NewReplacer("{query}", query, "{who}", who).Replace(findClassMoves)
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

// whoText is the condition on an id that names the customers of a scope, one at a time where they are few.
func whoText(scope string) string {
	if scope == scopeOne {
		return " = ?"
	}
	return " IN (SELECT customer_id FROM trait_now)"
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

// ensureClass adds the column of a classification to those there are, and renews the wide view.
func (s *Store) ensureClass(ctx context.Context, tx Tx, have []string, classification string) ([]string, error) {
	name := ClassColumn(classification)
	if slices.Contains(have, name) {
		return have, nil
	}
	if !plainKey(classification) || len(have) >= maxClasses {
		return nil, fault.New(fault.Invalid, "analytics.too_many_classifications", fault.Params{"max": maxClasses})
	}
	if err := run(ctx, tx, exec{"DROP VIEW IF EXISTS customer_traits", nil}); err != nil {
		return nil, err
	}
	classes, err := addClass(ctx, tx, s.db.Dialect(), have, classification)
	if err != nil {
		return nil, err
	}
	v := traitsView(classes, s.madeComputed())
	return classes, run(ctx, tx, exec{"CREATE VIEW " + Quote(v.name) + " AS " + v.text, nil}, exec{dropState, []any{"views"}})
}

// addClass adds the column of a classification to those there are; the wide view does not show it yet.
func addClass(ctx context.Context, tx Tx, d Dialect, have []string, classification string) ([]string, error) {
	name := ClassColumn(classification)
	if slices.Contains(have, name) {
		return have, nil
	}
	if !plainKey(classification) || len(have) >= maxClasses {
		return nil, fault.New(fault.Invalid, "analytics.too_many_classifications", fault.Params{"max": maxClasses})
	}
	return append(slices.Clone(have), name), run(ctx, tx, exec{"ALTER TABLE " + FamilyClass + " ADD COLUMN " + Quote(name) + " " + d.ColumnType(schema.String), nil})
}

// MakeClasses makes the columns of classifications that are not there yet, now and whenever the plane is made anew. Those that do not fit
// are left out: their own pass says so.
func (s *Store) MakeClasses(ctx context.Context, keys []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	classes := s.classes
	s.classed = nil
	for _, k := range keys {
		if plainKey(k) && len(s.classed) < maxClasses {
			s.classed = append(s.classed, k)
		}
	}
	if !slices.ContainsFunc(s.classed, func(k string) bool { return !slices.Contains(classes, ClassColumn(k)) }) {
		return nil
	}
	err := s.db.Write(ctx, func(tx Tx) (err error) {
		classes = s.classes
		for _, k := range s.classed {
			if len(classes) >= maxClasses {
				break
			}
			if classes, err = s.ensureClass(ctx, tx, classes, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make classes: %w", err)
	}
	s.classes = classes
	return nil
}

// ReplaceClasses makes the result of a query (columns customer_id and class_key, a customer at most once) the members of a
// classification, for everyone or for the touched customers, whose rows alone the query must then give. Each move is handed to
// fn inside the transaction: its failure leaves everything as it was. A first class is no move. Customers who stay keep their
// since; the members of the very first pass have none, since they may have been what they are for long.
func (s *Store) ReplaceClasses(ctx context.Context, classification string, q Select, who Who, at time.Time, fn func(Move) error) (moved int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	classes := s.classes
	err = s.db.Write(ctx, func(tx Tx) error {
		c := replacement{classification: classification, at: at, parts: []part{{query: q, who: who.and("customer_id")}}}
		classes, err = s.replaceClasses(ctx, tx, s.classes, c, func(m Move) error {
			moved++
			return fn(m)
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replace classes of %s: %w", classification, err)
	}
	s.classes = classes
	return moved, nil
}

// replacement is what one classification is to become.
type replacement struct {
	classification string
	at             time.Time
	parts          []part
}

// part is the query of the customers of whom a replacement speaks, or of some of them.
type part struct {
	query Select
	who   string // the condition on customer_id that says of whom
	args  []any  // its parameters
}

// replaceClasses does the work of ReplaceClasses in a transaction; it answers the columns of t_class.
func (s *Store) replaceClasses(ctx context.Context, tx Tx, classes []string, c replacement, fn func(Move) error) ([]string, error) {
	classes, err := s.ensureClass(ctx, tx, classes, c.classification)
	if err != nil {
		return nil, err
	}
	since, first := int64(0), int64(0)
	if known, err := one(ctx, tx, anyMember, []any{c.classification}, &first); err != nil {
		return nil, err
	} else if known {
		since = c.at.UnixMilli()
	}
	if _, err := tx.Exec(ctx, clearClassMove); err != nil {
		return nil, err
	}
	found := int64(0)
	for _, p := range c.parts {
		args := append(append(slices.Clone(p.query.Args), c.classification), p.args...)
		n, err := tx.Exec(ctx, classMovesText(p.query.SQL, p.who), args...)
		if err != nil {
			return nil, err
		}
		found += n
	}
	if found == 0 {
		return classes, nil
	}
	err = each(ctx, tx, readClassMoves, nil, func(r *sql.Rows) error {
		var customer int64
		var was string
		var is sql.NullString
		if err := r.Scan(&customer, &was, &is); err != nil {
			return err
		}
		return fn(Move{Customer: id.ID(customer), Was: was, Class: is.String})
	})
	if err == nil {
		err = logMoves(ctx, tx, c.classification)
	}
	if err != nil {
		return nil, err
	}
	return classes, run(ctx, tx, exec{dropMovedClass, []any{c.classification}}, exec{addMovedClass, []any{c.classification, since}},
		exec{dropMovedRows, nil}, exec{pivotText(classes), []any{c.at.UnixMilli()}})
}

// replaceTouched replaces classifications one after the other for the touched customers, in one transaction. queries makes the
// query of each for those whose id fulfils a condition; last is called when all differences were handed to fn and before the transaction ends.
func (s *Store) replaceTouched(ctx context.Context, keys []string, at time.Time, queries func(i int, who string, args []any) (Select, error),
	fn func(i int, m Move), last func() error,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	classes := s.classes
	err := s.db.Write(ctx, func(tx Tx) error {
		who, err := takenUp(ctx, tx)
		if err != nil {
			return err
		}
		for i, key := range keys {
			c := replacement{classification: key, at: at}
			for _, one := range who.each(whoText(who.scope)) {
				q, err := queries(i, one.text, one.args)
				if err != nil {
					return err
				}
				c.parts = append(c.parts, part{q, " AND customer_id" + one.text, one.args})
			}
			classes, err = s.replaceClasses(ctx, tx, classes, c, func(m Move) error {
				fn(i, m)
				return nil
			})
			if err != nil {
				return fmt.Errorf("replace classes of %s: %w", key, err)
			}
		}
		return last()
	})
	if err == nil {
		s.classes = classes
	}
	return err
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

// DropMembers forgets a segment's members, and that it had any.
func (s *Store) DropMembers(ctx context.Context, segment string) error {
	return s.db.Write(ctx, func(tx Tx) error {
		return run(ctx, tx, exec{dropSegment, []any{segment}}, exec{dropState, []any{segmentState(segment)}})
	})
}
