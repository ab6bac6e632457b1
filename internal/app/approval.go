package app

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/engage/talk"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/mass"
	"github.com/guanxi-crm/guanxi/internal/record/rights"
	"github.com/guanxi-crm/guanxi/internal/record/timeline"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newApprovals makes what lets writes wait for agreement, and makes the record engine ask it.
func (w *workspace) newApprovals(keys *crypt.Keyring) {
	a := w.app
	w.newStages() // a gate is asked first: what it refuses need not be agreed to
	w.approvals = approval.New(approval.Config{Store: sqlstore.NewApprovals(w.store), Records: w.records, People: organisation{w}, Registry: w.registry, Clock: a.Clock, IDs: a.ids,
		Vault: approvalVault{keys}, Exports: approvedExports{w}, Log: a.Log,
		Tell: w.tellOfApprovals,
		Note: func(ctx context.Context, action, object string, rec id.ID, detail map[string]any) error {
			return a.auth.Note(ctx, w.info.Key, action, object, rec, detail)
		},
		Moved: w.requestMoved,
		Publish: func(r *approval.Request) {
			printed := ""
			if obj := w.registry().Object(r.Object); obj != nil && r.Record != 0 {
				printed = id.Format(obj.Prefix, r.Record)
			}
			a.hub.Publish(w.info.Key, api.Event{Kind: "approval", Object: r.Object, ID: printed})
		}})
	w.records.RegisterGuard(w.approvals)
}

// tellOfApprovals passes on what people are told of requests.
func (w *workspace) tellOfApprovals(ctx context.Context, list []approval.Notice) error {
	told := make([]talk.Notification, len(list))
	for i, n := range list {
		told[i] = talk.Notification{User: n.User, Kind: talk.Approval, Object: n.Request.Object, Record: n.Request.Record, ByKind: n.ByKind, By: n.By, Once: n.Once,
			Detail: talk.Detail{Approval: id.Format(approval.Prefix, n.Request.ID), Text: n.Request.Name, Status: n.Status}}
	}
	return w.talk.Tell(ctx, told...)
}

// organisation is who there is in a workspace, as approvals know it.
type organisation struct{ w *workspace }

// People implements approval.Directory.
func (o organisation) People(ctx context.Context) ([]approval.Person, error) {
	list, err := people{o.w.app, o.w.info.Key}.Members(ctx)
	out := make([]approval.Person, len(list))
	for i, m := range list {
		out[i] = approval.Person{ID: m.ID, Name: m.Name, Role: m.Role, Disabled: m.Disabled}
	}
	return out, err
}

// Units implements approval.Directory.
func (o organisation) Units(ctx context.Context) ([]approval.Unit, error) {
	list, err := o.w.edge.Rights.Units(ctx)
	out := make([]approval.Unit, len(list))
	for i, u := range list {
		out[i] = approval.Unit{ID: u.ID, Parent: u.Parent, Name: u.Name, Department: u.Kind == rights.Department, Head: u.Head, Members: u.Members}
	}
	return out, err
}

// Actor implements approval.Directory.
func (o organisation) Actor(ctx context.Context, who approval.Actor) (access.Actor, error) {
	actor, err := o.w.app.auth.Present(ctx, o.w.info.Key, who.Kind, who.ID)
	if err != nil {
		return actor, err
	}
	actor.Person, actor.Locale = who.Person, who.Locale
	return o.w.edge.Rights.Resolve(ctx, actor)
}

// Role implements approval.Directory.
func (o organisation) Role(ctx context.Context, role access.Role) (bool, error) {
	if role.Known() {
		return true, nil
	}
	names, err := o.w.edge.Rights.Names(ctx)
	_, ok := names[role]
	return ok, err
}

// approvalVault seals proposals: the length of the wrapped key, that key, and what it sealed.
type approvalVault struct{ keys *crypt.Keyring }

func (v approvalVault) place(request id.ID) crypt.Place {
	return crypt.Place{Object: "approval", Field: "content", Record: request}
}

// Seal implements approval.Vault.
func (v approvalVault) Seal(request id.ID, plain []byte) ([]byte, error) {
	key, wrapped, err := v.keys.NewKey(request)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(wrapped)))
	return append(append(out, wrapped...), v.keys.Seal(key, v.place(request), plain)...), nil
}

// Open implements approval.Vault.
func (v approvalVault) Open(request id.ID, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || len(sealed) < 2+int(binary.BigEndian.Uint16(sealed)) {
		return nil, errors.New("a stored proposal is damaged")
	}
	n := 2 + int(binary.BigEndian.Uint16(sealed))
	v.keys.Forget(request) // a proposal that was corrected has another key
	key, err := v.keys.Unwrap(request, sealed[2:n])
	if err != nil {
		return nil, err
	}
	return v.keys.Open(key, v.place(request), sealed[n:])
}

// exportPass marks an export that was agreed to.
type exportPass struct{}

// permitExport refuses an export that must wait for agreement.
func (w *workspace) permitExport(ctx context.Context, object string) error {
	if ctx.Value(exportPass{}) != nil || access.From(ctx).Kind == access.BySystem {
		return nil
	}
	name, err := w.approvals.ExportNeeds(ctx, object)
	if err == nil && name != "" {
		err = fault.New(fault.Conflict, "approval.needed", fault.Params{"process": name, "action": "export"})
	}
	return err
}

// approvedExports starts exports that were agreed to.
type approvedExports struct{ w *workspace }

// Export implements approval.Exporter.
func (e approvedExports) Export(ctx context.Context, job id.ID, order []byte) error {
	var o mass.Order
	if err := json.Unmarshal(order, &o); err != nil {
		return err
	}
	o.Key = job
	if _, err := e.w.mass.Get(system(ctx), job); fault.KindOf(err) != fault.NotFound || err == nil {
		return err
	}
	_, err := e.w.mass.Start(context.WithValue(ctx, exportPass{}, true), o)
	return err
}

// agreements are what happened in requests, for the timeline.
type agreements struct{ w *workspace }

// Agreements implements timeline.Agreements.
func (a agreements) Agreements(ctx context.Context, rec id.ID, until time.Time, limit int) ([]timeline.Agreement, error) {
	list, err := sqlstore.NewApprovals(a.w.store).Events(ctx, rec, until, limit)
	out := make([]timeline.Agreement, 0, len(list))
	for _, e := range list {
		switch e.Kind {
		case approval.EvSubmitted, approval.EvApproved, approval.EvRejected, approval.EvReturned, approval.EvWithdrawn, approval.EvApplied, approval.EvFailed, approval.EvExpired, approval.EvNobody:
			out = append(out, timeline.Agreement{ID: e.ID, Request: e.Request, At: e.At, ByKind: e.ByKind, By: e.By, What: string(e.Kind), Step: e.Step, Comment: e.Comment})
		default:
		}
	}
	return out, err
}
