// Package feedback is what customers say: reviews, comments, messages, and what a colleague wrote down of a call or a talk.
//
// A feedback is a record of a standard object, so lists, filters, imports, the API, history and rights are the record engine's. This package
// adds the rule that reads each text as it is written: its language, whether it praises or complains, and of what (internal/stat/text). A
// rating beats the words. What a person says of a text stays, whatever the program would read. Rereader reads again what was read under
// other weights.
package feedback

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/change"
	"github.com/guanxi-crm/guanxi/internal/record/activity"
	"github.com/guanxi-crm/guanxi/internal/record/record"
	"github.com/guanxi-crm/guanxi/internal/stat/text"
)

// Object is the key of the object.
const Object = "feedback"

// Register adds the rule to a record engine.
func Register(s *record.Service) { s.RegisterHook(Object, record.Hook{BeforeWrite: read}) }

// judged are the fields that a person may say better.
var judged = []string{"sentiment", "topics", "complaints"}

func read(ctx context.Context, c *record.Change) error {
	if !c.Object.Standard {
		return nil
	}
	body, _ := c.Get("body").(string)
	title, _ := c.Get("title").(string)
	before, _ := c.Old("body").(string)
	if strings.TrimSpace(title) == "" || c.Op == change.Update && c.Written("body") && !c.Written("title") && title == activity.FirstLine(before) {
		c.Set("title", activity.FirstLine(body))
	}
	had, _ := c.Old("corrected").(bool)
	corrected, _ := c.Get("corrected").(bool)
	given := slices.ContainsFunc(judged, func(f string) bool {
		return c.Written(f) && (c.Op == change.Create && filled(c.Get(f)) || c.Op == change.Update)
	})
	switch {
	case given && access.From(ctx).Kind != access.BySystem && (corrected || !had && !c.Written("corrected") || c.Op == change.Create):
		corrected = true
		c.Set("corrected", true)
	case corrected:
	case c.Op == change.Update && !c.Written("body") && !c.Written("rating") && !c.Written("corrected"):
		return nil
	}
	r := text.Read(body)
	c.Set("language", string(r.Language))
	c.Set("chance", int64(r.Chance*1000+0.5))
	c.Set("read_by", text.Version)
	if corrected && (c.Op == change.Update || given) {
		return nil
	}
	c.Set("sentiment", string(rated(c.Get("rating"), r.Sentiment)))
	var about, against []string
	for _, a := range r.Topics {
		about = append(about, string(a.Topic))
		if a.Sentiment == text.Negative {
			against = append(against, string(a.Topic))
		}
	}
	c.Set("topics", sorted(about))
	c.Set("complaints", sorted(against))
	return nil
}

func filled(v any) bool {
	list, ok := v.([]string)
	return v != nil && (!ok || len(list) > 0)
}

func sorted(list []string) any {
	if len(list) == 0 {
		return nil
	}
	slices.Sort(list)
	return list
}

// The stars from which a rating praises, and up to which it complains.
const (
	praise    = 4
	complaint = 2
)

func rated(rating any, words text.Sentiment) text.Sentiment {
	switch n, ok := rating.(int64); {
	case !ok:
		return words
	case n >= praise:
		return text.Positive
	case n <= complaint:
		return text.Negative
	}
	return text.Neutral
}

// Rereader reads again what was read under other weights.
type Rereader struct {
	Records *record.Service
}

// atOnce is how many texts are read again in one write.
const atOnce = 200

// Run reads again all that was read under other weights and says how much that was. It may be stopped anywhere and goes on where it was.
func (r Rereader) Run(ctx context.Context) (int, error) {
	version, err := json.Marshal(text.Version)
	if err != nil {
		return 0, err
	}
	old := &query.Node{Not: &query.Node{Field: "read_by", Op: "=", Value: version}}
	n := 0
	for {
		page, err := r.Records.List(ctx, Object, record.Query{Where: old, Fields: []string{"corrected"}, Limit: atOnce})
		if err != nil || len(page.Items) == 0 {
			return n, err
		}
		done := 0
		for _, it := range page.Items {
			corrected, _ := it.Values["corrected"].(bool)
			_, err := r.Records.Update(ctx, Object, it.ID, 0, record.Input{"corrected": corrected}) // named, so that the rule reads again
			switch fault.KindOf(err) {
			case fault.NotFound, fault.Invalid: // gone, or a rule of the workspace refuses it as it is
				continue
			}
			if err != nil {
				return n, fmt.Errorf("read a feedback again: %w", err)
			}
			done++
		}
		n += done
		if done == 0 {
			return n, nil
		}
	}
}
