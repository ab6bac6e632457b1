package lang

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Operator is the network that a Chinese mobile number was first issued by. Numbers can be carried over since 2019, so
// it is a hint, good for choosing a message route, not a fact about the subscriber.
type Operator string

// The operators: 中国移动, 中国联通, 中国电信, 中国广电.
const (
	OperatorMobile    Operator = "mobile"
	OperatorUnicom    Operator = "unicom"
	OperatorTelecom   Operator = "telecom"
	OperatorBroadnet  Operator = "broadnet"
	OperatorUndefined Operator = ""
)

// NormalisePhone returns the number in E.164, "+8613812341234". defaultRegion is the ISO 3166 code ("CN") that a number
// without a country code belongs to. Chinese mobile numbers take a short way and are accepted by shape (1, 3 to 9, nine
// digits), since new prefixes appear faster than metadata; all others must be valid numbers of their country. An
// extension is dropped.
func NormalisePhone(s, defaultRegion string) (e164 string, ok bool) {
	digits, plus, simple := phoneDigits(s)
	if simple {
		if n, ok := chineseMobile(digits, plus, defaultRegion == "CN"); ok {
			return "+86" + n, true
		}
	}
	n, err := phonenumbers.Parse(Fold(s), defaultRegion)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

// chineseMobile returns the eleven digits of a Chinese mobile number. Without a plus they are only taken for one when
// the region is China: eleven digits from 1 can be a number of North America.
func chineseMobile(digits string, plus, china bool) (string, bool) {
	switch {
	case plus:
		if !strings.HasPrefix(digits, "86") {
			return "", false
		}
		digits = digits[2:]
	case !china:
		return "", false
	case len(digits) == 15 && strings.HasPrefix(digits, "0086"):
		digits = digits[4:]
	case len(digits) == 13 && strings.HasPrefix(digits, "86"):
		digits = digits[2:]
	case len(digits) == 12 && strings.HasPrefix(digits, "01"): // the old long-distance prefix
		digits = digits[1:]
	}
	if len(digits) != 11 || digits[0] != '1' || digits[1] < '3' {
		return "", false
	}
	return digits, true
}

// phoneDigits collects the digits of a number written with the usual separators, full-width forms included. simple is
// false when there is anything else in it, such as an extension.
func phoneDigits(s string) (digits string, plus, simple bool) {
	var buf [20]byte
	n := 0
	for _, r := range s {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		switch {
		case r >= '0' && r <= '9':
			if n == len(buf) {
				return "", false, false
			}
			buf[n] = byte(r)
			n++
		case r == '+' && n == 0 && !plus:
			plus = true
		case r == ' ', r == '-', r == '(', r == ')', r == '.', r == '\t', r == 0xA0, r == 0x3000,
			r >= 0x2010 && r <= 0x2015, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r == 0xFEFF:
		default:
			return "", false, false
		}
	}
	return string(buf[:n]), plus, true
}

// PhoneOperator tells the operator from the prefix of an E.164 number; OperatorUndefined for other countries, land
// lines and prefixes not known.
func PhoneOperator(e164 string) Operator {
	n, ok := strings.CutPrefix(e164, "+86")
	if !ok || len(n) != 11 || n[0] != '1' {
		return OperatorUndefined
	}
	if op, ok := operatorsOf4[n[:4]]; ok {
		return op
	}
	return operatorsOf3[n[:3]]
}

// The tables follow the numbering plan of MIIT (号段), with the resellers (虚拟运营商) under their network; the
// four-digit ones come first. Never changed.
var (
	operatorsOf4 = map[string]Operator{
		"1349": OperatorTelecom, // satellite
		"1700": OperatorTelecom, "1701": OperatorTelecom, "1702": OperatorTelecom,
		"1703": OperatorMobile, "1705": OperatorMobile, "1706": OperatorMobile,
		"1704": OperatorUnicom, "1707": OperatorUnicom, "1708": OperatorUnicom, "1709": OperatorUnicom,
	}
	operatorsOf3 = map[string]Operator{
		"134": OperatorMobile, "135": OperatorMobile, "136": OperatorMobile, "137": OperatorMobile, "138": OperatorMobile,
		"139": OperatorMobile, "144": OperatorMobile, "147": OperatorMobile, "148": OperatorMobile, "150": OperatorMobile,
		"151": OperatorMobile, "152": OperatorMobile, "157": OperatorMobile, "158": OperatorMobile, "159": OperatorMobile,
		"165": OperatorMobile, "172": OperatorMobile, "178": OperatorMobile, "182": OperatorMobile, "183": OperatorMobile,
		"184": OperatorMobile, "187": OperatorMobile, "188": OperatorMobile, "195": OperatorMobile, "197": OperatorMobile,
		"198": OperatorMobile,
		"130": OperatorUnicom, "131": OperatorUnicom, "132": OperatorUnicom, "140": OperatorUnicom, "145": OperatorUnicom,
		"146": OperatorUnicom, "155": OperatorUnicom, "156": OperatorUnicom, "166": OperatorUnicom, "167": OperatorUnicom,
		"171": OperatorUnicom, "175": OperatorUnicom, "176": OperatorUnicom, "185": OperatorUnicom, "186": OperatorUnicom,
		"196": OperatorUnicom,
		"133": OperatorTelecom, "141": OperatorTelecom, "149": OperatorTelecom, "153": OperatorTelecom,
		"162": OperatorTelecom, "173": OperatorTelecom, "174": OperatorTelecom, "177": OperatorTelecom,
		"180": OperatorTelecom, "181": OperatorTelecom, "189": OperatorTelecom, "190": OperatorTelecom,
		"191": OperatorTelecom, "193": OperatorTelecom, "199": OperatorTelecom,
		"192": OperatorBroadnet,
	}
)

// MaskPhone hides the middle of a number: "+86 138****1234", without the country code when it was given without. A
// short number keeps its last two digits at most.
func MaskPhone(s string) string {
	digits, plus, simple := phoneDigits(s)
	if !simple {
		return MaskText(s, 0, 0)
	}
	prefix := ""
	if plus {
		code := ""
		if strings.HasPrefix(digits, "86") {
			code = "86"
		} else if n, err := phonenumbers.Parse("+"+digits, ""); err == nil {
			code = strings.TrimSuffix(digits, phonenumbers.GetNationalSignificantNumber(n))
		}
		prefix, digits = "+"+code+" ", digits[len(code):]
	}
	switch n := len(digits); {
	case n >= 11:
		return prefix + MaskText(digits, 3, 4)
	case n >= 7:
		return prefix + MaskText(digits, (n-4)/2, 4)
	default:
		return prefix + MaskText(digits, 0, min(2, n/2))
	}
}
