package ingest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"sync"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
)

// Salts keeps the secrets of days. The one of a day is made when it is asked for first, and is gone for good two days later: from then
// on nobody can say whose an id was.
type Salts interface {
	Salt(ctx context.Context, day clock.Day) ([]byte, error)
}

// Visitors gives ids to visitors who agreed to nothing, so that a visit can be counted and nobody followed: a hash of the address, the
// browser's name and the source under the secret of the day. Neither is kept. Tomorrow the same visitor has another id, but for one who
// is there over midnight: as long as they stay, that of the day before is theirs.
type Visitors struct {
	salts Salts
	clock clock.Clock
	zone  func() *time.Location

	mu   sync.Mutex
	day  clock.Day
	salt map[clock.Day][]byte
	seen map[string]int64 // ids of the last half hour, when they were last there in milliseconds
	late map[string]int64 // those of yesterday who stay
}

const (
	visitIdle   = 30 * time.Minute
	seenAtMost  = 200_000
	visitorMark = "v_"
)

// NewVisitors makes one for a workspace.
func NewVisitors(salts Salts, c clock.Clock, zone func() *time.Location) *Visitors {
	return &Visitors{salts: salts, clock: c, zone: zone, salt: map[clock.Day][]byte{}, seen: map[string]int64{}, late: map[string]int64{}}
}

var spelled = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// ID is the id of the visitor at an address with a browser.
func (v *Visitors) ID(ctx context.Context, source id.ID, address, userAgent string) (string, error) {
	now := v.clock.Now()
	today := clock.DayOf(now, v.zone())
	own, before, err := v.secrets(ctx, today)
	if err != nil {
		return "", err
	}
	hash := func(salt []byte) string {
		mac := hmac.New(sha256.New, salt)
		for _, part := range []string{strconv.FormatInt(int64(source), 10), address, userAgent} {
			_, _ = mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
		}
		return visitorMark + spelled.EncodeToString(mac.Sum(nil)[:15])
	}
	name, old := hash(own), ""
	if before != nil {
		old = hash(before)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turn(today)
	ms := now.UnixMilli()
	if at, there := v.late[old]; there && ms-at < visitIdle.Milliseconds() {
		v.late[old] = ms
		return old, nil
	}
	delete(v.late, old)
	if len(v.seen) < seenAtMost || v.seen[name] != 0 {
		v.seen[name] = ms
	} else {
		v.sweep(ms)
	}
	return name, nil
}

// turn begins a day: whoever was there a moment ago stays who they are.
func (v *Visitors) turn(today clock.Day) {
	if v.day == today {
		return
	}
	v.late = map[string]int64{}
	if v.day == today-1 {
		v.late = v.seen
	}
	v.day, v.seen = today, map[string]int64{}
}

func (v *Visitors) sweep(now int64) {
	for name, at := range v.seen {
		if now-at > visitIdle.Milliseconds() {
			delete(v.seen, name)
		}
	}
}

// secrets are those of today and of the day before.
func (v *Visitors) secrets(ctx context.Context, today clock.Day) (own, before []byte, err error) {
	v.mu.Lock()
	own, before = v.salt[today], v.salt[today-1]
	v.mu.Unlock()
	if own != nil && before != nil {
		return own, before, nil
	}
	if own, err = v.salts.Salt(ctx, today); err != nil {
		return nil, nil, err
	}
	if before, err = v.salts.Salt(ctx, today-1); err != nil {
		return nil, nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.salt = map[clock.Day][]byte{today: own, today - 1: before}
	return own, before, nil
}
