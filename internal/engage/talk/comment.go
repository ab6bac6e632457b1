package talk

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

const (
	maxBody     = 10_000
	maxMentions = 50
	excerpt     = 140
)

// Post says something about a record. Whoever is named is told, and so is who follows it; the author follows it from then on.
func (s *Service) Post(ctx context.Context, object string, rec id.ID, body string) (Comment, error) {
	who, err := s.speaker(ctx)
	if err != nil {
		return Comment{}, err
	}
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		return Comment{}, err
	}
	body, err = checkBody(body)
	if err != nil {
		return Comment{}, err
	}
	now := s.cfg.Clock.Now().Truncate(time.Millisecond)
	c := Comment{ID: s.cfg.IDs.Next(), Object: object, Record: rec, Body: body, By: who.ID, At: now, Version: 1}
	told, err := s.toldOf(ctx, c, nil)
	if err != nil {
		return Comment{}, err
	}
	if err := s.cfg.Store.AddComment(ctx, c, told); err != nil {
		return Comment{}, err
	}
	s.deliver(told)
	return c, s.cfg.Store.SetFollow(ctx, object, rec, who.ID, true, now)
}

func checkBody(body string) (string, error) {
	body = strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n"))
	switch {
	case body == "":
		return "", fault.InvalidField("talk.empty", "body", nil)
	case utf8.RuneCountInString(body) > maxBody:
		return "", fault.InvalidField("talk.too_long", "body", fault.Params{"max": maxBody})
	case len(Mentions(body)) > maxMentions:
		return "", fault.InvalidField("talk.too_many_mentions", "body", fault.Params{"max": maxMentions})
	}
	return body, nil
}

// speaker is the person who acts: programs do not comment.
func (s *Service) speaker(ctx context.Context) (access.Actor, error) {
	who := access.From(ctx)
	if who.Kind != access.ByUser {
		return who, fault.New(fault.Forbidden, "talk.people_only", nil)
	}
	if !who.Can(access.RecordCreate) {
		return who, fault.New(fault.Forbidden, "access.forbidden", fault.Params{"right": string(access.RecordCreate)})
	}
	return who, nil
}

// toldOf is who is told of a comment: the people it names, but for those an earlier form of it named, and of a new one
// those who follow the record.
func (s *Service) toldOf(ctx context.Context, c Comment, before *Comment) ([]Notification, error) {
	text := Plain(c.Body)
	if utf8.RuneCountInString(text) > excerpt {
		text = string([]rune(text)[:excerpt-1]) + "…"
	}
	key := id.Format(CommentPrefix, c.ID)
	seen := map[id.ID]bool{c.By: true}
	var told []Notification
	add := func(user id.ID, kind Kind) error {
		if seen[user] {
			return nil
		}
		seen[user] = true
		n := Notification{User: user, Kind: kind, Object: c.Object, Record: c.Record, ByKind: access.ByUser, By: c.By,
			Detail: Detail{Comment: key, Text: text}, Once: string(kind) + ":" + key + ":" + id.Format("usr", user)}
		ok, err := s.prepare(ctx, &n)
		if ok {
			told = append(told, n)
		}
		return err
	}
	for _, user := range Mentions(c.Body) {
		if err := add(user, Mentioned); err != nil {
			return nil, err
		}
	}
	if before != nil {
		return told, nil
	}
	followers, err := s.cfg.Store.Followers(ctx, []id.ID{c.Record})
	if err != nil {
		return nil, err
	}
	for _, user := range followers[c.Record] {
		if err := add(user, Commented); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// Edit changes what one's own comment says. version 0 takes any; Stale talk.stale.
func (s *Service) Edit(ctx context.Context, key id.ID, version int64, body string) (Comment, error) {
	who, err := s.speaker(ctx)
	if err != nil {
		return Comment{}, err
	}
	c, err := s.standing(ctx, key)
	if err != nil {
		return Comment{}, err
	}
	if c.By != who.ID {
		return Comment{}, fault.New(fault.Forbidden, "talk.not_yours", nil)
	}
	if version != 0 && version != c.Version {
		return Comment{}, fault.New(fault.Stale, "talk.stale", nil)
	}
	body, err = checkBody(body)
	if err != nil || body == c.Body {
		return c, err
	}
	before := c
	c.Body, c.EditedAt, c.Version = body, s.cfg.Clock.Now().Truncate(time.Millisecond), c.Version+1
	told, err := s.toldOf(ctx, c, &before)
	if err != nil {
		return Comment{}, err
	}
	if err := s.cfg.Store.EditComment(ctx, c, told); err != nil {
		return Comment{}, err
	}
	s.deliver(told)
	return c, nil
}

// Delete takes a comment back: one's own, or anybody's with the right to delete records.
func (s *Service) Delete(ctx context.Context, key id.ID) (Comment, error) {
	who := access.From(ctx)
	c, err := s.standing(ctx, key)
	if err != nil {
		return c, err
	}
	if (who.Kind != access.ByUser || c.By != who.ID) && !who.Can(access.RecordDelete) {
		return c, fault.New(fault.Forbidden, "talk.not_yours", nil)
	}
	c.DeletedAt, c.DeletedBy = s.cfg.Clock.Now(), who.ID
	return c, s.cfg.Store.DeleteComment(ctx, c)
}

// standing finds a comment that stands, on a record that the actor may see.
func (s *Service) standing(ctx context.Context, key id.ID) (Comment, error) {
	c, err := s.cfg.Store.Comment(ctx, key)
	if err != nil {
		return c, err
	}
	if _, err := s.cfg.Records.Get(ctx, c.Object, c.Record); err != nil {
		return c, err
	}
	if !c.DeletedAt.IsZero() {
		return c, fault.New(fault.NotFound, "talk.comment_not_found", nil)
	}
	return c, nil
}

// Revisions are what a comment said before, oldest first.
func (s *Service) Revisions(ctx context.Context, key id.ID) ([]Revision, error) {
	if _, err := s.standing(ctx, key); err != nil {
		return nil, err
	}
	return s.cfg.Store.Revisions(ctx, key)
}

// About reads comments about a record, and about those that became part of it, at or before an instant, newest first. Whoever
// calls it has checked that the actor may see the record.
func (s *Service) About(ctx context.Context, rec id.ID, until time.Time, limit int) ([]Comment, error) {
	family, err := s.cfg.Store.Family(ctx, rec)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.Store.Comments(ctx, family, until, limit)
	for i := range list {
		if !list[i].DeletedAt.IsZero() {
			list[i].Body = ""
		}
	}
	return list, err
}

// Follow says whether the actor wants to know what happens to a record.
func (s *Service) Follow(ctx context.Context, object string, rec id.ID, on bool) error {
	who := access.From(ctx)
	if who.Kind != access.ByUser {
		return fault.New(fault.Forbidden, "talk.people_only", nil)
	}
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		return err
	}
	return s.cfg.Store.SetFollow(ctx, object, rec, who.ID, on, s.cfg.Clock.Now())
}

// Following reports whether the actor follows a record.
func (s *Service) Following(ctx context.Context, object string, rec id.ID) (bool, error) {
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		return false, err
	}
	return s.cfg.Store.Following(ctx, rec, access.From(ctx).ID)
}
