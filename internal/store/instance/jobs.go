package instance

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/platform/job"
)

var _ job.Store = (*Store)(nil)

// Enqueue implements job.Store.
func (s *Store) Enqueue(ctx context.Context, j job.Job) (bool, error) {
	n, err := s.on(ctx).exec(`INSERT INTO job (id, kind, workspace, args, unique_key, state, run_at, attempts, lease_until, last_error, created_at, finished_at)
		VALUES (?, ?, ?, ?, ?, 'queued', ?, 0, 0, '', ?, 0) ON CONFLICT (unique_key) WHERE state IN ('queued', 'running') DO NOTHING`,
		int64(j.ID), j.Kind, j.Workspace, j.Args, j.Unique, ms(j.RunAt), ms(j.CreatedAt))
	return n == 1, err
}

// Claim of a job: the condition stands outside the subquery too, so that of two workers that found the same row on
// PostgreSQL the second updates nothing.
const claimJob = `UPDATE job SET state = 'running', lease_until = ?, attempts = attempts + 1
	WHERE (state = 'queued' AND run_at <= ? OR state = 'running' AND lease_until < ?)
	AND id = (SELECT id FROM job WHERE state = 'queued' AND run_at <= ? OR state = 'running' AND lease_until < ? ORDER BY run_at, id LIMIT 1)
	RETURNING id, kind, workspace, args, unique_key, run_at, attempts, created_at`

// Lease implements job.Store.
func (s *Store) Lease(ctx context.Context, now, until time.Time) (job.Job, bool, error) {
	var j job.Job
	var run, created int64
	n := ms(now)
	err := s.on(ctx).row(claimJob, ms(until), n, n, n, n).Scan(&j.ID, &j.Kind, &j.Workspace, &j.Args, &j.Unique, &run, &j.Attempts, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return j, false, nil
	}
	j.RunAt, j.CreatedAt = at(run), at(created)
	return j, err == nil, err
}

// Renew implements job.Store.
func (s *Store) Renew(ctx context.Context, j job.Job, until time.Time) error {
	_, err := s.on(ctx).exec("UPDATE job SET lease_until = ? WHERE id = ? AND state = 'running' AND attempts = ?", ms(until), int64(j.ID), j.Attempts)
	return err
}

// Finish implements job.Store.
func (s *Store) Finish(ctx context.Context, j job.Job, state, code string, next, now time.Time) error {
	finished := ms(now)
	if state == job.Queued {
		finished = 0
	}
	_, err := s.on(ctx).exec("UPDATE job SET state = ?, last_error = ?, run_at = ?, lease_until = 0, finished_at = ? WHERE id = ? AND attempts = ?",
		state, code, ms(next), finished, int64(j.ID), j.Attempts)
	return err
}

// Return implements job.Store.
func (s *Store) Return(ctx context.Context, j job.Job, now time.Time) error {
	_, err := s.on(ctx).exec("UPDATE job SET state = 'queued', run_at = ?, lease_until = 0, attempts = attempts - 1 WHERE id = ? AND attempts = ? AND state = 'running'",
		ms(now), int64(j.ID), j.Attempts)
	return err
}

// Reclaim implements job.Store.
func (s *Store) Reclaim(ctx context.Context) (int, error) {
	n, err := s.on(ctx).exec("UPDATE job SET state = 'queued', lease_until = 0 WHERE state = 'running'")
	return int(n), err
}

const troubledJobs = `SELECT kind, attempts, last_error, finished_at, run_at, state FROM job j WHERE workspace = ?
	AND (state = 'failed' OR state = 'queued' AND attempts > 0)
	AND NOT EXISTS (SELECT 1 FROM job d WHERE d.workspace = j.workspace AND d.kind = j.kind AND d.state = 'done' AND d.id > j.id)
	ORDER BY id DESC LIMIT ?`

// Troubled implements job.Store.
func (s *Store) Troubled(ctx context.Context, workspace string, limit int) ([]job.Trouble, error) {
	return collect(s.on(ctx), func(scan func(...any) error) (t job.Trouble, err error) {
		var finished, next int64
		var state string
		err = scan(&t.Kind, &t.Attempts, &t.Code, &finished, &next, &state)
		t.Attempts = min(t.Attempts, job.MaxAttempts) // the last one only gave it up
		if t.At, t.GaveUp = at(next), state == job.Failed; t.GaveUp {
			t.At = at(finished)
		}
		return t, err
	}, troubledJobs, workspace, limit)
}

// Pending implements job.Store.
func (s *Store) Pending(ctx context.Context, workspace, kind string) (n int, err error) {
	err = s.on(ctx).row("SELECT count(*) FROM job WHERE workspace = ? AND kind = ? AND state IN ('queued', 'running')", workspace, kind).Scan(&n)
	return n, err
}
