package api

import "github.com/guanxi-crm/guanxi/internal/insight/trait"

// TraitType is the word of the API for the type of a trait: integer, decimal, money, date, choice, text or bool.
func TraitType(d trait.Def) string { return traitType(d.Type, d.Scale) }
