package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/query"
	"github.com/guanxi-crm/guanxi/internal/platform/auth"
	"github.com/guanxi-crm/guanxi/internal/platform/webhook"
	"github.com/guanxi-crm/guanxi/internal/record/automation"
)

// happened is what is stored of a happening, of every kind.
type happened struct {
	Request id.ID            `json:"request"`
	Process string           `json:"process"`
	Action  string           `json:"action"`
	State   string           `json:"state"`
	ByKind  access.ActorKind `json:"by_kind"`
	By      id.ID            `json:"by"`
	Answer  string           `json:"answer"`
	Step    string           `json:"step"`
	Person  id.ID            `json:"person"`
	Comment string           `json:"comment"`
	Code    string           `json:"code"`

	Automation id.ID `json:"automation"`
	Run        id.ID `json:"run"`

	From    string `json:"from"`
	To      string `json:"to"`
	Entered int64  `json:"entered"`
}

// Explain implements webhook.Source.
func (s hookSource) Explain(ctx context.Context, list []webhook.Happening) ([]*webhook.Story, error) {
	ctx = reader(ctx)
	names, err := s.w.edge.Automations.Names(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*webhook.Story, len(list))
	for i := range list {
		h := &list[i]
		obj := s.w.registry().Object(h.Object)
		if obj == nil {
			continue
		}
		var said happened
		if err := json.Unmarshal(h.Body, &said); err != nil {
			return nil, fmt.Errorf("what happened, as stored: %w", err)
		}
		data := map[string]any{}
		if h.Record != 0 {
			data["id"] = id.Format(obj.Prefix, h.Record)
		}
		switch h.Type {
		case webhook.AutomationFailed:
			data["automation"] = map[string]any{"id": id.Format(automation.Prefix, said.Automation), "name": names[said.Automation]}
			data["run"], data["step"], data["code"] = id.Format(automation.RunPrefix, said.Run), said.Step, said.Code
		case webhook.StageMoved:
			data["from"], data["to"], data["by"] = textOrNil(said.From), textOrNil(said.To), s.actor(said.ByKind, said.By)
			if said.Entered > 0 {
				data["seconds"] = (h.At.UnixMilli() - said.Entered) / 1000
			}
		default:
			data["request"] = map[string]any{"id": id.Format(approval.Prefix, said.Request), "process": said.Process, "action": said.Action, "state": said.State}
			data["by"] = s.actor(said.ByKind, said.By)
			s.answered(h.Type, &said, data)
		}
		out[i] = &webhook.Story{Data: data, Holds: func(where *query.Node) (bool, error) {
			if h.Record == 0 {
				return false, nil
			}
			holds, err := ruleConditions(s).Holding(ctx, h.Object, where, []id.ID{h.Record}, false)
			return holds[h.Record], err
		}}
	}
	return out, nil
}

// answered adds what else there is to say of a request.
func (s hookSource) answered(kind webhook.Kind, said *happened, data map[string]any) {
	if said.Comment != "" {
		data["comment"] = said.Comment
	}
	switch kind {
	case webhook.ApprovalAsked:
		data["person"] = id.Format(auth.UserPrefix, said.Person)
	case webhook.ApprovalDecided:
		data["answer"], data["step"] = said.Answer, said.Step
	case webhook.ApprovalFailed:
		data["code"] = said.Code
	}
}

// actor is who did something.
func (s hookSource) actor(kind access.ActorKind, by id.ID) map[string]any {
	out := map[string]any{"kind": kind}
	switch {
	case by == 0:
	case kind == access.ByUser:
		out["id"] = id.Format(auth.UserPrefix, by)
	case kind == access.ByRule:
		out["id"] = id.Format(automation.Prefix, by)
	}
	return out
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
