package event

import (
	"bytes"
	"encoding/json"
	"strings"

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
	bare  bool // what is not kept at all is taken out: addresses of the network, and the write key
}

// object is an object with its personal values sealed; one without any is answered as it is.
func (s *sealing) object(raw json.RawMessage) json.RawMessage {
	some, lower := false, bytes.ToLower(raw)
	for _, h := range hints {
		if some = bytes.Contains(lower, h); some {
			break
		}
	}
	if !some && !s.bare {
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
		if as != "" && v != "" {
			return s.one(Value{as, v})
		}
	case json.Number:
		if as != "" {
			return s.one(Value{as, v.String()})
		}
	}
	return v
}

func (s *sealing) one(v Value) any {
	s.found = append(s.found, v)
	return map[string]any{Sealed: s.seal(v)}
}

// event seals what an event holds and answers the values that were found.
func (s *sealing) event(e *event.Event) {
	e.Properties, e.Context = s.object(e.Properties), s.object(e.Context)
}
