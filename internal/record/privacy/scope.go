package privacy

import (
	"context"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/record/record"
)

const contact = "contact"

// FateOf is what becomes of the records of an object that belong to an erased person.
func FateOf(obj *schema.Object) Fate {
	if obj.Key == query.Customer {
		return Shell
	}
	if obj.CustomerField != "" && slices.ContainsFunc(obj.Fields, func(f *schema.Field) bool { return f.Type == schema.Money && !f.Computed() }) {
		return Emptied
	}
	return Gone
}

// shellKeeps are the fields of an erased customer that figures are grouped by and that tell nobody apart.
func shellKeeps(key string) bool {
	switch key {
	case "kind", "source", "store", "region", "country", "acquired_on":
		return true
	}
	return false
}

// factTexts are texts of standard records with amounts that tell of goods and papers, not of people.
func factTexts(key string) bool {
	switch key {
	case "currency", "external_id", "name", "sku", "category", "brand":
		return true
	}
	return false
}

// Kept reports whether a field of a record with this fate keeps its value.
func Kept(reg *schema.Registry, fate Fate, f *schema.Field) bool {
	if f.Rollup != nil {
		return f.Type == schema.Number || f.Type == schema.Money
	}
	if fate == Shell {
		return !f.Custom && !f.Personal && shellKeeps(f.Key)
	}
	if f.Personal {
		return false
	}
	switch f.Type {
	case schema.Relation:
		target := reg.Object(f.Target)
		return target != nil && (target.CustomerField == "" || FateOf(target) != Gone)
	case schema.Number, schema.Money, schema.Percent, schema.Duration, schema.Rating, schema.Bool, schema.Choice, schema.MultiChoice, schema.Date,
		schema.DateTime, schema.AutoNumber, schema.User, schema.Region:
		return true
	case schema.Text:
		return !f.Custom && factTexts(f.Key)
	default:
	}
	return false
}

// members finds every record that an erasure of roots concerns.
func (s *Service) members(ctx context.Context, object string, root id.ID) ([]Member, error) {
	g := &gathering{s: s, reg: s.cfg.Registry(), seen: map[id.ID]Fate{}}
	merged, err := s.cfg.Store.MergedFrom(ctx, []id.ID{root})
	if err != nil {
		return nil, err
	}
	obj := g.reg.Object(object)
	roots := append([]id.ID{root}, merged...)
	fate := FateOf(obj)
	g.add(obj, fate, root)
	g.add(obj, Gone, merged...)
	if object == query.Customer {
		err = g.belonging(ctx, obj, roots)
	} else {
		err = g.about(ctx, obj, roots)
	}
	if err != nil {
		return nil, err
	}
	if err := g.pointing(ctx); err != nil {
		return nil, err
	}
	return g.list, nil
}

type gathering struct {
	s    *Service
	reg  *schema.Registry
	seen map[id.ID]Fate
	list []Member
}

func (g *gathering) add(obj *schema.Object, fate Fate, ids ...id.ID) (fresh []id.ID) {
	for _, v := range ids {
		if _, known := g.seen[v]; known {
			continue
		}
		g.seen[v] = fate
		g.list = append(g.list, Member{obj.Key, v, fate})
		fresh = append(fresh, v)
	}
	return fresh
}

// belonging adds the records whose customer is one of these.
func (g *gathering) belonging(ctx context.Context, customer *schema.Object, ids []id.ID) error {
	for _, o := range g.reg.Tables() {
		f := o.Field(o.CustomerField)
		if o.CustomerField == "" || f == nil || f.Type != schema.Relation {
			continue
		}
		found, err := g.s.cfg.Store.Linked(ctx, o, f, customer, ids)
		if err != nil {
			return err
		}
		g.add(o, FateOf(o), found...)
		merged, err := g.s.cfg.Store.MergedFrom(ctx, found)
		if err != nil {
			return err
		}
		g.add(o, Gone, merged...)
	}
	return nil
}

// about adds what names a contact: activities with it go, everything else only lets go of it.
func (g *gathering) about(ctx context.Context, target *schema.Object, ids []id.ID) error {
	for _, ref := range g.reg.Referrers(target.Key) {
		if ref.Field.Type != schema.Relation || ref.Object.Virtual {
			continue
		}
		found, err := g.s.cfg.Store.Linked(ctx, ref.Object, ref.Field, target, ids)
		if err != nil {
			return err
		}
		fate := Freed
		if ref.Object.Standard && ref.Object.CustomerField != "" && FateOf(ref.Object) == Gone {
			fate = Gone
		}
		g.add(ref.Object, fate, found...)
	}
	return nil
}

// pointing adds records that are about one that was found, and those about these.
func (g *gathering) pointing(ctx context.Context) error {
	from := slices.Clone(g.list)
	for len(from) > 0 {
		by := map[string][]id.ID{}
		for _, m := range from {
			if m.Fate != Freed {
				by[m.Object] = append(by[m.Object], m.ID)
			}
		}
		n := len(g.list)
		for _, o := range g.reg.Tables() {
			for _, f := range o.Fields {
				if f.Type != schema.Record {
					continue
				}
				for object, ids := range by {
					found, err := g.s.cfg.Store.Linked(ctx, o, f, g.reg.Object(object), ids)
					if err != nil {
						return err
					}
					g.add(o, FateOf(o), found...)
				}
			}
		}
		from = slices.Clone(g.list[n:])
	}
	return nil
}

// erasing makes of members what the record engine is to do, in portions: what goes first, then what is emptied, the shell last.
func (s *Service) erasing(members []Member) [][]record.Erasing {
	reg := s.cfg.Registry()
	by := map[Fate]map[string][]id.ID{}
	targets := map[string]bool{}
	for _, m := range members {
		if by[m.Fate] == nil {
			by[m.Fate] = map[string][]id.ID{}
		}
		by[m.Fate][m.Object] = append(by[m.Fate][m.Object], m.ID)
		if m.Fate == Gone {
			targets[m.Object] = true
		}
	}
	word := s.cfg.Words(s.cfg.Locale(), "privacy.erased_name", nil)
	var out [][]record.Erasing
	for _, fate := range []Fate{Freed, Emptied, Gone, Shell} {
		for _, o := range reg.Tables() {
			for part := range slices.Chunk(by[fate][o.Key], eraseAtOnce) {
				e := record.Erasing{Object: o.Key, IDs: part, Gone: fate == Gone, Put: map[string]any{}}
				e.Keep = func(f *schema.Field) bool { return Kept(reg, fate, f) }
				switch fate {
				case Freed:
					e.Keep = func(f *schema.Field) bool {
						return f.Type != schema.Relation || !targets[f.Target] || f.Target != contact
					}
				case Shell:
					e.Put["processing"] = "erased"
				}
				if fate == Shell || fate == Emptied {
					for _, f := range o.Fields {
						if f.Type == schema.Text && (f.Required || o.TitleField == f.Key) && !f.Personal && !f.Computed() && !e.Keep(f) {
							e.Put[f.Key] = word
						}
					}
				}
				out = append(out, []record.Erasing{e})
			}
		}
	}
	return out
}

// eraseAtOnce is how many records one transaction erases.
const eraseAtOnce = 200
