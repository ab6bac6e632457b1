package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/insight/social"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Social implements social.Facts from f_event and the relations of contents, calls and visits.
type Social struct {
	db   DB
	zone func() *time.Location
}

var _ social.Facts = (*Social)(nil)

// NewSocial answers from db.
func NewSocial(db DB, zone func() *time.Location) *Social { return &Social{db, zone} }

// socialDone are what was done with contents, by the id on the platform; %s narrows the events. Of events those count that conditions see.
const socialDone = `SELECT e.content, count(*) FILTER (WHERE e.name = '` + event.ContentViewed + `') AS viewed,
 count(*) FILTER (WHERE e.name = '` + event.ContentLiked + `') AS liked, count(*) FILTER (WHERE e.name = '` + event.ContentCommented + `') AS commented,
 count(*) FILTER (WHERE e.name = '` + event.ContentShared + `') AS shared, count(*) FILTER (WHERE e.name = '` + event.ContentSaved + `') AS saved,
 count(*) FILTER (WHERE e.name = '` + event.LiveWatched + `') AS watched,
 count(DISTINCT CASE WHEN e.name = '` + event.ContentViewed + `' THEN e.customer_id END) AS viewers,
 count(DISTINCT CASE WHEN e.name <> '` + event.ContentViewed + `' THEN e.customer_id END) AS people
FROM f_event e WHERE e.kind = 'track' AND ` + ofPerson + ` AND e.name IN ('` + event.ContentViewed + `', '` + event.ContentLiked + `', '` + event.ContentCommented + `', '` +
	event.ContentShared + `', '` + event.ContentSaved + `', '` + event.LiveWatched + `')%s GROUP BY e.content`

const socialColumns = `SELECT c.id, COALESCE(c.platform, ''), COALESCE(c.kind, ''), COALESCE(c.published_at, 0), COALESCE(c.reach, 0), COALESCE(d.viewers, 0), COALESCE(d.people, 0), COALESCE(d.viewed, 0),
 COALESCE(d.liked, 0), COALESCE(d.commented, 0), COALESCE(d.shared, 0), COALESCE(d.saved, 0), COALESCE(d.watched, 0) FROM a_content c LEFT JOIN (`

// seenBefore is how many days earlier than published a content may have been seen: the clocks of platforms differ.
const seenBefore = 1

// Contents implements social.Facts.
func (s *Social) Contents(ctx context.Context, a social.Ask, limit int) (out []social.Content, err error) {
	var q statement
	q.add(socialColumns+fmt.Sprintf(socialDone, " AND e.day >= "+asInt+" AND e.content <> ''"), int64(a.From)-seenBefore)
	zone := s.zone()
	q.add(") d ON d.content = c.external_id WHERE c.published_at >= "+asInt+" AND c.published_at < "+asInt, a.From.Start(zone).UnixMilli(), (a.To + 1).Start(zone).UnixMilli())
	if a.Platform != "" {
		q.add(" AND c.platform = "+asText, a.Platform)
	}
	if a.Kind != "" {
		q.add(" AND c.kind = "+asText, a.Kind)
	}
	q.add(" ORDER BY c.published_at DESC, c.id DESC LIMIT "+asInt, int64(limit))
	err = each(ctx, s.db, q.text, q.args, func(r *sql.Rows) error {
		c, err := scanContent(r, zone)
		out = append(out, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("figures of contents: %w", err)
	}
	return out, nil
}

func scanContent(r *sql.Rows, zone *time.Location) (c social.Content, err error) {
	var own, at int64
	err = r.Scan(&own, &c.Platform, &c.Kind, &at, &c.Reach, &c.Viewers, &c.People, &c.Viewed, &c.Liked, &c.Commented, &c.Shared, &c.Saved, &c.Watched)
	c.ID, c.Week = id.ID(own), social.Monday(clock.DayOf(time.UnixMilli(at), zone))
	return c, err
}

// Content implements social.Facts.
func (s *Social) Content(ctx context.Context, content id.ID) (c social.Content, ok bool, err error) {
	const of = "(SELECT external_id FROM a_content WHERE id = CAST(? AS BIGINT))"
	var q statement
	q.add(socialColumns+fmt.Sprintf(socialDone, " AND e.content <> '' AND e.content IN "+of), int64(content))
	q.add(") d ON d.content = c.external_id WHERE c.id = "+asInt, int64(content))
	err = each(ctx, s.db, q.text, q.args, func(r *sql.Rows) (err error) {
		ok = true
		c, err = scanContent(r, s.zone())
		return err
	})
	if err != nil {
		return c, false, fmt.Errorf("figures of a content: %w", err)
	}
	return c, ok, nil
}

// socialDeeds counts events and activities by name; the mean is of ratings.
const socialDeeds = `SELECT x.name, count(*), count(DISTINCT x.customer_id), CAST(COALESCE(round(avg(x.n) * 100), 0) AS BIGINT) FROM (
 SELECT e.name AS name, e.customer_id AS customer_id, CASE WHEN e.name = '` + event.ProductReviewed + `' THEN CASE %s WHEN '1' THEN 1 WHEN '2' THEN 2 WHEN '3' THEN 3 WHEN '4' THEN 4 WHEN '5' THEN 5 END END AS n
 FROM f_event e WHERE e.kind = 'track' AND ` + ofPerson + ` AND e.day >= CAST(? AS BIGINT) AND e.day <= CAST(? AS BIGINT)
  AND e.name IN ('` + event.StoreVisited + `', '` + event.ItemTried + `', '` + event.CallMade + `', '` + event.MessageReceived + `', '` + event.MessageSent + `', '` + event.ProductReviewed + `', '` +
	event.BrandMentioned + `', '` + event.AccountFollowed + `', '` + event.AccountLeft + `', '` + event.ShareOpened + `', '` + event.CouponUsed + `')
 UNION ALL SELECT '` + event.CallMade + `', a.customer, NULL FROM a_call a WHERE a.status = 'done' AND a.starts_at >= CAST(? AS BIGINT) AND a.starts_at < CAST(? AS BIGINT)
 UNION ALL SELECT '` + social.Visit + `', v.customer, NULL FROM a_visit v WHERE v.status = 'done' AND v.starts_at >= CAST(? AS BIGINT) AND v.starts_at < CAST(? AS BIGINT)
) x GROUP BY x.name`

// Deeds implements social.Facts.
func (s *Social) Deeds(ctx context.Context, from, to clock.Day) ([]social.Deed, error) {
	zone := s.zone()
	begin, end := from.Start(zone).UnixMilli(), (to + 1).Start(zone).UnixMilli()
	found := map[string]social.Deed{}
	text := fmt.Sprintf(socialDeeds, s.db.Dialect().Property("e.properties", "rating"))
	err := each(ctx, s.db, text, []any{int64(from), int64(to), begin, end, begin, end}, func(r *sql.Rows) error {
		var d social.Deed
		err := r.Scan(&d.Name, &d.Count, &d.People, &d.Mean)
		found[d.Name] = d
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what happened off the web: %w", err)
	}
	var out []social.Deed
	for _, name := range social.Deeds() {
		if d, ok := found[name]; ok {
			out = append(out, d)
		}
	}
	return out, nil
}
