package app

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/edge/api"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/job"
	"github.com/guanxi-crm/guanxi/internal/record/privacy"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// rotateJob wraps the data keys of a workspace with the current secret.
const rotateJob = "rotate_keys"

// identifiersPhase is the last part of a rotation of the secret.
const identifiersPhase = "identifiers"

// rewrapAtOnce is how many keys one transaction takes: some milliseconds.
const rewrapAtOnce = 500

// rewrapNested is Rewrap of a key with its length before it and what it seals behind (vault, factorVault).
func rewrapNested(keys *crypt.Keyring, owner id.ID, stored []byte) ([]byte, bool, error) {
	if len(stored) < 2 || len(stored) < 2+int(binary.BigEndian.Uint16(stored)) {
		return nil, false, errors.New("a stored key is damaged")
	}
	n := 2 + int(binary.BigEndian.Uint16(stored))
	out, changed, err := keys.Rewrap(owner, stored[2:n])
	if err != nil || !changed {
		return stored, false, err
	}
	fresh := binary.BigEndian.AppendUint16(nil, uint16(len(out))) //nolint:gosec // a wrapped key has 65 bytes
	return append(append(fresh, out...), stored[n:]...), true, nil
}

// secretSource gives the keyring of a workspace the secrets of now, when it meets a key that was wrapped by one it does not know.
func (a *App) secretSource() func() ([][]byte, error) {
	return func() ([][]byte, error) { return a.secrets(context.WithoutCancel(a.ctx)) }
}

// Rotate puts a new secret on top of the key file and has every workspace wrap its data keys with it. With the secret in the
// settings, where only the operator can put a new one, it wraps with the first of these.
func (a *App) rotate(ctx context.Context) error {
	if _, err := a.secrets(ctx); err != nil { // makes the first one
		return err
	}
	if a.Config.Secret == "" {
		if err := crypt.AddSecret(filepath.Join(a.Config.Data, SecretName)); err != nil {
			return err
		}
	}
	all, err := a.instance.Workspaces(ctx)
	if err != nil {
		return err
	}
	who := access.From(ctx)
	for _, info := range all {
		w, err := a.workspace(ctx, info.Key)
		if err != nil {
			return err
		}
		if err := w.renewSecrets(ctx); err != nil {
			return err
		}
		r := &privacy.Rotation{ID: a.ids.Next(), Kind: privacy.SecretRotation, State: privacy.Queued, ByKind: who.Kind, By: who.ID, At: a.Clock.Now().UTC().Truncate(time.Millisecond)}
		if err := (sqlstore.Privacy{Store: w.store}).AddRotation(ctx, r); err != nil {
			return err
		}
		if _, err := a.jobs.Add(ctx, job.Job{Kind: rotateJob, Workspace: info.Key}); err != nil {
			return err
		}
	}
	return a.rewrapFactors(ctx)
}

func (w *workspace) renewSecrets(ctx context.Context) error {
	secrets, err := w.app.secrets(ctx)
	if err != nil {
		return err
	}
	return w.ring.Renew(secrets...)
}

// rewrapFactors wraps the keys of second factors and of the secrets at providers, which belong to the instance.
func (a *App) rewrapFactors(ctx context.Context) error {
	ring, err := factorVault{a}.ring(ctx)
	if err != nil {
		return err
	}
	rewrap := func(owner id.ID, sealed []byte) ([]byte, bool, error) { return rewrapNested(ring, owner, sealed) }
	return errors.Join(a.instance.RewrapFactors(ctx, rewrap), a.instance.RewrapProviders(ctx, rewrap))
}

// unfinished are the rotations of some kinds that are neither done nor paused, the oldest first.
func unfinished(ctx context.Context, store sqlstore.Privacy, kinds ...string) ([]*privacy.Rotation, error) {
	list, err := store.Rotations(ctx, 20)
	if err != nil {
		return nil, err
	}
	slices.Reverse(list)
	return slices.DeleteFunc(list, func(r *privacy.Rotation) bool {
		return r.State == privacy.Done || r.Paused || !slices.Contains(kinds, r.Kind)
	}), nil
}

// runRotation is the job: it takes up every rotation that is not done.
func (a *App) runRotation(ctx context.Context, j job.Job) error {
	w, err := a.workspace(ctx, j.Workspace)
	if err != nil {
		return err
	}
	ctx = system(ctx)
	store := sqlstore.Privacy{Store: w.store}
	list, err := unfinished(ctx, store, privacy.SecretRotation)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := w.renewSecrets(ctx); err != nil {
			return err
		}
		if err := w.rewrap(ctx, store, r); err != nil {
			return fmt.Errorf("wrap keys: %w", err)
		}
	}
	return nil
}

func (w *workspace) rewrap(ctx context.Context, store sqlstore.Privacy, r *privacy.Rotation) error {
	places := sqlstore.Wrappings()
	if r.State == privacy.Queued {
		r.State, r.Phase = privacy.Running, places[0].Phase
		for _, p := range places {
			n, err := store.CountWrapped(ctx, p)
			if err != nil {
				return err
			}
			r.Total += n
		}
		n, err := w.events.store.CountSealed(ctx)
		if err != nil {
			return err
		}
		r.Total += n
	}
	at := 0
	for i, p := range places {
		if p.Phase == r.Phase {
			at = i
		}
	}
	if r.Phase == identifiersPhase {
		at = len(places)
	}
	for _, p := range places[at:] {
		if p.Phase != r.Phase {
			r.Phase, r.Cursor = p.Phase, 0
		}
		take := w.ring.Rewrap
		if p.Nested {
			take = func(owner id.ID, stored []byte) ([]byte, bool, error) { return rewrapNested(w.ring, owner, stored) }
		}
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			if more, err = store.Rewrap(ctx, p, r, rewrapAtOnce, take); err != nil {
				return err
			}
			w.app.hub.Publish(w.info.Key, api.Event{Kind: "privacy"})
		}
	}
	if err := w.rewrapIdentifiers(ctx, store, r); err != nil {
		return err
	}
	r.State, r.Phase, r.FinishedAt = privacy.Done, "", w.app.Clock.Now().UTC().Truncate(time.Millisecond)
	r.Total = r.Done
	if err := store.SaveRotation(ctx, r); err != nil {
		return err
	}
	w.app.hub.Publish(w.info.Key, api.Event{Kind: "privacy"})
	return w.app.auth.Note(ctx, w.info.Key, "keys.rotated", "", 0, map[string]any{"keys": r.Done})
}

// rewrapIdentifiers wraps the keys of the identifiers of events. They lie with the events, in a database of their own, so where the
// rotation stands is stored after each portion; a portion that is done again finds nothing to do.
func (w *workspace) rewrapIdentifiers(ctx context.Context, store sqlstore.Privacy, r *privacy.Rotation) error {
	if r.Phase != identifiersPhase {
		r.Phase, r.Cursor = identifiersPhase, 0
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		last, seen, err := w.events.store.Rewrap(ctx, r.Cursor, rewrapAtOnce, w.ring.RewrapText)
		if err != nil {
			return err
		}
		more = seen == rewrapAtOnce
		r.Cursor = last
		r.Done += int64(seen)
		if err := store.SaveRotation(context.WithoutCancel(ctx), r); err != nil {
			return err
		}
		w.app.hub.Publish(w.info.Key, api.Event{Kind: "privacy"})
	}
	return nil
}

// keyService implements api.KeyService.
type keyService struct{ w *workspace }

var _ api.KeyService = keyService{}

// Keys implements api.KeyService.
func (k keyService) Keys(ctx context.Context) (api.Keys, error) {
	secrets, err := k.w.app.secrets(ctx)
	if err != nil {
		return api.Keys{}, err
	}
	out := api.Keys{Secrets: len(secrets), File: k.w.app.Config.Secret == "", Rotations: []api.KeyRotation{}}
	list, err := sqlstore.Privacy{Store: k.w.store}.Rotations(ctx, 10)
	for _, r := range list {
		v := api.KeyRotation{ID: id.Format(rotationPrefix, r.ID), Kind: r.Kind, State: string(r.State), Paused: r.Paused, Done: r.Done, Total: max(r.Total, r.Done), Changed: r.Changed, At: r.At}
		v.Phase, v.Object, _ = strings.Cut(r.Phase, " ")
		if r.Spent > 0 {
			v.PerSecond = r.Changed * 1000 / r.Spent
		}
		if !r.FinishedAt.IsZero() {
			v.FinishedAt = &r.FinishedAt
		}
		out.Rotations = append(out.Rotations, v)
	}
	return out, err
}

// rotationPrefix is that of printed ids of rotations.
const rotationPrefix = "rot"

// Pause implements api.KeyService.
func (k keyService) Pause(ctx context.Context, rotation string, on bool) error {
	v, err := id.Parse(rotationPrefix, rotation)
	if err != nil {
		return fault.New(fault.NotFound, "app.not_rotating", nil)
	}
	return k.w.pauseExchange(ctx, v, on)
}

// Rotate implements api.KeyService. One that is under way is the Conflict app.rotating.
func (k keyService) Rotate(ctx context.Context, what string) error {
	if what == "" {
		what = privacy.SecretRotation
	}
	if what != privacy.SecretRotation && what != privacy.DataRotation && what != privacy.IndexRotation {
		return fault.InvalidField("app.rotate_what", "what", nil)
	}
	list, err := sqlstore.Privacy{Store: k.w.store}.Rotations(ctx, 10)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.State != privacy.Done {
			return fault.New(fault.Conflict, "app.rotating", nil)
		}
	}
	if what != privacy.SecretRotation {
		return k.w.beginExchange(ctx, what)
	}
	if err := k.w.app.rotate(ctx); err != nil {
		return err
	}
	return k.w.app.auth.Note(ctx, k.w.info.Key, "keys.rotate", "", 0, nil)
}
