package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/record/reshape"
)

var _ reshape.Questions = (*Reshape)(nil)

const (
	questionRead = "SELECT asked, slow, times FROM slow_question WHERE object = ? AND fields = ? AND sort = ?"
	questionPut  = "INSERT INTO slow_question (object, fields, sort, asked, slow, times, last_at) VALUES (?, ?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT (object, fields, sort) DO UPDATE SET asked = excluded.asked, slow = excluded.slow, times = excluded.times, last_at = excluded.last_at"
	questionList = "SELECT fields, sort, asked, slow, times, last_at FROM slow_question WHERE object = ? AND slow > 0 ORDER BY slow DESC, last_at DESC LIMIT ?"
)

// AddQuestions implements reshape.Questions.
func (s *Reshape) AddQuestions(ctx context.Context, list []reshape.Question) error {
	return s.store.Write(Bulk(ctx), func(c Conn) error {
		for _, q := range list {
			fields := strings.Join(q.Fields, ",")
			var asked, slow int64
			var text string
			found, err := c.QueryRow(ctx, []any{&asked, &slow, &text}, questionRead+c.Dialect().ForUpdate(), q.Object, fields, q.Sort)
			if err != nil {
				return err
			}
			var before []int64
			if found && json.Unmarshal([]byte(text), &before) == nil {
				for i := range min(len(before), len(q.Times)) {
					q.Times[i] += before[i]
				}
			}
			times, err := json.Marshal(q.Times)
			if err != nil {
				return err
			}
			if _, err := c.Exec(ctx, questionPut, q.Object, fields, q.Sort, asked+q.Asked, slow+q.Slow, string(times), q.LastAt.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Questions implements reshape.Questions.
func (s *Reshape) Questions(ctx context.Context, object string, limit int) (out []reshape.Question, err error) {
	err = s.store.Read(ctx, func(c Conn) error {
		out = nil
		return Each(ctx, c, func(r *sql.Rows) error {
			q := reshape.Question{Object: object}
			var fields, times string
			var last int64
			if err := r.Scan(&fields, &q.Sort, &q.Asked, &q.Slow, &times, &last); err != nil {
				return err
			}
			if fields != "" {
				q.Fields = strings.Split(fields, ",")
			}
			q.LastAt = time.UnixMilli(last).UTC()
			err := json.Unmarshal([]byte(times), &q.Times)
			out = append(out, q)
			return err
		}, questionList, object, int64(limit))
	})
	return out, err
}
