package event

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/event"
)

// Sealed is the member that takes the place of a personal value: {"$sealed":"…"}.
const Sealed = "$sealed"

// Personal says what a member of traits or properties holds.
type Personal string

// The kinds of personal values.
const (
	Phone    Personal = "phone"
	Email    Personal = "email"
	Identity Personal = "id_number"
	Street   Personal = "address"
)

// Names of members by what they hold, folded: lower case, without separators and the mark of preset members.
var personalNames = map[string]Personal{
	"phone": Phone, "mobile": Phone, "mobilephone": Phone, "mobilenumber": Phone, "phonenumber": Phone, "cellphone": Phone, "telephone": Phone, "tel": Phone, "identitymobile": Phone,
	"手机": Phone, "手机号": Phone, "手机号码": Phone, "电话": Phone, "电话号码": Phone, "联系电话": Phone,
	"email": Email, "mail": Email, "emailaddress": Email, "identityemail": Email, "邮箱": Email, "电子邮箱": Email, "电子邮件": Email,
	"idnumber": Identity, "idcard": Identity, "idcardnumber": Identity, "idcardno": Identity, "identitynumber": Identity, "identitycard": Identity, "身份证": Identity, "身份证号": Identity, "身份证号码": Identity,
	"address": Street, "street": Street, "streetaddress": Street, "street1": Street, "street2": Street, "address1": Street, "address2": Street, "addressline1": Street, "addressline2": Street,
	"shippingaddress": Street, "billingaddress": Street, "地址": Street, "详细地址": Street, "收货地址": Street, "街道": Street,
}

// hints are parts of those names in lower case: an object in which none stands holds nothing personal. They leave out what a user agent says.
var hints = [][]byte{[]byte("phone"), []byte(`mobile"`), []byte("mobilen"), []byte("mobile_"), []byte("mobile-"), []byte("mobile p"), []byte("mobile n"), []byte("tel"), []byte("mail"), []byte("address"),
	[]byte("street"), []byte("dentity"), []byte("idcard"), []byte("idnum"), []byte("id_card"), []byte("id_num"), []byte("id-card"), []byte("id-num"), []byte("id card"), []byte("id num"),
	[]byte("手机"), []byte("电话"), []byte("邮"), []byte("身份证"), []byte("地址"), []byte("街道")}

func personal(name string) Personal {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '$' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	return personalNames[name]
}

// Value is a personal value in clear, in the hands of whoever seals it or asks whether its owner was erased.
type Value struct {
	Kind Personal
	Text string
}

// sealing walks through an object and puts what seal makes of personal values in their places.
type sealing struct {
	seal  func(Value) string
	found []Value
	lower []byte // used again
	bare  bool   // of what is not accepted: addresses of the network and the write key are taken out, and every text that is a phone number or address of mail is sealed
	all   bool   // every such text is sealed, without taking anything out
}

// object is an object with its personal values sealed; one without any is answered as it is.
func (s *sealing) object(raw json.RawMessage) json.RawMessage {
	if !s.bare && !s.all && !s.hinted(raw) {
		return raw
	}
	v, err := decode(raw)
	if err != nil {
		return emptyObject
	}
	n := len(s.found)
	v = s.walk(v, "", 0)
	if len(s.found) == n && !s.bare {
		return raw
	}
	return encode(v)
}

// hinted reports whether something personal may stand in an object.
func (s *sealing) hinted(raw []byte) bool {
	s.lower = lowered(s.lower[:0], raw)
	for _, h := range hints {
		if bytes.Contains(s.lower, h) {
			return true
		}
	}
	return false
}

// deepest bounds the walk; what lies deeper is sealed whole where a personal member leads there, and has no meaning to anybody else.
const deepest = 32

func (s *sealing) walk(v any, as Personal, depth int) any {
	if depth > deepest {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		if _, done := v[Sealed]; done && len(v) == 1 {
			return v
		}
		for k, x := range v {
			if s.bare && (k == "ip" || k == "$ip" || k == "writeKey") {
				delete(v, k)
				continue
			}
			kind := personal(k)
			_, deeper := x.(map[string]any)
			if kind == Street && deeper { // an address by parts: the street is among them
				kind = ""
			}
			v[k] = s.walk(x, kind, depth+1)
		}
	case []any:
		for i := range v {
			v[i] = s.walk(v[i], as, depth+1)
		}
	case string:
		if as = s.kind(as, v); as != "" && v != "" {
			return s.one(Value{as, v})
		}
	case json.Number:
		if as = s.kind(as, v.String()); as != "" {
			return s.one(Value{as, v.String()})
		}
	}
	return v
}

// kind is what a text is by the name that it stands under, or by itself where that is asked for.
func (s *sealing) kind(as Personal, text string) Personal {
	if as == "" && (s.bare || s.all) {
		return somebody(text)
	}
	return as
}

// somebody is what a text is that stands for somebody by itself: Phone, Email, or "" for neither.
func somebody(text string) Personal {
	if len(text) < 6 || len(text) > maxID {
		return ""
	}
	if strings.Contains(text, "@") {
		if _, ok := lang.NormaliseEmail(text); ok {
			return Email
		}
		return ""
	}
	if p, ok := lang.NormalisePhone(text, "CN"); ok && lang.PhoneOperator(p) != "" {
		return Phone
	}
	return ""
}

func (s *sealing) one(v Value) any {
	s.found = append(s.found, v)
	return map[string]any{Sealed: s.seal(v)}
}

// event seals what an event holds. Of a robot's, by which nobody is to be found, ids that are a phone number or an address of mail are replaced by
// what mark makes of them.
func (s *sealing) event(e *event.Event, mark func(string) string) {
	if s.all = e.Flags.Has(event.Bot); s.all {
		for _, id := range []*string{&e.UserID, &e.AnonymousID, &e.GroupID, &e.PreviousID} {
			if somebody(*id) != "" {
				*id = mark(*id)
			}
		}
	}
	e.Properties, e.Context = s.object(e.Properties), s.object(e.Context)
}

// Unsealed is an object with its sealed values in clear, for whoever takes it through the door again. What cannot be opened stays as it is.
func Unsealed(raw json.RawMessage, open func(sealed json.RawMessage) (string, error)) json.RawMessage {
	v, err := decode(raw)
	if err != nil {
		return raw
	}
	return encode(unsealed(v, open, 0))
}

func unsealed(v any, open func(json.RawMessage) (string, error), depth int) any {
	if depth > deepest {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		if _, sealed := v[Sealed]; sealed && len(v) == 1 {
			if text, err := open(encode(v)); err == nil {
				return text
			}
			return v
		}
		for k, x := range v {
			v[k] = unsealed(x, open, depth+1)
		}
	case []any:
		for i := range v {
			v[i] = unsealed(v[i], open, depth+1)
		}
	}
	return v
}

// SameName is an identifier in the form in which Names compares: phone numbers and addresses of mail however they are written.
func SameName(text string) string {
	text = strings.TrimSpace(text)
	switch somebody(text) {
	case Phone:
		text, _ = lang.NormalisePhone(text, "CN")
	case Email:
		text, _ = lang.NormaliseEmail(text)
	}
	return text
}

// Names reports whether one of some identifiers, in the form of SameName, stands anywhere in an object as a whole text or number, sealed or not.
func Names(raw json.RawMessage, who map[string]bool, open func(sealed json.RawMessage) (string, error)) bool {
	v, err := decode(raw)
	return err == nil && names(unsealed(v, open, 0), who)
}

func names(v any, who map[string]bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			if names(x, who) {
				return true
			}
		}
	case []any:
		for _, x := range v {
			if names(x, who) {
				return true
			}
		}
	case string:
		return len(v) <= 4*maxID && who[SameName(v)]
	case json.Number:
		return who[SameName(v.String())]
	}
	return false
}
