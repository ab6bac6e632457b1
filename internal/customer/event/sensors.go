package event

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// What a 神策 message becomes:
//
//	track               Track; $pageview a Page; $MPViewScreen, $AppViewScreen a Screen
//	profile_set         Identify with the traits
//	profile_set_once    Identify with {"$set_once": traits}; likewise $append, $increment, $unset (a list of names) and $delete (true)
//	track_signup        Identify that joins original_id and distinct_id to the user distinct_id: two events, since later messages of the
//	                    same SDK name the user by distinct_id alone
//	item_set, item_delete   refused one by one: items belong to nobody
//
// The user is login_id, else the login of identities, else distinct_id where $is_login_id is set; otherwise distinct_id is anonymous.
// Preset properties of page, campaign, device and program become the context; the others stay as they are.

// sensorsItem is one message.
type sensorsItem struct {
	Type       text            `json:"type"`
	Event      text            `json:"event"`
	Distinct   text            `json:"distinct_id"`
	Original   text            `json:"original_id"`
	Login      text            `json:"login_id"`
	Anonymous  text            `json:"anonymous_id"`
	Identities texts           `json:"identities"`
	Time       json.RawMessage `json:"time"`
	Flush      json.RawMessage `json:"_flush_time"`
	Track      text            `json:"_track_id"`
	Free       text            `json:"time_free"`
	Properties json.RawMessage `json:"properties"`
	Lib        json.RawMessage `json:"lib"`
}

// texts are the members of an object that are texts or numbers; anything but an object has none.
type texts map[string]text

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(raw []byte) error {
	*t = texts{}
	for k, v := range members(raw) {
		var one text
		if err := one.UnmarshalJSON(v); err != nil {
			return err
		}
		(*t)[k] = one
	}
	return nil
}

// Sensors reads a call of a 神策 SDK: form or query holds data (one message) or data_list (several), JSON in base64, packed with gzip or
// not; body is the JSON itself where neither is there. Like Segment it fails only as a whole when nothing can be read or it is too large.
func Sensors(form url.Values, body []byte, d *Delivery) ([]Item, error) {
	raw := body
	for _, name := range []string{"data_list", "data"} {
		if v := form.Get(name); v != "" {
			var err error
			if raw, err = unpack(v); err != nil {
				return nil, err
			}
			break
		}
	}
	if raw = trimmed(raw); len(raw) > MaxBatch {
		return nil, Oversize(MaxBatch)
	}
	if len(raw) == 0 || !json.Valid(raw) {
		return nil, Unparseable()
	}
	list := []json.RawMessage{raw}
	switch raw[0] {
	case '{':
	case '[':
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, Unparseable()
		}
	default:
		return nil, Unparseable()
	}
	var items []Item
	for i, raw := range list {
		if i >= MaxEvents {
			items = append(items, Item{Raw: raw, Fault: fault.New(fault.Invalid, "event.batch_full", fault.Params{"limit": MaxEvents})})
			continue
		}
		items = d.sensorsOne(items, raw)
	}
	return items, nil
}

// unpack reads base64, of either alphabet and with spaces where a form turned its plus signs into them, and gzip in it.
func unpack(s string) ([]byte, error) {
	if len(s) > 4*MaxBatch {
		return nil, Oversize(MaxBatch)
	}
	if t := strings.TrimSpace(s); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
		return []byte(t), nil
	}
	s = strings.NewReplacer(" ", "+", "-", "+", "_", "/", "\n", "", "\r", "").Replace(s)
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, Unparseable()
	}
	return Unzip(raw, MaxBatch)
}

// Unzip is a body without its gzip, told by its first bytes whatever its headers say. What unpacks to more than limit bytes is refused
// without being unpacked further.
func Unzip(raw []byte, limit int) ([]byte, error) {
	if len(raw) < 2 || raw[0] != 0x1f || raw[1] != 0x8b {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, Unparseable()
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(limit)+1))
	if len(out) > limit {
		return nil, Oversize(limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, Unparseable()
	}
	return out, nil
}

// views are the preset events of the SDKs for a page or screen that was seen.
var views = map[string]event.Kind{"$pageview": event.Page, "$MPViewScreen": event.Screen, "$AppViewScreen": event.Screen}

var profileWords = map[string]string{"profile_set_once": "$set_once", "profile_append": "$append", "profile_increment": "$increment"}

func (d *Delivery) sensorsOne(items []Item, raw json.RawMessage) []Item {
	it := Item{Raw: raw}
	refuse := func(f *fault.Fault) []Item {
		it.Fault = f
		return append(items, it)
	}
	var m sensorsItem
	if len(raw) > MaxEvent {
		it.Raw = nil
		return refuse(fault.New(fault.Invalid, "event.too_large", fault.Params{"limit": MaxEvent >> 10}))
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return refuse(refused("not_an_object", "", nil))
	}
	e := &it.Event
	given, ok := object(m.Properties)
	if !ok {
		return refuse(refused("not_an_object", "properties", nil))
	}
	props := members(given)
	m.persons(e, props)
	e.Context = m.context(props)
	c := claim{original: m.Time, sent: m.Flush, free: m.Free == "true"}
	var said text
	if said.UnmarshalJSON(props["$ip"]) == nil {
		c.address = string(said)
	}
	if c.address == "" && !d.Own && m.client() && d.Address.IsValid() { // an SDK in the person's hand
		c.address = d.Address.String()
	}
	delete(props, "$ip")
	rest := joined(props)
	if c.free {
		e.Flags |= event.Historic
	}
	if s, ok := strings.CutPrefix(string(m.Type), "profile_"); ok && s != "" {
		e.Kind = event.Identify
		if e.Properties, ok = m.profile(props, rest); !ok {
			return refuse(refused("kind_unknown", "type", fault.Params{"type": cut(string(m.Type), 40)}))
		}
	} else {
		switch m.Type {
		case "track", "track_id_bind", "track_id_unbind":
			e.Kind, e.Properties = event.Track, rest
			if k := views[string(m.Event)]; k != "" {
				e.Kind = k
			}
		case "track_signup":
			e.Kind, e.Properties = event.Identify, emptyObject
			e.UserID, e.AnonymousID = string(m.Distinct), string(m.Original)
		case "item_set", "item_delete":
			return refuse(refused("item", "type", nil))
		default:
			return refuse(refused("kind_unknown", "type", fault.Params{"type": cut(string(m.Type), 40)}))
		}
	}
	e.Name = nameOf(e.Kind, string(m.Event))
	e.MessageID = m.messageID(d, given)
	d.finish(&it, c)
	items = append(items, it)
	if it.Fault == nil && m.Type == "track_signup" && m.Original != m.Distinct && m.Original != "" {
		self := it
		self.Event.AnonymousID = string(m.Distinct)
		self.Event.MessageID = messageID(it.Event.MessageID + "#2")
		self.Event.Hash = self.Event.ContentHash()
		items = append(items, self)
	}
	return items
}

// clients are the SDKs that run where the person is.
var clients = []string{"js", "iOS", "Android", "HarmonyOS", "MiniProgram", "MiniGame", "WechatMini", "AlipayMini", "BaiduMini", "BytedanceMini", "QQMini", "KuaishouMini", "quickapp", "ReactNative", "Flutter", "macOS", "uniapp"}

// client reports whether the message was sent by the person's own device.
func (m *sensorsItem) client() bool {
	var name text
	if v := members(m.Lib)["$lib"]; v == nil || name.UnmarshalJSON(v) != nil {
		return false
	}
	return slices.ContainsFunc(clients, func(c string) bool { return strings.EqualFold(c, string(name)) })
}

// persons finds out who a message is of.
func (m *sensorsItem) persons(e *event.Event, props map[string]json.RawMessage) {
	pick := func(names ...string) string {
		for _, n := range names {
			if v := m.Identities[n]; v != "" {
				return string(v)
			}
		}
		return ""
	}
	e.UserID, e.AnonymousID = string(m.Login), string(m.Anonymous)
	if e.UserID == "" {
		e.UserID = pick("$identity_login_id")
	}
	if e.AnonymousID == "" {
		e.AnonymousID = pick("$identity_anonymous_id", "$identity_cookie_id", "$identity_android_id", "$identity_idfv", "$identity_harmony_id")
	}
	login := string(props["$is_login_id"]) == "true"
	switch {
	case e.UserID == "" && login:
		e.UserID = string(m.Distinct)
	case e.AnonymousID == "" && string(m.Distinct) != e.UserID:
		e.AnonymousID = string(m.Distinct)
	}
	delete(props, "$is_login_id")
}

// profile are the traits of a profile message with what is to be done with them.
func (m *sensorsItem) profile(props map[string]json.RawMessage, rest json.RawMessage) (json.RawMessage, bool) {
	switch m.Type {
	case "profile_set":
		return rest, true
	case "profile_delete":
		return json.RawMessage(`{"$delete":true}`), true
	case "profile_unset":
		return put(emptyObject, "$unset", encode(sorted(keysOf(props)))), true
	}
	word, known := profileWords[string(m.Type)]
	return put(emptyObject, word, rest), known
}

// preset are properties of the SDKs with their places in the context.
var preset = map[string][2]string{
	"$url": {"page", "url"}, "$url_path": {"page", "path"}, "$title": {"page", "title"}, "$referrer": {"page", "referrer"},
	"$utm_source": {"campaign", "source"}, "$utm_medium": {"campaign", "medium"}, "$utm_campaign": {"campaign", "name"}, "$utm_term": {"campaign", "term"}, "$utm_content": {"campaign", "content"},
	"$os": {"os", "name"}, "$os_version": {"os", "version"}, "$browser": {"browser", "name"}, "$browser_version": {"browser", "version"},
	"$manufacturer": {"device", "manufacturer"}, "$brand": {"device", "brand"}, "$model": {"device", "model"}, "$device_id": {"device", "id"},
	"$screen_width": {"screen", "width"}, "$screen_height": {"screen", "height"}, "$app_name": {"app", "name"}, "$app_id": {"app", "namespace"}, "$app_version": {"app", "version"},
	"$network_type": {"network", "type"}, "$carrier": {"network", "carrier"}, "$lib": {"library", "name"}, "$lib_version": {"library", "version"},
	"$user_agent": {"userAgent", ""}, "$language": {"locale", ""}, "$timezone_offset": {"timezoneOffset", ""},
}

// context takes what belongs to the context out of the properties.
func (m *sensorsItem) context(props map[string]json.RawMessage) json.RawMessage {
	out := map[string]any{}
	for name, at := range preset {
		v, there := props[name]
		if !there {
			continue
		}
		delete(props, name)
		if at[1] == "" {
			out[at[0]] = v
			continue
		}
		group, _ := out[at[0]].(map[string]any)
		if group == nil {
			group = map[string]any{}
			out[at[0]] = group
		}
		group[at[1]] = v
	}
	if lib := members(m.Lib); out["library"] == nil && lib["$lib"] != nil {
		out["library"] = map[string]any{"name": lib["$lib"], "version": lib["$lib_version"]}
	}
	traits := map[string]string{}
	for name, trait := range map[string]string{"$identity_mobile": "phone", "$identity_email": "email"} {
		if v := m.Identities[name]; v != "" {
			traits[trait] = string(v)
		}
	}
	if len(traits) > 0 {
		out["traits"] = traits
	}
	if len(m.Identities) > 0 {
		var ids []map[string]string
		for _, name := range sorted(keysOf(m.Identities)) {
			if kind := external[name]; kind != "" && m.Identities[name] != "" {
				ids = append(ids, map[string]string{"type": kind, "id": string(m.Identities[name])})
			}
		}
		if ids != nil {
			out["externalIds"] = ids
		}
	}
	o, _ := object(encode(out))
	return o
}

// external are identities that stand in context.externalIds, as the Segment specification has them. Phone and e-mail become traits of the
// context, where personal values are sealed.
var external = map[string]string{"$identity_mp_openid": "openid", "$identity_mp_unionid": "unionid", "$identity_wechat_openid": "openid", "$identity_wechat_unionid": "unionid"}

// messageID is of everything that a resend repeats: the SDKs send no id of their own but _track_id, which repeats after a while.
func (m *sensorsItem) messageID(d *Delivery, given json.RawMessage) string {
	when, _ := d.instant(m.Time)
	if when == 0 && m.Track == "" {
		return ""
	}
	e := event.Event{Source: d.Source, Kind: event.Kind(m.Type), Name: string(m.Event), OriginalAt: when, UserID: string(m.Distinct), AnonymousID: string(m.Original), GroupID: string(m.Track), Properties: given}
	return fmt.Sprintf("sa-%016x", uint64(e.ContentHash())) //nolint:gosec // the same bits
}
