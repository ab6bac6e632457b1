package api

import (
	"context"
	"net/http"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
)

// talkRoutes are comments, what one follows, and what one is told.
func (a *API) talkRoutes() []route {
	r := access.RecordRead
	return []route{
		{method: post, path: "/records/{object}/{id}/comments", need: right, right: access.RecordCreate, run: op(a.postComment), acts: true, doc: "Comment on a record; @[name](usr_…) tells somebody", status: http.StatusCreated},
		{method: patch, path: "/comments/{id}", need: right, right: access.RecordCreate, run: op(a.editComment), doc: "Change one's own comment"},
		{method: del, path: "/comments/{id}", need: right, right: r, run: op(a.deleteComment), doc: "Delete a comment"},
		{method: get, path: "/comments/{id}/revisions", need: right, right: r, run: op(a.commentRevisions), doc: "What a comment said before"},
		{method: get, path: "/records/{object}/{id}/follow", need: right, right: r, run: op(a.following), doc: "Whether one follows a record"},
		{method: post, path: "/records/{object}/{id}/follow", need: right, right: r, run: op(a.follow), doc: "Follow a record, or no longer"},
		{method: get, path: "/notifications", need: person, run: op(a.notifications), doc: "What one was told, newest first"},
		{method: get, path: "/notifications/unread", need: person, run: op(a.unread), doc: "How many notifications are not read"},
		{method: post, path: "/notifications/read", need: person, run: op(a.readNotifications), doc: "Mark notifications as read, all when none is named"},
		{method: get, path: "/notifications/preferences", need: person, run: op(a.notifyPreferences), doc: "Of what one is told"},
		{method: patch, path: "/notifications/preferences", need: person, run: op(a.setNotifyPreferences), doc: "Choose of what one is told"},
		{method: post, path: "/records/{object}/{id}/revert", need: right, right: access.RecordUpdate, run: op(a.revertRecord), doc: "Put fields back to what they were at a version"},
	}
}

// Comment is what somebody said about a record.
type Comment struct {
	ID        string     `json:"id"`
	Body      string     `json:"body" doc:"people stand in it as @[name](usr_…); empty when deleted"`
	Author    Actor      `json:"author"`
	At        time.Time  `json:"at"`
	EditedAt  *time.Time `json:"edited_at"`
	DeletedAt *time.Time `json:"deleted_at"`
	DeletedBy *Actor     `json:"deleted_by"`
	Version   int64      `json:"version"`
	Mine      bool       `json:"mine"`
	CanDelete bool       `json:"can_delete"`
}

func (c *call) showComment(r *timeline.Remark, titles map[record.Ref]string) *Comment {
	out := &Comment{ID: id.Format(talk.CommentPrefix, r.ID), Body: r.Body, Author: c.actor(access.ByUser, r.By, titles), At: r.At, EditedAt: optional(r.EditedAt), DeletedAt: optional(r.DeletedAt),
		Version: r.Version, Mine: c.who.Actor.Kind == access.ByUser && r.By == c.who.Actor.ID}
	out.CanDelete = out.DeletedAt == nil && (out.Mine || c.who.Actor.Can(access.RecordDelete))
	if r.DeletedBy != 0 {
		by := c.actor(access.ByUser, r.DeletedBy, titles)
		out.DeletedBy = &by
	}
	return out
}

// remarkOf is a comment as the timeline has it.
func remarkOf(c talk.Comment) *timeline.Remark {
	return &timeline.Remark{ID: c.ID, At: c.At, By: c.By, Body: c.Body, EditedAt: c.EditedAt, DeletedAt: c.DeletedAt, DeletedBy: c.DeletedBy, Version: c.Version}
}

// userNames names people.
func (c *call) userNames(ctx context.Context, people ...id.ID) (map[record.Ref]string, error) {
	refs := make([]record.Ref, len(people))
	for i, p := range people {
		refs[i] = record.Ref{Object: "user", ID: p}
	}
	if err := c.ws.Records.Titles(ctx, refs); err != nil {
		return nil, err
	}
	out := map[record.Ref]string{}
	for _, r := range refs {
		out[record.Ref{Object: "user", ID: r.ID}] = r.Title
	}
	return out, nil
}

func (c *call) commentAnswer(ctx context.Context, cm talk.Comment) (*Comment, error) {
	titles, err := c.userNames(ctx, cm.By)
	if err != nil {
		return nil, err
	}
	return c.showComment(remarkOf(cm), titles), nil
}

type postCommentIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   struct {
		Body string `json:"body"`
	}
}

func (a *API) postComment(ctx context.Context, c *call, in postCommentIn) (*Comment, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return nil, err
	}
	cm, err := c.ws.Talk.Post(ctx, o.Key, v, in.Body.Body)
	if err != nil {
		return nil, err
	}
	a.touched(c, o.Key, in.ID)
	return c.commentAnswer(ctx, cm)
}

// touched wakes the pages that show a record.
func (a *API) touched(c *call, object, printed string) {
	a.Hub.Publish(c.who.Workspace.Key, Event{Kind: "talk", Object: object, ID: printed})
}

func commentID(text string) (id.ID, error) {
	v, err := id.Parse(talk.CommentPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "talk.comment_not_found", nil)
	}
	return v, nil
}

type editCommentIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		Body    string `json:"body"`
		Version int64  `json:"version,omitempty"`
	}
}

func (a *API) editComment(ctx context.Context, c *call, in editCommentIn) (*Comment, error) {
	key, err := commentID(in.ID)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return nil, err
	}
	cm, err := c.ws.Talk.Edit(ctx, key, version, in.Body.Body)
	if err != nil {
		return nil, err
	}
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "comment.update", cm.Object, cm.Record, map[string]any{"comment": in.ID}); err != nil {
		return nil, err
	}
	a.touched(c, cm.Object, id.Format(c.prefixOf(cm.Object), cm.Record))
	return c.commentAnswer(ctx, cm)
}

func (a *API) deleteComment(ctx context.Context, c *call, in idIn) (empty, error) {
	key, err := commentID(in.ID)
	if err != nil {
		return empty{}, err
	}
	cm, err := c.ws.Talk.Delete(ctx, key)
	if err != nil {
		return empty{}, err
	}
	a.touched(c, cm.Object, id.Format(c.prefixOf(cm.Object), cm.Record))
	return empty{}, a.Auth.Note(ctx, c.who.Workspace.Key, "comment.delete", cm.Object, cm.Record, map[string]any{"comment": in.ID})
}

// CommentRevisions are what a comment said before, oldest first.
type CommentRevisions struct {
	Items []CommentRevision `json:"items"`
}

// CommentRevision is one former form of a comment.
type CommentRevision struct {
	Version int64     `json:"version"`
	Body    string    `json:"body"`
	At      time.Time `json:"at"`
}

func (a *API) commentRevisions(ctx context.Context, c *call, in idIn) (CommentRevisions, error) {
	key, err := commentID(in.ID)
	if err != nil {
		return CommentRevisions{}, err
	}
	list, err := c.ws.Talk.Revisions(ctx, key)
	out := CommentRevisions{Items: []CommentRevision{}}
	for _, r := range list {
		out.Items = append(out.Items, CommentRevision(r))
	}
	return out, err
}

// Follow says whether one follows a record.
type Follow struct {
	Following bool `json:"following"`
}

func (a *API) following(ctx context.Context, c *call, in recordIn) (Follow, error) {
	o, v, err := in.find(c)
	if err != nil {
		return Follow{}, err
	}
	on, err := c.ws.Talk.Following(ctx, o.Key, v)
	return Follow{Following: on}, err
}

type followIn struct {
	Object string `path:"object"`
	ID     string `path:"id"`
	Body   Follow
}

func (a *API) follow(ctx context.Context, c *call, in followIn) (Follow, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return Follow{}, err
	}
	return in.Body, c.ws.Talk.Follow(ctx, o.Key, v, in.Body.Following)
}

// Notification is what one was told.
type Notification struct {
	ID     string      `json:"id"`
	Kind   string      `json:"kind" enum:"assigned,mentioned,reminder,approval,stage,commented,changed,job,automation"`
	At     time.Time   `json:"at"`
	ReadAt *time.Time  `json:"read_at"`
	Times  int         `json:"times" doc:"how many changes it stands for"`
	Actor  *Actor      `json:"actor"`
	Record *Ref        `json:"record"`
	Detail talk.Detail `json:"detail"`
}

// Notifications is a page of them.
type Notifications struct {
	Items      []Notification `json:"items"`
	NextCursor *string        `json:"next_cursor"`
}

type notificationsIn struct {
	Unread bool   `query:"unread"`
	Limit  int    `query:"limit"`
	Cursor string `query:"cursor"`
}

func (a *API) notifications(ctx context.Context, c *call, in notificationsIn) (Notifications, error) {
	var before id.ID
	var err error
	if in.Cursor != "" {
		if before, err = id.Parse(talk.NoticePrefix, in.Cursor); err != nil {
			return Notifications{}, fault.InvalidField("api.bad_parameter", "cursor", nil)
		}
	}
	list, next, err := c.ws.Talk.List(ctx, in.Unread, before, in.Limit)
	if err != nil {
		return Notifications{}, err
	}
	people := make([]id.ID, len(list))
	for i := range list {
		people[i] = list[i].By
	}
	titles, err := c.userNames(ctx, people...)
	if err != nil {
		return Notifications{}, err
	}
	out := Notifications{Items: []Notification{}}
	for _, n := range list {
		v := Notification{ID: id.Format(talk.NoticePrefix, n.ID), Kind: string(n.Kind), At: n.At, ReadAt: optional(n.ReadAt), Times: n.Times, Detail: n.Detail}
		if n.ByKind != "" {
			who := c.actor(n.ByKind, n.By, titles)
			v.Actor = &who
		}
		if n.About != nil {
			v.Record = &Ref{ID: id.Format(c.prefixOf(n.Object), n.Record), Object: n.Object, Title: n.About.Title}
		}
		out.Items = append(out.Items, v)
	}
	if next != 0 {
		text := id.Format(talk.NoticePrefix, next)
		out.NextCursor = &text
	}
	return out, nil
}

// Unread is how many notifications are not read.
type Unread struct {
	Count int `json:"count"`
}

func (a *API) unread(ctx context.Context, c *call, _ struct{}) (Unread, error) {
	n, err := c.ws.Talk.Unread(ctx)
	return Unread{Count: n}, err
}

type readNotificationsIn struct {
	Body struct {
		IDs []string `json:"ids,omitempty"`
	}
}

func (a *API) readNotifications(ctx context.Context, c *call, in readNotificationsIn) (Unread, error) {
	var keys []id.ID
	for _, text := range in.Body.IDs {
		v, err := id.Parse(talk.NoticePrefix, text)
		if err != nil {
			return Unread{}, fault.InvalidField("api.bad_parameter", "ids", nil)
		}
		keys = append(keys, v)
	}
	if err := c.ws.Talk.Read(ctx, keys); err != nil {
		return Unread{}, err
	}
	return a.unread(ctx, c, struct{}{})
}

// NotifyPreferences say of each kind whether one is told.
type NotifyPreferences struct {
	Kinds map[string]bool `json:"kinds"`
}

func showPreferences(p talk.Preferences) NotifyPreferences {
	out := NotifyPreferences{Kinds: map[string]bool{}}
	for k, on := range p {
		out.Kinds[string(k)] = on
	}
	return out
}

func (a *API) notifyPreferences(ctx context.Context, c *call, _ struct{}) (NotifyPreferences, error) {
	p, err := c.ws.Talk.Preferences(ctx)
	return showPreferences(p), err
}

type notifyPreferencesIn struct{ Body NotifyPreferences }

func (a *API) setNotifyPreferences(ctx context.Context, c *call, in notifyPreferencesIn) (NotifyPreferences, error) {
	want := talk.Preferences{}
	for k, on := range in.Body.Kinds {
		want[talk.Kind(k)] = on
	}
	p, err := c.ws.Talk.SetPreferences(ctx, want)
	return showPreferences(p), err
}

type revertIn struct {
	Object  string `path:"object"`
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    struct {
		To     int64    `json:"to" doc:"the version whose values come back"`
		Fields []string `json:"fields,omitempty" doc:"only these fields; all that changed since when empty"`
	}
}

func (a *API) revertRecord(ctx context.Context, c *call, in revertIn) (*Record, error) {
	o, v, err := recordIn{in.Object, in.ID}.find(c)
	if err != nil {
		return nil, err
	}
	version, err := required(in.IfMatch, 0)
	if err != nil {
		return nil, err
	}
	c.onConflict(o, v)
	r, err := c.ws.Records.BackTo(ctx, o.Key, v, version, in.Body.To, in.Body.Fields)
	if err != nil {
		return nil, err
	}
	a.wrote(c, r.Position)
	if err := a.Auth.Note(ctx, c.who.Workspace.Key, "record.revert", o.Key, v, map[string]any{"to": in.Body.To, "fields": in.Body.Fields}); err != nil {
		return nil, err
	}
	return c.showRecord(ctx, o, r)
}
