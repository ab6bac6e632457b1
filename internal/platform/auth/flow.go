package auth

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// FlowKind is what a browser was asked for.
type FlowKind string

// The kinds of flow.
const (
	FlowPasskeyNew    FlowKind = "passkey_new"     // make a passkey
	FlowPasskeySignIn FlowKind = "passkey_sign_in" // sign in with a passkey alone
	FlowPasskeyStep   FlowKind = "passkey_step"    // show a passkey as the second step
	FlowProvider      FlowKind = "provider"        // come back from a provider of identities
)

// Flow is a question that waits for its answer, once and for minutes. Its name is 256 random bits, of which the SHA-256 is stored.
type Flow struct {
	Hash      string
	Kind      FlowKind
	UserID    id.ID // 0 while nobody is known
	Data      []byte
	ExpiresAt time.Time
}

// Flows stores them.
type Flows interface {
	// PutFlow stores one and removes those that are over at now.
	PutFlow(ctx context.Context, f Flow, now time.Time) error
	// TakeFlow removes one and returns it: false when it was taken, or there was none.
	TakeFlow(ctx context.Context, hash string) (Flow, bool, error)
}

// putFlow stores a question and returns the name that its answer must bring.
func (s *Service) putFlow(ctx context.Context, kind FlowKind, user id.ID, data []byte, life time.Duration) (string, error) {
	now, token := s.Clock.Now(), newToken()
	return token, s.Store.PutFlow(ctx, Flow{Hash: hashToken(token), Kind: kind, UserID: user, Data: data, ExpiresAt: now.Add(life)}, now)
}

// takeFlow finds the question to an answer, once. Conflict auth.flow_over when it is over or was another one.
func (s *Service) takeFlow(ctx context.Context, kind FlowKind, user id.ID, token string) ([]byte, error) {
	f, ok, err := s.Store.TakeFlow(ctx, hashToken(token))
	if err != nil {
		return nil, err
	}
	if !ok || f.Kind != kind || f.UserID != user || !s.Clock.Now().Before(f.ExpiresAt) {
		return nil, fault.New(fault.Conflict, "auth.flow_over", nil)
	}
	return f.Data, nil
}
