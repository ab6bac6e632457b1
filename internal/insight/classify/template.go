package classify

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/guanxi-crm/guanxi/internal/model/schema"
)

// Template is a set of stages that a lifecycle can be made of.
type Template struct {
	Key         string       `json:"key"`
	Label       schema.Label `json:"label"`
	Description schema.Label `json:"description"`
	Classes     []Class      `json:"classes"`
}

//go:embed templates.json
var templates []byte

// Templates are the sets of stages that come with the program; the first is that of a new workspace.
func Templates() ([]Template, error) {
	var out []Template
	if err := json.Unmarshal(templates, &out); err != nil {
		return nil, fmt.Errorf("sets of stages: %w", err)
	}
	return out, nil
}
