package app

import (
	"context"
	"strconv"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/engage/approval"
	"github.com/guanxi-crm/guanxi/internal/engage/stage"
	"github.com/guanxi-crm/guanxi/internal/model/access"
	"github.com/guanxi-crm/guanxi/internal/model/blueprint"
	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// gatherProcesses adds what needs agreement and the stages of objects. A process that names people or units cannot be carried.
func (b blueprints) gatherProcesses(ctx context.Context, g *gathered) error {
	if !access.From(ctx).Can(access.SchemaManage) {
		g.LeftOut = append(g.LeftOut, "/"+blueprint.Approvals, "/"+blueprint.Stages)
		return nil
	}
	list, err := b.w.approvals.Processes(ctx, "")
	if err != nil {
		return err
	}
	for _, p := range list {
		key, at := p.Name, blueprint.Pointer(blueprint.Approvals, p.Name)
		for n := 2; ; n++ {
			if _, taken := g.waits[at]; !taken {
				break
			}
			key = p.Name + "#" + strconv.Itoa(n)
			at = blueprint.Pointer(blueprint.Approvals, key)
		}
		g.waits[at] = p
		personal := b.personal(p.Object, p.Where) || b.personal(p.Object, p.Free)
		for _, st := range p.Steps {
			personal = personal || b.personal(p.Object, st.Where)
		}
		if err := b.put(g, personal, p.ProcessSpec, blueprint.Approvals, key); err != nil {
			return err
		}
	}
	stages, err := b.w.stages.Processes(ctx)
	if err != nil {
		return err
	}
	for _, p := range stages {
		personal := false
		for _, st := range p.Stages {
			personal = personal || b.personal(p.Object, st.Where)
		}
		if err := b.put(g, personal, p.Course, blueprint.Stages, p.Object); err != nil {
			return err
		}
	}
	return nil
}

// checkProcess refuses a process that there could not be under another registry.
func (m *importing) checkProcess(d blueprint.Difference, next *schema.Registry) error {
	parts := blueprint.Parts(d.Pointer)
	if parts[0] == blueprint.Approvals {
		var spec approval.ProcessSpec
		if err := read(d.After, &spec); err != nil {
			return err
		}
		return m.w.approvals.Check(m.ctx, &spec, next)
	}
	var spec stage.Course
	if err := read(d.After, &spec); err != nil {
		return err
	}
	obj := next.Object(parts[1])
	if obj == nil || obj.Virtual {
		return fault.New(fault.NotFound, "metadata.object_unknown", fault.Params{"object": parts[1]})
	}
	return m.w.stages.Check(obj, &spec)
}

func (m *importing) approval(d blueprint.Difference) error {
	var spec approval.ProcessSpec
	err := read(d.After, &spec)
	if err != nil {
		return err
	}
	if have, ok := m.g.waits[d.Pointer]; ok {
		_, err = m.w.approvals.ChangeProcess(m.ctx, have.ID, 0, spec)
	} else {
		_, err = m.w.approvals.CreateProcess(m.ctx, spec)
	}
	return err
}

func (m *importing) stages(d blueprint.Difference) error {
	var spec stage.Course
	if err := read(d.After, &spec); err != nil {
		return err
	}
	object := blueprint.Parts(d.Pointer)[1]
	now, _, err := m.w.stages.Process(m.ctx, object)
	if err == nil {
		_, err = m.w.stages.Save(m.ctx, object, now.Version, spec)
	}
	return err
}
