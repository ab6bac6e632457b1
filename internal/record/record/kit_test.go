package record_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

func newKeyring(t testing.TB) *crypt.Keyring {
	t.Helper()
	k, err := crypt.New("main", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// with is another process on the same database.
func (w *world) with(keys *crypt.Keyring) *record.Service {
	return record.New(record.Config{Store: w.store, Registry: func() *schema.Registry { return w.reg }, Keys: keys, Clock: w.clock,
		IDs: id.NewGenerator(w.clock, 2), Zone: func() *time.Location { return shanghai }, Users: people{11: "李雷"}, Auditor: w.audit, RevealsPerHour: 5})
}

// Every scenario that leans on the database runs on both.
func TestOnEveryDatabase(t *testing.T) {
	t.Parallel()
	scenarios := []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"Against model", testAgainstModel},
		{"Timeline", testTimeline},
		{"Create and get", testCreateAndGet},
		{"Update", testUpdate},
		{"Unique keys", testUniqueKeys},
		{"Recycle bin", testRecycleBin},
		{"Auto number and amounts", testAutoNumberAndAmounts},
		{"Subject moves", testSubjectMoves},
		{"Batch", testBatch},
		{"Bulk", testBulk},
		{"Revert and purge", testRevertAndPurge},
		{"Pages", testPages},
		{"Conditions on personal values", testConditionsOnPersonalValues},
		{"Lookup", testLookup},
		{"Search", testSearch},
		{"History", testHistory},
		{"Once", testOnce},
		{"Slow lists", testSlowLists},
		{"Rollups under writes", testRollupsUnderWrites},
		{"Merge", testMerge},
		{"Merge choices", testMergeChoices},
		{"Unmerge", testUnmerge},
		{"Search typo", testSearchTypo},
	}
	for name, open := range map[string]func(testing.TB) *world{"sqlite": newWorld, "postgres": newPostgresWorld} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, sc := range scenarios {
				t.Run(sc.name, func(t *testing.T) {
					t.Parallel()
					sc.run(t, open(t))
				})
			}
		})
	}
}
