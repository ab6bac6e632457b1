package event

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/place"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// located is the member of a context in which country and region stand.
const located = "location"

// locate adds where the event happened to its context, by the address of the person's connection, or where a server passes on by the address that
// it says. What the client says of a location counts more.
func (d *Delivery) locate(e *event.Event, said string) {
	if d.Locate == nil {
		return
	}
	a := d.Address
	if !d.Own {
		var err error
		if a, err = netip.ParseAddr(strings.TrimSpace(said)); err != nil {
			return
		}
	}
	country, region := d.Locate(a)
	if country == "" {
		return
	}
	if bytes.Contains(e.Context, []byte(`"`+located+`"`)) {
		if m := members(e.Context); len(m[located]) > 0 && string(m[located]) != "null" {
			return
		}
		e.Context = without(e.Context, located)
	}
	var b bytes.Buffer
	b.Grow(len(e.Context) + 64)
	b.WriteString(`{"` + located + `":{"by":"address","country":"` + country + `"`)
	if region != "" {
		b.WriteString(`,"region":"` + region + `"`)
	}
	b.WriteByte('}')
	if rest := bytes.TrimPrefix(e.Context, []byte{'{'}); len(rest) > 1 {
		b.WriteByte(',')
		b.Write(rest)
	} else {
		b.WriteByte('}')
	}
	e.Context = b.Bytes()
}

// Locate is Delivery.Locate by the table that the program brings.
func Locate(a netip.Addr) (country, region string) {
	p, _ := place.Of(a)
	return p.Country, p.Region
}

// addressIn is the address of the network in a context, "" for none.
func addressIn(context json.RawMessage) string {
	if !bytes.Contains(context, []byte(`"ip"`)) {
		return ""
	}
	var c struct {
		IP text `json:"ip"`
	}
	if json.Unmarshal(context, &c) != nil {
		return ""
	}
	return string(c.IP)
}
