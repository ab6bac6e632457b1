// Package access says who acts and what they may do. Default is deny.
//
// A role is data (Definition): rights of the workspace as a whole, for each object and action the records it reaches (Scope),
// and for each field how much is seen of it. Four roles are built in, reach every record and cannot be changed; an
// administrator makes others. Held is a role applied to one person: with the people of the person's teams and departments,
// and the records shared with them. Limit turns them into one condition, which is compiled into every question to the
// databases and evaluated in memory for a single record: there is no second definition.
//
// Whatever is not understood is refused: an unknown role, a field or object that is gone, a condition that no longer checks.
package access

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Role is a set of rights.
type Role string

// The roles, from the most to the fewest rights.
const (
	Administrator Role = "administrator"
	Manager       Role = "manager"
	Member        Role = "member"
	ReadOnly      Role = "readonly"
)

// Right is one thing a person may do.
type Right string

// The rights.
const (
	RecordRead         Right = "record.read"
	RecordCreate       Right = "record.create"
	RecordUpdate       Right = "record.update"
	RecordDelete       Right = "record.delete"
	RecordMerge        Right = "record.merge"
	PersonalReveal     Right = "personal.reveal"
	ImportRun          Right = "import.run"
	ExportRun          Right = "export.run"
	SegmentRead        Right = "segment.read"
	SegmentWrite       Right = "segment.write"
	ClassificationEdit Right = "classification.write"
	ViewShare          Right = "view.share"
	UserManage         Right = "user.manage"
	KeyManage          Right = "apikey.manage"
	AuditRead          Right = "audit.read"
	SystemManage       Right = "system.manage"
	SchemaManage       Right = "schema.manage"
	WebhookManage      Right = "webhook.manage"
	RecordShare        Right = "record.share"
	RecordAssign       Right = "record.assign" // give a record another owner
	ReportRead         Right = "report.read"   // figures of the whole workspace
	RoleManage         Right = "role.manage"
	DuplicateManage    Right = "duplicate.manage"
	MailManage         Right = "mail.manage"    // mail servers, and the log of what was sent
	MailSend           Right = "mail.send"      // write to customers
	PrivacyManage      Right = "privacy.manage" // erase people, restrict them, keep the register of their requests, rules of retention
	PrivacyCopy        Right = "privacy.copy"   // everything known about a person as one file, in clear
	AutomationManage   Right = "automation.manage"
	WebRead            Right = "web.read"       // web analytics: visits, pages, funnels, paths, retention
	SourceManage       Right = "source.manage"  // doors that events come by, and their write keys
	EventRead          Right = "event.read"     // events one by one, with their properties
	EventManage        Right = "event.manage"   // the plan of events, and what becomes of rejected ones
	ConsentRead        Right = "consent.read"   // what customers agreed to, with the proof
	ConsentWrite       Right = "consent.write"  // record what customers said
	ConsentManage      Right = "consent.manage" // purposes, wordings, categories
	CampaignRead       Right = "campaign.read"  // campaigns, templates and what came of them
	CampaignWrite      Right = "campaign.write" // write templates and plan campaigns
	CampaignSend       Right = "campaign.send"  // start campaigns, and the rules of contact
	OfferRead          Right = "offer.read"     // offers, their codes and what came of them
	OfferWrite         Right = "offer.write"    // write offers, issue codes and take them back
	OfferUse           Right = "offer.use"      // quote, reserve and redeem codes, as a till does
)

// Rights lists every right, in a fixed order.
func Rights() []Right {
	return []Right{RecordRead, RecordCreate, RecordUpdate, RecordDelete, RecordMerge, PersonalReveal, ImportRun, ExportRun, SegmentRead,
		SegmentWrite, ClassificationEdit, ViewShare, UserManage, KeyManage, AuditRead, SystemManage, SchemaManage, WebhookManage, DuplicateManage,
		RecordShare, RecordAssign, ReportRead, RoleManage, MailManage, MailSend, PrivacyManage, PrivacyCopy, AutomationManage, WebRead, SourceManage, EventRead, EventManage, ConsentRead, ConsentWrite, ConsentManage, CampaignRead, CampaignWrite, CampaignSend, OfferRead, OfferWrite, OfferUse}
}

// Can reports whether a built-in role holds a right; others hold none by their name alone.
func (r Role) Can(right Right) bool {
	switch r {
	case Administrator:
		return true
	case Manager:
		return right != UserManage && right != KeyManage && right != SystemManage && right != SchemaManage && right != WebhookManage &&
			right != RoleManage && right != MailManage && right != AutomationManage && right != SourceManage && right != EventManage && right != ConsentManage
	case Member:
		switch right {
		case RecordRead, RecordCreate, RecordUpdate, SegmentRead, SegmentWrite, PersonalReveal, ReportRead, RecordShare, RecordAssign, MailSend, ConsentRead, ConsentWrite, CampaignRead, OfferRead:
			return true
		}
	case ReadOnly:
		return right == RecordRead || right == SegmentRead || right == ReportRead || right == WebRead || right == ConsentRead || right == CampaignRead || right == OfferRead
	}
	return false
}

// Known reports whether r is one of the four built-in roles.
func (r Role) Known() bool {
	return r == Administrator || r == Manager || r == Member || r == ReadOnly
}

// ActorKind says what sort of actor it is.
type ActorKind string

// The kinds of actor.
const (
	ByUser   ActorKind = "user"
	ByKey    ActorKind = "apikey"
	ByCLI    ActorKind = "cli"
	BySystem ActorKind = "system"
	ByRule   ActorKind = "rule" // an automation; its rights are those of the person it acts as
)

// Actor is who does something: a user's session, an API key, the local command line, or the program itself.
type Actor struct {
	Kind   ActorKind
	ID     id.ID
	Name   string
	Role   Role
	Scopes []string // of an API key: read, write, import, admin, act, checkout; nil for others
	Locale string
	// Person is whose own records count as the actor's: the user, or of an API key the one who made it.
	Person id.ID
	// Held are the rights of a role that is not built in; nil for the built-in ones, which reach every record.
	Held *Held
}

// Can reports whether the actor holds a right, for some records at least where it is one to records; an API key holds what
// both its role and its scopes allow.
func (a Actor) Can(right Right) bool {
	if a.Held == nil && !a.Role.Can(right) || a.Held != nil && !a.Held.Role.Can(right) {
		return false
	}
	if a.Kind != ByKey {
		return true
	}
	for _, s := range a.Scopes {
		if scopeAllows(s, right) {
			return true
		}
	}
	return false
}

// ActScope is the scope of an API key that acts in the name of whoever made it: it answers what they are asked and comments for them.
const ActScope = "act"

// CheckoutScope is the scope of an API key of a shop's checkout: it uses coupons and reads nothing else.
const CheckoutScope = "checkout"

// ActsForMaker reports an API key that acts in the name of whoever made it.
func (a Actor) ActsForMaker() bool { return a.Kind == ByKey && slices.Contains(a.Scopes, ActScope) }

func scopeAllows(scope string, right Right) bool {
	switch scope {
	case "admin":
		return true
	case "read":
		return right == RecordRead || right == SegmentRead || right == ReportRead || right == WebRead || right == ConsentRead || right == CampaignRead || right == OfferRead
	case "write":
		return right == RecordRead || right == SegmentRead || right == RecordCreate || right == RecordUpdate ||
			right == RecordDelete || right == RecordMerge || right == SegmentWrite || right == ClassificationEdit || right == RecordAssign || right == RecordShare ||
			right == ReportRead || right == WebRead || right == ConsentRead || right == ConsentWrite
	case "import":
		return right == ImportRun || right == RecordRead
	case CheckoutScope:
		return right == OfferUse
	}
	return false
}

// System is the program itself, with every right.
func System() Actor { return Actor{Kind: BySystem, Name: "system", Role: Administrator} }

type key struct{}

// With puts the actor into a context.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, key{}, a) }

// From takes the actor out of a context; without one it is an actor that may do nothing.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(key{}).(Actor)
	return a
}
