package app

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/platform/mail"
)

// returnedMails implements api.ReturnedMails: each mail server has an address for what comes back.
type returnedMails struct {
	w    *workspace
	keys *crypt.Keyring
}

const returnedSign = "returned|"

// Token implements api.ReturnedMails.
func (r returnedMails) Token(profile id.ID) string {
	msg := binary.BigEndian.AppendUint64([]byte(returnedSign), uint64(profile)) //nolint:gosec // ids are positive
	return r.w.info.Key + "." + base64.RawURLEncoding.EncodeToString(r.keys.Sign(msg))
}

// profile is whose address a token is; 0 for nobody's.
func (r returnedMails) profile(ctx context.Context, token string) (id.ID, error) {
	_, text, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, nil
	}
	msg, ok := r.keys.Verify(raw)
	rest, ours := strings.CutPrefix(string(msg), returnedSign)
	if !ok || !ours || len(rest) != 8 {
		return 0, nil
	}
	key := id.ID(binary.BigEndian.Uint64([]byte(rest))) //nolint:gosec // ours
	all, err := r.w.edge.Mail.List(ctx)
	for _, p := range all {
		if p.ID == key {
			return key, err
		}
	}
	return 0, err
}

// Take implements api.ReturnedMails. What says nothing about an address, and what is told of a message that is not kept any more, changes nothing.
func (r returnedMails) Take(ctx context.Context, token string, raw []byte) error {
	ctx = system(ctx)
	key, err := r.profile(ctx, token)
	if err == nil && key == 0 {
		err = fault.New(fault.NotFound, "mail.profile_not_found", nil)
	}
	if err != nil {
		return err
	}
	v, err := mail.ReadReturned(raw)
	if err != nil || !v.Failed && !v.Complaint {
		return err
	}
	err = r.w.edge.Campaigns.Bounce(ctx, v.ID, v.Hard, v.Complaint, v.Code)
	if fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return err
}
