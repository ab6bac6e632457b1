package api

import (
	"context"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// ApprovalProcess is a process by which writes need agreement.
type ApprovalProcess struct {
	ID      string               `json:"id"`
	Version int64                `json:"version"`
	Spec    approval.ProcessSpec `json:"spec"`
	// Sentences are the conditions in words: of the whole, of what is free, and of each step.
	Where     schema.Label `json:"where_sentence,omitempty"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// ApprovalProcesses are all processes.
type ApprovalProcesses struct {
	Items []ApprovalProcess `json:"items"`
}

func (c *call) showProcess(p approval.Process) ApprovalProcess {
	out := ApprovalProcess{ID: id.Format(approval.ProcessPrefix, p.ID), Version: p.Version, Spec: p.ProcessSpec, UpdatedAt: p.At}
	if p.Where != nil {
		out.Where = c.ws.Conditions.Sentence(p.Object, p.Where)
	}
	return out
}

type listProcessesIn struct {
	Object string `query:"object"`
}

func (a *API) listProcesses(ctx context.Context, c *call, in listProcessesIn) (ApprovalProcesses, error) {
	list, err := c.ws.Approvals.Processes(ctx, in.Object)
	out := ApprovalProcesses{Items: []ApprovalProcess{}}
	for _, p := range list {
		if !c.who.Actor.Can(access.SchemaManage) && !c.who.Actor.May(p.Object, access.Read) {
			continue
		}
		out.Items = append(out.Items, c.showProcess(p))
	}
	return out, err
}

type processBody struct {
	Version int64                `json:"version,omitempty"`
	Spec    approval.ProcessSpec `json:"spec"`
}

type createProcessIn struct{ Body processBody }

func (a *API) createProcess(ctx context.Context, c *call, in createProcessIn) (ApprovalProcess, error) {
	p, err := c.ws.Approvals.CreateProcess(ctx, in.Body.Spec)
	if err != nil {
		return ApprovalProcess{}, err
	}
	return c.showProcess(p), nil
}

type patchProcessIn struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match"`
	Body    processBody
}

func processID(text string) (id.ID, error) {
	v, err := id.Parse(approval.ProcessPrefix, text)
	if err != nil {
		return 0, fault.New(fault.NotFound, "approval.process_unknown", nil)
	}
	return v, nil
}

func (a *API) patchProcess(ctx context.Context, c *call, in patchProcessIn) (ApprovalProcess, error) {
	v, err := processID(in.ID)
	if err != nil {
		return ApprovalProcess{}, err
	}
	version, err := versionOf(in.IfMatch, in.Body.Version)
	if err != nil {
		return ApprovalProcess{}, err
	}
	p, err := c.ws.Approvals.ChangeProcess(ctx, v, version, in.Body.Spec)
	if err != nil {
		return ApprovalProcess{}, err
	}
	return c.showProcess(p), nil
}

func (a *API) deleteProcess(ctx context.Context, c *call, in idIn) (empty, error) {
	v, err := processID(in.ID)
	if err != nil {
		return empty{}, err
	}
	return empty{}, c.ws.Approvals.DeleteProcess(ctx, v)
}
