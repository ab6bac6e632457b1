package privacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

// Steps of a running erasure.
const (
	stepRecords = "records"
	stepScrub   = "scrub"
	stepFiles   = "files"
	stepTrail   = "trail"
	stepClean   = "clean"
)

// Preview is everything that an erasure would take.
type Preview struct {
	Object  string
	Record  *record.Record
	Counts  []Count
	Hold    *Hold
	Merged  int      // records that were merged into this one
	Running *Erasure // one that is under way or waits
	// Second says that another person must confirm.
	Second bool
}

// subject finds a person that the actor may erase.
func (s *Service) subject(ctx context.Context, object string, rec id.ID) (*schema.Object, *record.Record, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, nil, err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || !record.People(obj) {
		return nil, nil, fault.New(fault.Invalid, "privacy.not_a_person", fault.Params{"object": object})
	}
	r, err := s.cfg.Records.Get(ctx, object, rec)
	if err != nil {
		return nil, nil, err
	}
	if r.ID != rec {
		return nil, nil, fault.New(fault.Conflict, "privacy.merged_away", fault.Params{"id": id.Format(obj.Prefix, r.ID)})
	}
	return obj, r, nil
}

// Preview counts what an erasure of a person would take.
func (s *Service) Preview(ctx context.Context, object string, rec id.ID) (*Preview, error) {
	_, r, err := s.subject(ctx, object, rec)
	if err != nil {
		return nil, err
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	p := &Preview{Object: object, Record: r, Second: set.SecondPerson}
	members, err := s.members(ctx, object, rec)
	if err != nil {
		return nil, err
	}
	merged, err := s.cfg.Store.MergedFrom(ctx, []id.ID{rec})
	if err != nil {
		return nil, err
	}
	p.Merged = len(merged)
	parts, err := s.cfg.Store.Survey(ctx, idsOf(members))
	if err != nil {
		return nil, err
	}
	p.Counts = counts(members, parts)
	holds, err := s.cfg.Store.Holds(ctx, idsOf(members))
	if err != nil {
		return nil, err
	}
	for _, h := range holds {
		p.Hold = &h
	}
	open, err := s.open(ctx, rec)
	p.Running = open
	return p, err
}

// open is an erasure of a record that has not ended.
func (s *Service) open(ctx context.Context, rec id.ID) (*Erasure, error) {
	list, err := s.cfg.Store.ListErasures(ctx, ErasureFilter{Record: rec, States: []State{Waiting, Queued, Running, Cleaning}, Limit: 1})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

func idsOf(members []Member) []id.ID {
	out := make([]id.ID, 0, len(members))
	for _, m := range members {
		if m.Fate != Freed {
			out = append(out, m.ID)
		}
	}
	return out
}

func counts(members []Member, parts map[string]int64) []Count {
	var out []Count
	at := map[string]int{}
	for _, m := range members {
		key := m.Object + "|" + string(m.Fate)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, Count{Part: "object:" + m.Object, Fate: m.Fate})
		}
		out[i].Count++
	}
	return append(out, partCounts(parts)...)
}

func partCounts(parts map[string]int64) []Count {
	var out []Count
	keys := make([]string, 0, len(parts))
	for k := range parts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if parts[k] > 0 {
			out = append(out, Count{Part: k, Fate: Gone, Count: parts[k]})
		}
	}
	return out
}

// Order asks for an erasure.
type Order struct {
	Object    string
	Record    id.ID
	Reason    string
	Reference string
	Request   id.ID
}

// Request asks for a person to be erased. It begins at once, or waits for a second person where the workspace wants one. A record on
// hold is the Conflict privacy.on_hold, one whose erasure is under way privacy.erasing.
func (s *Service) Request(ctx context.Context, o Order) (*Erasure, error) {
	_, r, err := s.subject(ctx, o.Object, o.Record)
	if err != nil {
		return nil, err
	}
	if r.Values[ProcessingField] == ErasedState {
		return nil, fault.New(fault.Conflict, "privacy.erased", nil)
	}
	switch o.Reason {
	case ByRequest, Withdrawn, Achieved, Unlawful, OtherCause:
	default:
		return nil, fault.InvalidField("privacy.unknown_reason", "reason", nil)
	}
	o.Reference = strings.TrimSpace(o.Reference)
	if len([]rune(o.Reference)) > 100 {
		return nil, fault.InvalidField("privacy.reference_long", "reference", fault.Params{"max": 100})
	}
	set, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	state := Queued
	if set.SecondPerson {
		state = Waiting
	}
	return s.order(ctx, o, state)
}

func (s *Service) order(ctx context.Context, o Order, state State) (*Erasure, error) {
	if err := s.free(ctx, o.Object, o.Record); err != nil {
		return nil, err
	}
	if open, err := s.open(ctx, o.Record); err != nil || open != nil {
		if err == nil {
			err = fault.New(fault.Conflict, "privacy.erasing", fault.Params{"id": id.Format(ErasurePrefix, open.ID)})
		}
		return nil, err
	}
	a := access.From(ctx)
	e := &Erasure{ID: s.cfg.IDs.Next(), Object: o.Object, Record: o.Record, State: state, Reason: o.Reason, Reference: o.Reference, Request: o.Request,
		ByKind: a.Kind, RequestedBy: a.ID, RequestedAt: s.now(), Counts: []Count{}}
	if err := s.cfg.Store.SaveErasure(ctx, e, ""); err != nil {
		return nil, err
	}
	if err := s.note(ctx, "privacy.erase_request", e); err != nil {
		return nil, err
	}
	s.cfg.Outside.Publish()
	if state == Queued {
		return e, s.cfg.Outside.Enqueue(ctx)
	}
	return e, nil
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// free refuses records that are on hold, or have one that is.
func (s *Service) free(ctx context.Context, object string, rec id.ID) error {
	members, err := s.members(ctx, object, rec)
	if err != nil {
		return err
	}
	holds, err := s.cfg.Store.Holds(ctx, idsOf(members))
	if err != nil {
		return err
	}
	for v, h := range holds {
		obj := s.cfg.Registry().Object(h.Object)
		if obj != nil {
			return fault.New(fault.Conflict, "privacy.on_hold", fault.Params{"record": id.Format(obj.Prefix, v), "reason": h.Reason})
		}
	}
	return nil
}

func (s *Service) note(ctx context.Context, action string, e *Erasure) error {
	return s.cfg.Outside.Note(ctx, action, e.Object, e.Record, map[string]any{"erasure": id.Format(ErasurePrefix, e.ID), "reason": e.Reason, "state": string(e.State)})
}

// Decide lets a second person confirm or refuse a waiting erasure. Whoever asked for it cannot confirm it, but may take it back.
func (s *Service) Decide(ctx context.Context, v id.ID, confirm bool) (*Erasure, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	e, err := s.cfg.Store.GetErasure(ctx, v)
	if err != nil {
		return nil, err
	}
	if e.State != Waiting {
		return nil, fault.New(fault.Conflict, "privacy.state_changed", nil)
	}
	a := access.From(ctx)
	if confirm && (a.Kind != access.ByUser || a.ID == e.RequestedBy && e.ByKind == access.ByUser || e.ByKind == access.ByKey && s.sameHand(ctx, e, a)) {
		return nil, fault.New(fault.Forbidden, "privacy.second_person", nil)
	}
	e.DecidedBy, e.DecidedAt, e.State = a.ID, s.now(), Refused
	action := "privacy.erase_refuse"
	if confirm {
		e.State, action = Queued, "privacy.erase_confirm"
	}
	if err := s.cfg.Store.SaveErasure(ctx, e, Waiting); err != nil {
		return nil, err
	}
	if err := s.note(ctx, action, e); err != nil {
		return nil, err
	}
	s.cfg.Outside.Publish()
	if confirm {
		return e, s.cfg.Outside.Enqueue(ctx)
	}
	return e, nil
}

// sameHand reports that the key which asked was made by the person who confirms.
func (s *Service) sameHand(ctx context.Context, e *Erasure, a access.Actor) bool {
	by, err := s.cfg.Outside.Actor(ctx, e.ByKind, e.RequestedBy)
	return err != nil || by.Person == a.ID
}

// Retry takes up an erasure that failed.
func (s *Service) Retry(ctx context.Context, v id.ID) (*Erasure, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	e, err := s.cfg.Store.GetErasure(ctx, v)
	if err != nil {
		return nil, err
	}
	if e.State != Failed {
		return nil, fault.New(fault.Conflict, "privacy.state_changed", nil)
	}
	e.State, e.Error = Queued, ""
	if err := s.cfg.Store.SaveErasure(ctx, e, Failed); err != nil {
		return nil, err
	}
	return e, s.cfg.Outside.Enqueue(ctx)
}

// Erasures lists erasures, newest first; one by id with Erasure. Both need PrivacyManage.
func (s *Service) Erasures(ctx context.Context, f ErasureFilter) ([]*Erasure, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	f.Limit = min(max(f.Limit, 1), 200)
	return s.cfg.Store.ListErasures(ctx, f)
}

// Erasure reads one.
func (s *Service) Erasure(ctx context.Context, v id.ID) (*Erasure, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return nil, err
	}
	return s.cfg.Store.GetErasure(ctx, v)
}

// Run works off all erasures that are queued or were interrupted, and then rewrites the pages of the databases once for all of
// them. Large databases are rewritten only at night.
func (s *Service) Run(ctx context.Context, night bool) error {
	ctx = system(ctx)
	list, err := s.cfg.Store.ListErasures(ctx, ErasureFilter{States: []State{Queued, Running}, Limit: 200})
	if err != nil {
		return err
	}
	slices.Reverse(list)
	for _, e := range list {
		if err := s.run(ctx, e); err != nil {
			return fmt.Errorf("erasure %d: %w", e.ID, err)
		}
	}
	cleaning, err := s.cfg.Store.ListErasures(ctx, ErasureFilter{States: []State{Cleaning}, Limit: 200})
	if err != nil || len(cleaning) == 0 || s.cfg.Outside.Large() && !night {
		return err
	}
	if err := s.cfg.Outside.Clean(ctx); err != nil {
		return fmt.Errorf("rewrite databases: %w", err)
	}
	for _, e := range cleaning {
		if err := s.finish(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// run does one erasure as far as Cleaning. A fault that trying again will not mend ends it.
func (s *Service) run(ctx context.Context, e *Erasure) error {
	err := s.permitted(ctx, e)
	if err == nil {
		err = s.steps(ctx, e)
	}
	switch fault.KindOf(err) {
	case fault.Forbidden, fault.NotFound, fault.Conflict, fault.Invalid:
		was := e.State
		e.State, e.Error = Failed, fault.CodeOf(err)
		if err := s.cfg.Store.SaveErasure(ctx, e, was); err != nil {
			return err
		}
		s.cfg.Outside.Publish()
		return s.note(ctx, "privacy.erase_fail", e)
	}
	return err
}

// permitted asks whether who wanted the erasure may still have it. Once records have gone it is finished whoever asked.
func (s *Service) permitted(ctx context.Context, e *Erasure) error {
	if e.State == Running && e.Step != "" || e.ByKind != access.ByUser && e.ByKind != access.ByKey {
		return nil
	}
	who, err := s.cfg.Outside.Actor(ctx, e.ByKind, e.RequestedBy)
	if err != nil {
		return err
	}
	if _, _, err := s.subject(access.With(ctx, who), e.Object, e.Record); err != nil {
		return err
	}
	return s.free(ctx, e.Object, e.Record)
}

func (s *Service) steps(ctx context.Context, e *Erasure) error {
	if e.State == Queued {
		was := e.State
		e.State, e.StartedAt, e.Step = Running, s.now(), ""
		if err := s.cfg.Store.SaveErasure(ctx, e, was); err != nil {
			return err
		}
		s.cfg.Outside.Publish()
	}
	if e.Step == "" {
		if err := s.suppress(ctx, e); err != nil {
			return err
		}
		if err := s.step(ctx, e, stepRecords); err != nil {
			return err
		}
	}
	texts, err := s.identifiers(ctx, e)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		step, next string
		do         func(context.Context, *Erasure, []string) error
	}{{stepRecords, stepFiles, s.records}, {stepFiles, stepScrub, s.files}, {stepScrub, stepTrail, s.scrub}, {stepTrail, stepClean, s.trail}} {
		if e.Step != x.step {
			continue
		}
		if err := x.do(ctx, e, texts); err != nil {
			return fmt.Errorf("%s: %w", x.step, err)
		}
		if err := s.step(ctx, e, x.next); err != nil {
			return err
		}
	}
	e.State = Cleaning
	return s.cfg.Store.SaveErasure(ctx, e, Running)
}

func (s *Service) step(ctx context.Context, e *Erasure, next string) error {
	e.Step = next
	return s.cfg.Store.SaveErasure(ctx, e, Running)
}

// values are the values in clear of the identifying fields of the person, those of records merged into it included.
func (s *Service) values(ctx context.Context, e *Erasure, visit func(f *schema.Field, v any)) error {
	obj := s.cfg.Registry().Object(e.Object)
	merged, err := s.cfg.Store.MergedFrom(ctx, []id.ID{e.Record})
	if err != nil {
		return err
	}
	rows, err := s.cfg.Records.Everything(ctx, e.Object, append([]id.ID{e.Record}, merged...))
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, f := range obj.Fields {
			if v := r.Values[f.Key]; v != nil && (f.Personal || f.Unique) {
				visit(f, v)
			}
		}
	}
	return nil
}

// suppress finds the records concerned and remembers the digests of the identifiers, before anything goes.
func (s *Service) suppress(ctx context.Context, e *Erasure) error {
	if err := s.free(ctx, e.Object, e.Record); err != nil {
		return err
	}
	digests := map[string]string{}
	err := s.values(ctx, e, func(f *schema.Field, v any) {
		if h := s.cfg.Records.Suppression(f, v); h != "" {
			digests[h] = f.Key
		}
	})
	if err != nil {
		return err
	}
	if err := s.cfg.Store.Suppress(ctx, e.ID, digests, s.now()); err != nil {
		return err
	}
	// An event that waits finds its person by the identifiers: without them it would be nobody's, or make the person anew.
	if err := s.cfg.Outside.CarryBehaviour(ctx); err != nil {
		return err
	}
	members, err := s.members(ctx, e.Object, e.Record)
	if err != nil {
		return err
	}
	if _, err := s.cfg.Store.PutMembers(ctx, e.ID, members); err != nil {
		return err
	}
	e.Plan.Imports, err = s.cfg.Store.Batches(ctx, idsOf(members))
	if err != nil {
		return err
	}
	for _, m := range members {
		if !slices.Contains(e.Plan.Objects, m.Object) {
			e.Plan.Objects = append(e.Plan.Objects, m.Object)
		}
	}
	e.Counts, e.Plan.At = counts(members, nil), s.now()
	// Kept files are looked into while the identifiers are still there to look for.
	var texts, addresses []string
	err = s.values(ctx, e, func(f *schema.Field, v any) {
		t, ok := v.(string)
		if ok && f.Type != schema.Address {
			texts = append(texts, needles(f, t)...)
		}
		if ok && f.Type == schema.Email {
			addresses = append(addresses, t)
		}
	})
	if err != nil {
		return err
	}
	mailed := 0
	for _, address := range addresses {
		n, err := s.cfg.Outside.ForgetMail(ctx, address)
		if err != nil {
			return err
		}
		mailed += n
	}
	removed, waiting, err := s.cfg.Outside.ShredImports(ctx, e.Plan.Imports, texts)
	e.Plan.Waiting = waiting
	e.tally(map[string]int64{"imports": int64(removed), "mail": int64(mailed)})
	return err
}

// needles are the forms in which an identifier may stand in a file; short ones would be found everywhere.
func needles(f *schema.Field, v string) []string {
	out := []string{v}
	if f.Type == schema.Phone {
		if national, ok := strings.CutPrefix(v, "+86"); ok {
			out = []string{national}
		} else {
			out = append(out, strings.TrimPrefix(v, "+"))
		}
	}
	return slices.DeleteFunc(out, func(t string) bool { return len(t) < 5 })
}

// identifiers are the printed ids of the people that go.
func (s *Service) identifiers(ctx context.Context, e *Erasure) ([]string, error) {
	members, err := s.cfg.Store.Members(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range members {
		if o := s.cfg.Registry().Object(m.Object); o != nil && m.Fate != Freed {
			out = append(out, id.Format(o.Prefix, m.ID))
		}
	}
	return out, nil
}

// passes is how often records that came in meanwhile are looked for.
const passes = 5

// records empties and removes the records. What somebody adds meanwhile is found by looking again.
func (s *Service) records(ctx context.Context, e *Erasure, _ []string) error {
	for range passes {
		members, err := s.cfg.Store.Members(ctx, e.ID)
		if err != nil {
			return err
		}
		for _, part := range s.erasing(members) {
			if _, _, err := s.cfg.Records.Erase(ctx, part); err != nil {
				return err
			}
		}
		more, err := s.members(ctx, e.Object, e.Record)
		if err != nil {
			return err
		}
		added, err := s.cfg.Store.PutMembers(ctx, e.ID, more)
		if err != nil || added == 0 {
			return err
		}
	}
	return fault.New(fault.Unavailable, "privacy.still_written", nil)
}

func (s *Service) files(ctx context.Context, e *Erasure, _ []string) error {
	members, err := s.cfg.Store.Members(ctx, e.ID)
	if err != nil {
		return err
	}
	blobs, err := s.cfg.Store.Blobs(ctx, idsOf(members))
	if err != nil {
		return err
	}
	for _, name := range blobs {
		if err := s.cfg.Outside.RemoveBlob(name); err != nil {
			return err
		}
	}
	n, err := s.cfg.Outside.ShredExports(ctx, e.Plan.Objects)
	if err != nil {
		return err
	}
	copies, err := s.dropCopies(ctx, e.Record)
	e.tally(map[string]int64{"exports": int64(n), "copies": int64(copies)})
	return err
}

// scrub waits for everything that follows the change log, which reads the images that are blanked then.
func (s *Service) scrub(ctx context.Context, e *Erasure, printed []string) error {
	if err := s.cfg.Outside.Settle(ctx); err != nil {
		return err
	}
	members, err := s.cfg.Store.Members(ctx, e.ID)
	if err != nil {
		return err
	}
	ids := idsOf(members)
	events, err := s.cfg.Outside.ForgetBehaviour(ctx, ids)
	if err != nil {
		return err
	}
	consents, err := s.cfg.Outside.ForgetConsents(ctx, ids, e.ID)
	if err != nil {
		return err
	}
	parts, err := s.cfg.Store.Scrub(ctx, ids, printed, e.Plan.At)
	if err != nil {
		return err
	}
	parts["behaviour"], parts["consents"] = events, consents
	subjects := slices.Clone(ids)
	n, err := s.cfg.Store.DropKeys(ctx, subjects)
	for _, v := range subjects {
		s.cfg.Outside.ForgetKey(v)
	}
	parts["keys"] = n
	e.tally(parts)
	return err
}

func (s *Service) trail(ctx context.Context, e *Erasure, printed []string) error {
	members, err := s.cfg.Store.Members(ctx, e.ID)
	if err != nil {
		return err
	}
	answers, err := s.cfg.Outside.ForgetAnswers(ctx, printed)
	if err != nil {
		return err
	}
	entries, err := s.cfg.Outside.ForgetTrail(ctx, idsOf(members))
	e.tally(map[string]int64{"answers": int64(answers), "trail": int64(entries)})
	return err
}

// tally adds to the counts; a step that is repeated finds nothing more, and keeps what it counted first.
func (e *Erasure) tally(parts map[string]int64) {
	for _, c := range partCounts(parts) {
		i := slices.IndexFunc(e.Counts, func(x Count) bool { return x.Part == c.Part && x.Fate == c.Fate })
		if i < 0 {
			e.Counts = append(e.Counts, c)
		} else {
			e.Counts[i].Count += c.Count
		}
	}
}

// finish writes the ledger and the certificate's digest into the trail.
func (s *Service) finish(ctx context.Context, e *Erasure) error {
	e.FinishedAt, e.State, e.Step = s.now(), Done, ""
	e.Digest = s.Certificate(e).Digest()
	if err := s.cfg.Outside.Ledger(ctx, e); err != nil {
		return err
	}
	if err := s.cfg.Outside.Note(ctx, "privacy.erase", e.Object, e.Record, map[string]any{"erasure": id.Format(ErasurePrefix, e.ID), "reason": e.Reason,
		"counts": e.Counts, "certificate": e.Digest}); err != nil {
		return err
	}
	if err := s.cfg.Store.SaveErasure(ctx, e, Cleaning); err != nil {
		return err
	}
	if e.Request != 0 {
		if err := s.proved(ctx, e.Request, "erasure", e.ID); err != nil {
			return err
		}
	}
	s.cfg.Outside.Publish()
	return s.cfg.Store.DropMembers(ctx, e.ID)
}

// Certificate is the proof of an erasure. It names nobody but by id.
type Certificate struct {
	Erasure     string    `json:"erasure"`
	Workspace   string    `json:"workspace"`
	Object      string    `json:"object"`
	Record      string    `json:"record"`
	Reason      string    `json:"reason"`
	Reference   string    `json:"reference,omitempty"`
	RequestedBy string    `json:"requested_by,omitempty"`
	RequestedAt time.Time `json:"requested_at"`
	ConfirmedBy string    `json:"confirmed_by,omitempty"`
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	StartedAt   time.Time `json:"started_at"`
	FinishedAt  time.Time `json:"finished_at"`
	Counts      []Count   `json:"counts"`
	// Waiting are uploads that nobody had started and that were not looked into.
	Waiting int `json:"waiting_uploads,omitempty"`
}

// Certificate makes the proof of a finished erasure.
func (s *Service) Certificate(e *Erasure) Certificate {
	user := func(kind access.ActorKind, v id.ID) string {
		if kind == access.ByUser && v != 0 {
			return id.Format("usr", v)
		}
		return string(kind)
	}
	prefix := e.Object
	if o := s.cfg.Registry().Object(e.Object); o != nil {
		prefix = o.Prefix
	}
	c := Certificate{Erasure: id.Format(ErasurePrefix, e.ID), Workspace: s.cfg.Work, Object: e.Object, Record: id.Format(prefix, e.Record), Reason: e.Reason, Reference: e.Reference,
		RequestedBy: user(e.ByKind, e.RequestedBy), RequestedAt: e.RequestedAt, StartedAt: e.StartedAt, FinishedAt: e.FinishedAt, Counts: e.Counts, Waiting: e.Plan.Waiting}
	if e.DecidedBy != 0 {
		c.ConfirmedBy, c.ConfirmedAt = user(access.ByUser, e.DecidedBy), e.DecidedAt
	}
	return c
}

// Digest is the SHA-256 of the certificate's JSON, in hexadecimal.
func (c Certificate) Digest() string {
	raw, err := json.Marshal(c)
	if err != nil { // plain values always encode
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Again queues an erasure that a restored backup does not know, and says whether it was missing.
func (s *Service) Again(ctx context.Context, object string, rec id.ID, asked time.Time) (bool, error) {
	ctx = system(ctx)
	obj := s.cfg.Registry().Object(object)
	if obj == nil || !record.People(obj) {
		return false, nil
	}
	done, err := s.cfg.Store.ListErasures(ctx, ErasureFilter{Record: rec, States: []State{Waiting, Queued, Running, Cleaning, Done}, Limit: 20})
	if err != nil {
		return false, err
	}
	for _, e := range done {
		if e.State != Waiting && !e.RequestedAt.Before(asked) || e.State == Queued || e.State == Running || e.State == Cleaning {
			return false, nil
		}
	}
	if _, err := s.cfg.Records.Get(ctx, object, rec); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		return false, err
	}
	e := &Erasure{ID: s.cfg.IDs.Next(), Object: object, Record: rec, State: Queued, Reason: Restored, ByKind: access.BySystem, RequestedAt: s.now(), Counts: []Count{}}
	if err := s.cfg.Store.SaveErasure(ctx, e, ""); err != nil {
		return false, err
	}
	if err := s.note(ctx, "privacy.erase_request", e); err != nil {
		return false, err
	}
	return true, s.cfg.Outside.Enqueue(ctx)
}

// Suppressed tells whether a value of a field of a person is suppressed, and with lift takes it from the list: the person wants to be
// a customer again. Lifting is recorded.
func (s *Service) Suppressed(ctx context.Context, object, field, text string, lift bool) (bool, error) {
	if err := may(ctx, access.PrivacyManage); err != nil {
		return false, err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || !record.People(obj) {
		return false, fault.New(fault.Invalid, "privacy.not_a_person", fault.Params{"object": object})
	}
	f := obj.Field(field)
	if f == nil || f.Hidden {
		return false, fault.InvalidField("record.unknown_field", "field", fault.Params{"field": field})
	}
	v, bad := schema.ParseText(f, text, s.cfg.Records.Env(ctx))
	if bad != nil {
		return false, bad.At("value")
	}
	h := s.cfg.Records.Suppression(f, v)
	if h == "" {
		return false, fault.InvalidField("privacy.not_identifying", "field", fault.Params{"field": field, "label": f.Label})
	}
	found, err := s.cfg.Store.SuppressedOf(ctx, []string{h})
	if err != nil || !found[h] || !lift {
		return found[h], err
	}
	if _, err := s.cfg.Store.Unsuppress(ctx, []string{h}); err != nil {
		return true, err
	}
	if err := s.cfg.Outside.Lifted(ctx, []string{h}); err != nil {
		return false, err
	}
	return false, s.cfg.Outside.Note(ctx, "privacy.lift", object, 0, map[string]any{"field": field})
}
