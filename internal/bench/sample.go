package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/base/lang"
)

// sample is what requests ask for: customers from all over the list, and what they are called.
type sample struct {
	ids      []string
	numbers  []int64 // the same as numbers
	pairs    []string
	spelled  []string
	initials []string
	tails    []string
	cities   []string // region codes that end in 00
	cursors  []cursor
}

// cursor is a place in the list in its default order.
type cursor struct {
	token   string
	created int64
	id      int64
}

type listed struct {
	Items []struct {
		ID        string
		Title     string
		CreatedAt time.Time `json:"created_at"`
		Fields    struct {
			Phone  string
			Region struct{ Code string }
		}
	}
	NextCursor string `json:"next_cursor"`
}

// personsOfPlaces leaves out those whom a part of the bench made.
var personsOfPlaces = obj{"all": []obj{{"field": "kind", "op": "=", "value": "person"}, {"field": "region", "op": "is_set"}}}

// sample reads what is asked for later. Everything is distinct, so that no answer is there already.
func (p *program) sample(n int) (*sample, error) {
	s := &sample{}
	var regions struct {
		Items []struct{ Children []struct{ Code string } }
	}
	if err := p.call(http.MethodGet, "/regions", nil, &regions); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, r := range regions.Items {
		for _, c := range r.Children {
			known[c.Code] = strings.HasSuffix(c.Code, "00")
		}
	}
	for page := 0; page < 40 && len(s.ids) < 4*n; page++ {
		var got listed
		body := obj{"limit": 100, "offset": page * 240, "fields": []string{"name", "phone", "region"}, "where": personsOfPlaces}
		if err := p.call(http.MethodPost, "/records/customer/query", body, &got); err != nil {
			return nil, err
		}
		for _, it := range got.Items {
			_, v, err := id.ParseAny(it.ID)
			if err != nil {
				return nil, err
			}
			s.ids, s.numbers = append(s.ids, it.ID), append(s.numbers, int64(v))
			s.names([]rune(it.Title))
			if t := it.Fields.Phone; len(t) >= 4 {
				s.tails = add(s.tails, t[len(t)-4:])
			}
			if c := it.Fields.Region.Code; len(c) == 6 && known[c[:4]+"00"] {
				s.cities = add(s.cities, c[:4]+"00")
			}
		}
	}
	if len(s.ids) < n || len(s.pairs) < 10 || len(s.cities) < 10 {
		return nil, errors.New("too few customers to ask for")
	}
	return s, s.walk(p, n)
}

func (s *sample) names(name []rune) {
	if len(name) < 2 || len(name) > 4 || name[0] < 0x2E80 {
		return
	}
	s.pairs = add(s.pairs, string(name[:2]))
	for _, t := range lang.Tokens(string(name)) { // the longest Latin one is the name spelled, the shortest its initials
		switch {
		case t[0] > 'z':
		case len(t) == len(name):
			s.initials = add(s.initials, t)
		case len(t) > 5:
			s.spelled = add(s.spelled, t)
		}
	}
}

// walk goes through the list page by page.
func (s *sample) walk(p *program, n int) error {
	token := ""
	for range n + 1 {
		var got listed
		body := obj{"limit": pageSize, "sort": newest}
		if token != "" {
			body["cursor"] = token
		}
		if err := p.call(http.MethodPost, "/records/customer/query", body, &got); err != nil {
			return err
		}
		if got.NextCursor == "" {
			break
		}
		last := got.Items[len(got.Items)-1]
		_, v, err := id.ParseAny(last.ID)
		if err != nil {
			return err
		}
		token = got.NextCursor
		s.cursors = append(s.cursors, cursor{token, last.CreatedAt.UnixMilli(), int64(v)})
	}
	if len(s.cursors) == 0 {
		return fmt.Errorf("a list of one page")
	}
	return nil
}

func add(list []string, v string) []string {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// match is a full-text query as the index holds tokens of customers.
func match(token string, prefix bool) string {
	star := ""
	if prefix {
		star = "*"
	}
	return `"` + strings.ReplaceAll(token, `"`, "") + `"` + star + ` AND "_ocustomer"`
}

// at is the i-th value, from the beginning again where there are fewer.
func at[T any](list []T, i int) T { return list[i%len(list)] }
