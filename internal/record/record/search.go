package record

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

// maxCandidates is how many records a search text may find before fitness and conditions are looked at.
const maxCandidates = 1000

// Match says by what a record was found.
type Match string

// The matches, from the best.
const (
	MatchExact    Match = "exact" // the whole title
	MatchPersonal Match = "phone" // a phone number, e-mail address or number of an identity, whole or its last digits
	MatchName     Match = "name"
	MatchPinyin   Match = "pinyin"
	MatchText     Match = "text" // another searchable field
)

// Document is what the search index holds of a record.
type Document struct {
	Object string
	ID     id.ID
	Tokens []string
}

// search is a search text, read.
type search struct {
	given bool
	text  string // folded
	plain []string
	keyed []string // each finds by itself
	limit int      // of candidates, maxCandidates when 0
}

// searchOf reads what somebody typed: words, pairs of Chinese characters, pinyin, or a phone number, its last four or
// seven digits, an e-mail address or an identity number, which are looked for by their keyed tokens too.
func (s *Service) searchOf(text string) search {
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200])
	}
	q := search{text: lang.Fold(text)}
	if q.text == "" {
		return q
	}
	q.given = true
	for _, t := range lang.QueryTokens(text) {
		if r, _ := utf8.DecodeRuneInString(t); r < 0x2E80 && r != '^' && len(t) > 1 {
			t += "*"
		}
		q.plain = append(q.plain, t)
	}
	add := func(kind schema.Type, form string) {
		q.keyed = append(q.keyed, s.cfg.Keys.Tokens(string(kind)+"|"+form)...)
	}
	digits, plus := onlyDigits(q.text)
	switch n := len(digits); {
	case n == 4 || n == 7:
		add(schema.Phone, digits)
	case n > 7:
		if p, ok := lang.NormalisePhone(plus+digits, s.cfg.PhoneRegion()); ok {
			add(schema.Phone, p)
		}
	}
	if strings.Contains(q.text, "@") {
		if a, ok := lang.NormaliseEmail(q.text); ok {
			add(schema.Email, a)
		}
	} else if whole := strings.ReplaceAll(q.text, " ", ""); utf8.RuneCountInString(whole) >= 4 {
		add(schema.Text, whole)
	}
	return q
}

// onlyDigits is the digits of a text that is a number with the separators of phone numbers, "" for other texts.
func onlyDigits(s string) (digits, plus string) {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0:
			plus = "+"
		case r == ' ' || r == '-' || r == '(' || r == ')':
		default:
			return "", ""
		}
	}
	return b.String(), plus
}

// personalToken is the keyed token of a personal text of a kind: phone, e-mail or any other.
func (s *Service) personalToken(kind schema.Type, form string) string {
	return s.cfg.Keys.Token(string(kind) + "|" + form)
}

// find gives the records of an object that may be meant, newest first within each way of finding.
func (q *search) find(ctx context.Context, r Reader, obj *schema.Object, l *query.Limits) (ids []id.ID, partial bool, err error) {
	if l != nil {
		return q.within(ctx, r, obj, l, cmp.Or(q.limit, maxCandidates))
	}
	hits, partial, err := q.hits(ctx, r, []string{obj.Key}, cmp.Or(q.limit, maxCandidates))
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	return ids, partial, err
}

// within finds records of an object inside a reader's limits.
func (q *search) within(ctx context.Context, r Reader, obj *schema.Object, l *query.Limits, limit int) (ids []id.ID, partial bool, err error) {
	seen := map[id.ID]bool{}
	for _, tokens := range q.sets() {
		found, err := r.SearchWithin(ctx, obj, l, tokens, limit)
		if err != nil {
			return nil, false, fmt.Errorf("search %s: %w", obj.Key, err)
		}
		partial = partial || len(found) >= limit
		for _, v := range found {
			if !seen[v] {
				seen[v] = true
				ids = append(ids, v)
			}
		}
	}
	return ids, partial, nil
}

// sets are the lists of tokens that each find by themselves.
func (q *search) sets() [][]string {
	sets := make([][]string, 0, len(q.keyed)+1)
	for _, k := range q.keyed {
		sets = append(sets, []string{k})
	}
	if len(q.plain) > 0 {
		sets = append(sets, q.plain)
	}
	return sets
}

func (q *search) hits(ctx context.Context, r Reader, objects []string, limit int) (out []Hit, partial bool, err error) {
	seen := map[Hit]bool{}
	for _, tokens := range q.sets() {
		found, err := r.Search(ctx, objects, tokens, limit)
		if err != nil {
			return nil, false, fmt.Errorf("search: %w", err)
		}
		partial = partial || len(found) >= limit
		for _, h := range found {
			if !seen[h] {
				seen[h] = true
				out = append(out, h)
			}
		}
	}
	return out, partial, nil
}

// score is how well a row fits.
func (q *search) score(sh *shape, row *Row, env *schema.ParseEnv) (int, Match) {
	title := lang.Fold(sh.titleOf(row, env))
	switch {
	case title == q.text:
		return 100, MatchExact
	case strings.HasPrefix(title, q.text):
		return 80, MatchName
	case strings.Contains(title, " "+q.text):
		return 70, MatchName
	case strings.Contains(title, q.text):
		return 60, MatchName
	}
	if pinyin, rest := q.pinyin(title); pinyin != 0 {
		return 50 + pinyin - rest, MatchPinyin
	}
	if !q.texts(sh, row) && q.slip(sh, row) {
		return typoScore, MatchTypo
	}
	if len(q.keyed) > 0 && !q.texts(sh, row) {
		return 90, MatchPersonal
	}
	return 20, MatchText
}

// pinyin tells how a Latin text fits the sound of a Chinese title: 9 whole, 5 as a beginning; rest is how much longer the title is.
func (q *search) pinyin(title string) (fit, rest int) {
	latin := strings.ReplaceAll(q.text, " ", "")
	if strings.IndexFunc(latin, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) >= 0 ||
		strings.IndexFunc(title, func(r rune) bool { return r >= 0x2E80 }) < 0 {
		return 0, 0
	}
	tokens := lang.Tokens(title)
	if slices.Contains(tokens, latin) {
		return 9, min(4, utf8.RuneCountInString(title)/4)
	}
	if slices.ContainsFunc(tokens, func(t string) bool { return strings.HasPrefix(t, latin) }) {
		return 5, min(4, utf8.RuneCountInString(title)/4)
	}
	return 0, 0
}

// texts reports whether the searchable clear fields of a row hold all plain tokens; then a personal value was not needed.
func (q *search) texts(sh *shape, row *Row) bool {
	if len(q.plain) == 0 {
		return false
	}
	tokens := lang.Tokens(strings.Join(sh.clearTexts(row, nil), "\n"))
	for _, want := range q.plain {
		prefix, isPrefix := strings.CutSuffix(want, "*")
		if !slices.ContainsFunc(tokens, func(t string) bool { return t == want || isPrefix && strings.HasPrefix(t, prefix) }) {
			return false
		}
	}
	return true
}

// rank sorts rows by fitness, then newest first.
func (q *search) rank(sh *shape, rows []Row) {
	env := schema.ParseEnv{}
	type ranked struct {
		row   Row
		score int
	}
	list := make([]ranked, len(rows))
	for i := range rows {
		n, _ := q.score(sh, &rows[i], &env)
		list[i] = ranked{rows[i], n}
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		if a.score != b.score {
			return b.score - a.score
		}
		return newer(a.row.ID, b.row.ID)
	})
	for i := range list {
		rows[i] = list[i].row
	}
}

func newer(a, b id.ID) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// Found is one answer of a search across objects.
type Found struct {
	Object   string
	ID       id.ID
	Title    string
	Subtitle string
	Match    Match
}

// Search finds records of several objects (nil: all that can be shown by themselves) by name, pinyin, initials, code,
// phone number or e-mail address, the best first. limit is at most 100.
func (s *Service) Search(ctx context.Context, text string, objects []string, limit int) ([]Found, error) {
	if err := allow(ctx, access.RecordRead); err != nil {
		return nil, err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	// Only what can be shown by itself is in the index, so that "everything" names no object: the documents of ten million
	// orders need not be walked to learn that a customer is none of them.
	q := s.searchOf(text)
	if !q.given || objects != nil && len(objects) == 0 {
		return nil, nil
	}
	rows, err := s.searchRows(ctx, &q, objects, limit)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, list := range rows {
		n += len(list)
	}
	near := q.near()
	if !near.given || n >= limit {
		return s.bestOf(ctx, &q, rows, limit)
	}
	more, err := s.searchRows(ctx, &near, objects, limit)
	if err != nil {
		return nil, err
	}
	for object, list := range more {
		sh, have := s.shape(s.cfg.Registry().Object(object)), rows[object]
		for i := range list {
			known := slices.ContainsFunc(have, func(r Row) bool { return r.ID == list[i].ID })
			if !known && near.slip(sh, &list[i]) {
				rows[object] = append(rows[object], list[i])
			}
		}
	}
	return s.bestOf(ctx, &q, rows, limit)
}

// searchRows reads the rows that a search finds and the actor may see, by object.
func (s *Service) searchRows(ctx context.Context, q *search, objects []string, limit int) (map[string][]Row, error) {
	rows := map[string][]Row{}
	err := s.cfg.Store.View(ctx, func(r Reader) error {
		ids, err := s.found(ctx, r, q, objects, 10*limit)
		if err != nil {
			return err
		}
		for object, list := range ids {
			obj := s.cfg.Registry().Object(object)
			if obj == nil || obj.Virtual || obj.Hidden || !access.From(ctx).May(object, access.Read) {
				continue
			}
			if rows[object], err = r.Get(ctx, obj, list, false); err != nil {
				return err
			}
			if rows[object], err = s.foundInSight(ctx, q, s.shape(obj), rows[object]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search records: %w", err)
	}
	return rows, nil
}

// found are the ids that a search text finds, by object. For a reader of some records alone each object is asked by itself,
// with its limits inside the question, so that what others own does not crowd out what the reader sees.
func (s *Service) found(ctx context.Context, r Reader, q *search, objects []string, limit int) (map[string][]id.ID, error) {
	ids := map[string][]id.ID{}
	if access.From(ctx).Unlimited() {
		hits, _, err := q.hits(ctx, r, objects, limit)
		for _, h := range hits {
			ids[h.Object] = append(ids[h.Object], h.ID)
		}
		return ids, err
	}
	for _, obj := range s.cfg.Registry().Tables() {
		if obj.Hidden || objects != nil && !slices.Contains(objects, obj.Key) || !access.From(ctx).May(obj.Key, access.Read) {
			continue
		}
		list, _, err := q.within(ctx, r, obj, s.limits(ctx, obj, access.Read), limit)
		if err != nil {
			return nil, err
		}
		ids[obj.Key] = list
	}
	return ids, nil
}

// bestOf ranks rows of several objects together and describes the best.
func (s *Service) bestOf(ctx context.Context, q *search, rows map[string][]Row, limit int) ([]Found, error) {
	type scored struct {
		sh    *shape
		row   Row
		score int
		match Match
	}
	var all []scored
	env := s.Env(ctx)
	for object, list := range rows {
		sh := s.shape(s.cfg.Registry().Object(object))
		for i := range list {
			n, m := q.score(sh, &list[i], &env)
			all = append(all, scored{sh, list[i], n, m})
		}
	}
	slices.SortFunc(all, func(a, b scored) int {
		if a.score != b.score {
			return b.score - a.score
		}
		return newer(a.row.ID, b.row.ID)
	})
	all = all[:min(limit, len(all))]
	out := make([]Found, len(all))
	shown := map[*shape][]int{}
	for i, x := range all {
		out[i] = Found{Object: x.sh.obj.Key, ID: x.row.ID, Title: x.sh.titleOf(&x.row, &env), Match: x.match}
		shown[x.sh] = append(shown[x.sh], i)
	}
	for sh, at := range shown {
		list := make([]Row, len(at))
		for i, j := range at {
			list[i] = all[j].row
		}
		subs, err := s.subtitles(ctx, sh, list)
		if err != nil {
			return nil, err
		}
		for i, j := range at {
			out[j].Subtitle = subs[i]
		}
	}
	return out, nil
}

// subtitles describe rows by the object's subtitle fields: masks, labels, and titles of relations.
func (s *Service) subtitles(ctx context.Context, sh *shape, rows []Row) ([]string, error) {
	want := map[string]bool{}
	for _, k := range sh.obj.SubtitleFields {
		want[k] = true
	}
	recs, err := s.present(ctx, sh, rows, presentation{fields: want, titles: true})
	if err != nil {
		return nil, err
	}
	env := s.Env(ctx)
	out := make([]string, len(recs))
	for i, r := range recs {
		var parts []string
		for _, k := range sh.obj.SubtitleFields {
			f := sh.obj.Field(k)
			text := r.Masks[k]
			if ref, ok := r.Titles[k]; ok {
				text = ref.Title
			} else if v := r.Values[k]; v != nil && text == "" {
				env.FileName = r.FileName
				text = schema.FormatText(f, v, env)
			}
			if text != "" {
				parts = append(parts, text)
			}
		}
		out[i] = strings.Join(parts, " · ")
	}
	return out, nil
}

// clearTexts are the texts of a row that are searched without a key: its title and its searchable fields that are not
// personal.
func (sh *shape) clearTexts(row *Row, without map[int]bool) []string {
	var out []string
	for i := range sh.fields {
		fs := &sh.fields[i]
		if fs.n == 0 || fs.f.Personal || without[i] || !fs.f.Searchable && i != sh.title {
			continue
		}
		switch v := schema.Decode(fs.f, sh.cols(row.Cols, i)).(type) {
		case string:
			out = append(out, v)
		case []string:
			out = append(out, v...)
		}
	}
	return out
}

// Documents makes the search documents of records by id, for the search index: words, pairs of Chinese characters,
// pinyin and initials of the title and the searchable fields, and keyed tokens of searchable personal values. A record
// that is gone or in the recycle bin is not among them. It reads personal values and belongs to the program alone.
func (s *Service) Documents(ctx context.Context, object string, ids []id.ID) ([]Document, error) {
	obj := s.cfg.Registry().Object(object)
	if obj == nil || obj.Virtual {
		return nil, nil
	}
	sh := s.shape(obj)
	rows, err := s.rows(ctx, obj, ids, false)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysFor(ctx, sh, rows, &presentation{})
	if err != nil {
		return nil, err
	}
	out := make([]Document, len(rows))
	for i := range rows {
		out[i] = Document{Object: object, ID: rows[i].ID, Tokens: s.tokensOf(sh, &rows[i], keys[sh.subject(&rows[i])], nil)}
	}
	return out, nil
}

// tokensOf are what a row is found by, each once; some fields may be left out.
func (s *Service) tokensOf(sh *shape, row *Row, key *crypt.Key, without map[int]bool) []string {
	tokens := []string{}
	seen := map[string]bool{}
	add := func(list ...string) {
		for _, t := range list {
			if !seen[t] {
				seen[t] = true
				tokens = append(tokens, t)
			}
		}
	}
	for _, text := range sh.clearTexts(row, without) {
		add(lang.Tokens(text)...)
		add(lang.TypoTokens(text)...)
	}
	for _, j := range sh.personal {
		if !sh.fields[j].f.Searchable || without[j] {
			continue
		}
		v, err := s.openValue(sh, row, j, key)
		if err != nil {
			s.cfg.Log.Error("a personal value cannot be indexed", "object", sh.obj.Key, "record", int64(row.ID), "error", err)
			continue
		}
		if text, ok := v.(string); ok {
			add(s.personalTokens(sh.fields[j].f, text)...)
		}
	}
	return tokens
}

func (s *Service) personalTokens(f *schema.Field, v string) []string {
	var forms []string
	kind := f.Type
	switch f.Type {
	case schema.Phone:
		forms = lang.PhoneTokens(v)
	case schema.Email:
		forms = []string{v}
	default:
		forms, kind = []string{schema.BlindForm(f, v)}, schema.Text
	}
	out := make([]string, len(forms))
	for i, form := range forms {
		out[i] = s.personalToken(kind, form)
	}
	return out
}
