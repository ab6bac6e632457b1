package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/guanxi-crm/guanxi/internal/base/clock"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/money"
	"github.com/guanxi-crm/guanxi/internal/base/region"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// draw makes any field of a type and a canonical value of it.
func draw(t *rapid.T) (*schema.Field, any) {
	typ := rapid.SampledFrom(types()).Draw(t, "type")
	f := &schema.Field{Key: "f", Type: typ, Physical: "f", Scale: rapid.IntRange(0, 6).Draw(t, "scale"), Options: colours}
	text := rapid.StringMatching(`[a-zA-Z0-9张三李四，。 !#ＡＢ]{1,30}`)
	switch typ {
	case schema.Number:
		return f, rapid.Int64Range(-schema.MaxScaled, schema.MaxScaled).Draw(t, "n")
	case schema.Money:
		return f, money.Money{Amount: rapid.Int64Range(-1e15, 1e15).Draw(t, "n"), Currency: rapid.SampledFrom([]string{"CNY", "JPY", "KWD", "USD"}).Draw(t, "c")}
	case schema.Bool:
		return f, rapid.Bool().Draw(t, "b")
	case schema.Date:
		return f, clock.NewDay(rapid.IntRange(1800, 2200).Draw(t, "y"), 1, 1) + clock.Day(rapid.IntRange(0, 364).Draw(t, "d"))
	case schema.DateTime:
		return f, time.UnixMilli(rapid.Int64Range(-5e12, 7e12).Draw(t, "ms")).UTC()
	case schema.Choice:
		return f, rapid.SampledFrom(colours).Draw(t, "o").Key
	case schema.MultiChoice:
		return f, rapid.SampledFrom([]any{[]string{"red"}, []string{"dark_blue", "xl"}, []string{"dark_blue", "red", "xl"}}).Draw(t, "l")
	case schema.Tags:
		v, bad := schema.ParseJSON(f, rapid.SliceOfN(rapid.StringMatching(`[a-z张三]{1,9}`), 1, 5).Draw(t, "l"), env())
		if bad != nil {
			t.Fatal(bad)
		}
		return f, v
	case schema.Region:
		return f, rapid.SampledFrom(region.All()).Draw(t, "r").Code
	case schema.Address:
		return f, schema.AddressValue{Region: "330106", Street: strings.TrimSpace(text.Draw(t, "s")), Postcode: "310000"}
	case schema.Relation, schema.User:
		return f, id.ID(rapid.Int64Range(1, 1<<62).Draw(t, "id"))
	case schema.Birthday:
		lunar := rapid.Bool().Draw(t, "lunar")
		b := schema.BirthdayValue{Calendar: "solar", Month: rapid.IntRange(1, 12).Draw(t, "m"), Day: rapid.IntRange(1, 28).Draw(t, "d")}
		if lunar {
			b.Calendar, b.Leap = "lunar", rapid.Bool().Draw(t, "leap")
		}
		if !b.Leap && rapid.Bool().Draw(t, "dated") {
			b.Year = rapid.IntRange(1900, 2100).Draw(t, "y")
		}
		return f, b
	case schema.JSON:
		return f, json.RawMessage(`{"a":[1,"x",null]}`)
	case schema.Phone:
		return f, "+861" + rapid.StringMatching(`[3-9][0-9]{9}`).Draw(t, "p")
	case schema.Email:
		return f, rapid.StringMatching(`[a-z][a-z0-9]{0,9}@[a-z]{2,9}\.com`).Draw(t, "e")
	case schema.URL:
		return f, "https://" + rapid.StringMatching(`[a-z]{1,9}\.com(/[a-z]{1,5})?`).Draw(t, "u")
	}
	s := strings.TrimSpace(text.Draw(t, "s"))
	if s == "" {
		s = "x"
	}
	return f, s
}

// What is stored comes back, whatever the type.
func TestEncodeDecode(t *testing.T) {
	t.Parallel()
	e := &schema.EncodeEnv{Zone: shanghai, Base: "CNY"}
	rapid.Check(t, func(t *rapid.T) {
		f, v := draw(t)
		cols := schema.Encode(nil, f, v, e)
		if got := schema.Decode(f, cols); !reflect.DeepEqual(got, v) {
			t.Fatalf("%s: %#v came back as %#v", f.Type, v, got)
		}
		if got := schema.Decode(f, schema.Encode(nil, f, nil, e)); got != nil {
			t.Fatalf("%s: no value came back as %#v", f.Type, got)
		}
	})
}

// What is printed is read back, in both languages; JSON too, through the wire.
func TestFormatParse(t *testing.T) {
	t.Parallel()
	for _, loc := range []string{"zh-CN", "en"} {
		e := env()
		e.Locale = map[string]schema.ParseEnv{"zh-CN": {Locale: "zh-CN"}, "en": {Locale: "en"}}[loc].Locale
		rapid.Check(t, func(t *rapid.T) {
			f, v := draw(t)
			reg := relationField(f)
			wire, err := json.Marshal(schema.FormatJSON(reg, v, e))
			if err != nil {
				t.Fatal(err)
			}
			var decoded any
			if err := json.Unmarshal(wire, &decoded); err != nil {
				t.Fatal(err)
			}
			if f.Type == schema.Number { // a float64 holds 15 digits: the API decodes with UseNumber
				decoded = json.Number(wire)
			}
			if back, bad := schema.ParseJSON(reg, decoded, e); bad != nil || !reflect.DeepEqual(back, v) {
				t.Fatalf("%s: %#v as JSON %s came back as %#v, %v", f.Type, v, wire, back, bad)
			}
			if f.Type == schema.Address {
				return // a line of text has no parts
			}
			text := schema.FormatText(reg, v, e)
			if back, bad := schema.ParseText(reg, text, e); bad != nil || !reflect.DeepEqual(back, v) {
				t.Fatalf("%s: %#v as %q came back as %#v, %v", f.Type, v, text, back, bad)
			}
		})
	}
}

// relationField gives a relation its target's prefix, as a registry does.
func relationField(f *schema.Field) *schema.Field {
	g := *f
	if g.Type == schema.Relation {
		g.Target = "x"
	}
	_, err := schema.NewRegistry([]*schema.Object{{Key: "x", Prefix: "cus", TitleField: "f", Fields: []*schema.Field{&g}}})
	if err != nil && g.Type != schema.AutoNumber {
		panic(err)
	}
	return &g
}

// Parsers take anything without falling over, and whatever they accept is canonical: parsing it again changes nothing.
func FuzzParseText(f *testing.F) {
	for _, s := range []string{"", "12.5%", "2026年11月21日", "12/1/2010 8:26", "农历 1990-08-15", "¥1,234", "（12）", "1e400", "\xff", "a\x00", "浙江", "46347.99999"} {
		f.Add(uint8(0), s)
	}
	all := types()
	f.Fuzz(func(t *testing.T, n uint8, s string) {
		for _, typ := range []schema.Type{all[int(n)%len(all)], schema.DateTime, schema.Birthday, schema.Money} {
			fl := fld(typ, options, scale(int(n)%7))
			v, bad := schema.ParseText(fl, s, env())
			if bad != nil {
				if v != nil || bad.Code == "" || bad.Field != "fields.f" {
					t.Fatalf("%s %q: value %v with fault %v", typ, s, v, bad)
				}
				continue
			}
			if again, bad := schema.ParseJSON(fl, v, env()); bad != nil || !reflect.DeepEqual(again, v) {
				t.Fatalf("%s %q: %#v is not canonical: %#v, %v", typ, s, v, again, bad)
			}
			if v != nil {
				cols := schema.Encode(nil, fl, v, &schema.EncodeEnv{Zone: shanghai})
				if got := schema.Decode(fl, cols); !reflect.DeepEqual(got, v) {
					t.Fatalf("%s %q: %#v came back as %#v", typ, s, v, got)
				}
			}
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`"a"`, `12.5`, `{"amount":"1","currency":"CNY"}`, `["a"]`, `{"month":5,"day":3}`, `{"region":"330106","street":"x"}`, `null`, `{"id":1}`} {
		f.Add(uint8(0), s)
	}
	all := types()
	f.Fuzz(func(t *testing.T, n uint8, s string) {
		var in any
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		if dec.Decode(&in) != nil {
			t.Skip("not JSON")
		}
		fl := fld(all[int(n)%len(all)], options)
		v, bad := schema.ParseJSON(fl, in, env())
		if bad != nil && (v != nil || bad.Field != "fields.f") {
			t.Fatalf("%s %s: %v with fault %v", fl.Type, s, v, bad)
		}
		if bad == nil && v != nil {
			if again, bad := schema.ParseJSON(fl, v, env()); bad != nil || !reflect.DeepEqual(again, v) {
				t.Fatalf("%s %s: %#v is not canonical: %#v, %v", fl.Type, s, v, again, bad)
			}
			schema.FormatText(fl, v, env())
			if _, err := json.Marshal(schema.FormatJSON(fl, v, env())); err != nil {
				t.Fatal(err)
			}
		}
	})
}
