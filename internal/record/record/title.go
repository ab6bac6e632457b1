package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// userObject is the virtual object of the people of the instance.
const userObject = "user"

// titleOf is the record's name: its title field in words.
func (sh *shape) titleOf(row *Row, env *schema.ParseEnv) string {
	if sh.title < 0 {
		return id.Format(sh.obj.Prefix, row.ID)
	}
	f := sh.fields[sh.title].f
	if t := schema.FormatText(f, schema.Decode(f, sh.cols(row.Cols, sh.title)), *env); t != "" {
		return t
	}
	return id.Format(sh.obj.Prefix, row.ID)
}

// Titles fills in the titles of references, in place, with one read for each object. Deleted records keep their title;
// what does not exist, or the actor does not see, keeps an empty one.
func (s *Service) Titles(ctx context.Context, refs []Ref) error {
	byObject := map[string][]id.ID{}
	seen := map[Ref]bool{}
	for _, r := range refs {
		k := Ref{Object: r.Object, ID: r.ID}
		if r.ID != 0 && !seen[k] {
			seen[k] = true
			byObject[r.Object] = append(byObject[r.Object], r.ID)
		}
	}
	titles := make(map[Ref]string, len(seen))
	for object, ids := range byObject {
		if err := s.titlesOf(ctx, object, ids, titles); err != nil {
			return err
		}
	}
	for i := range refs {
		refs[i].Title = titles[Ref{Object: refs[i].Object, ID: refs[i].ID}]
	}
	return nil
}

func (s *Service) titlesOf(ctx context.Context, object string, ids []id.ID, into map[Ref]string) error {
	if object == userObject {
		names, err := s.users(ctx, ids)
		for v, n := range names {
			into[Ref{Object: object, ID: v}] = n
		}
		return err
	}
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil
	}
	sh, env := s.shape(obj), s.Env(ctx)
	var rows []Row
	var err error
	if s.ReachesAll(ctx, obj) { // nothing of a row is looked at but its title
		rows, err = s.some(ctx, sh, ids, sh.compares(slices.DeleteFunc([]int{sh.title}, func(i int) bool { return i < 0 })))
	} else {
		rows, err = s.readSeen(ctx, obj, ids, true, access.Read)
	}
	if err != nil {
		return err
	}
	for i := range rows {
		into[Ref{Object: object, ID: rows[i].ID}] = sh.titleOf(&rows[i], &env)
	}
	return nil
}

func (s *Service) users(ctx context.Context, ids []id.ID) (map[id.ID]string, error) {
	if s.cfg.Users == nil || len(ids) == 0 {
		return map[id.ID]string{}, nil
	}
	names, err := s.cfg.Users.Users(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read user names: %w", err)
	}
	return names, nil
}

// nameRelations fills Titles of records: all relation and user fields of the page with one read for each target object.
func (s *Service) nameRelations(ctx context.Context, sh *shape, recs []*Record) error {
	type place struct {
		rec   *Record
		field string
	}
	var refs []Ref
	var places []place
	for _, r := range recs {
		for key, v := range r.Values {
			f := sh.fields[sh.index[key]].f
			target, ok := v.(id.ID)
			object := f.Target
			switch f.Type {
			case schema.User:
				object = userObject
			case schema.Record:
				if o, n := s.cfg.Registry().Pointed(v); o != nil {
					object, target, ok = o.Key, n, true
				}
			}
			if !ok {
				continue
			}
			refs = append(refs, Ref{Object: object, ID: target})
			places = append(places, place{r, key})
		}
	}
	if len(refs) == 0 {
		return nil
	}
	if err := s.Titles(ctx, refs); err != nil {
		return err
	}
	for i, p := range places {
		if p.rec.Titles == nil {
			p.rec.Titles = map[string]Ref{}
		}
		p.rec.Titles[p.field] = refs[i]
	}
	return nil
}
