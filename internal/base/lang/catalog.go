package lang

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sort"

	"golang.org/x/text/language"
)

// Catalog holds the sentences of the program in every language, by dotted key ("segment.not_found"). It is immutable
// and safe for concurrent use.
type Catalog struct {
	fallback Locale
	texts    map[Locale]map[string]message
	tags     map[Locale]language.Tag
}

// NewCatalog reads locales/<locale>/*.json from a file system. Each file is one flat object of key and text. A text
// holds {name} placeholders and {name, plural, =0{…} one{…} other{…}} with # for the number inside; ' quotes: '{' is a
// brace. It fails on a text that does not parse, on a key found twice in a locale, and when fallback (the locale asked
// when a key is missing elsewhere) has no texts.
func NewCatalog(fsys fs.FS, fallback Locale) (*Catalog, error) {
	files, err := fs.Glob(fsys, "locales/*/*.json")
	if err != nil {
		return nil, fmt.Errorf("list locales: %w", err)
	}
	c := &Catalog{fallback: fallback, texts: map[Locale]map[string]message{}, tags: map[Locale]language.Tag{}}
	for _, file := range files {
		loc := Locale(path.Base(path.Dir(file)))
		if err := c.load(fsys, file, loc); err != nil {
			return nil, fmt.Errorf("load %s: %w", file, err)
		}
	}
	if len(c.texts[fallback]) == 0 {
		return nil, fmt.Errorf("load locales: no texts for %q", fallback)
	}
	return c, nil
}

func (c *Catalog) load(fsys fs.FS, file string, loc Locale) error {
	if c.texts[loc] == nil {
		tag, err := language.Parse(string(loc))
		if err != nil {
			return fmt.Errorf("folder %q is not a language: %w", loc, err)
		}
		c.texts[loc], c.tags[loc] = map[string]message{}, tag
	}
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	var texts map[string]string
	if err := json.Unmarshal(raw, &texts); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if _, taken := c.texts[loc][key]; taken {
			return fmt.Errorf("key %q stands in another file too", key)
		}
		m, err := parseMessage(texts[key])
		if err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
		c.texts[loc][key] = m
	}
	return nil
}

// Text is the sentence of a key with its parameters filled in: from the locale, another of the same language, or the
// fallback; the key itself when nobody has it, so that a missing text is visible and harmless. A parameter may be text,
// a number, a Label or anything fmt prints; a missing one stays as {name}. Plural forms need an integer of any Go type.
func (c *Catalog) Text(loc Locale, key string, params map[string]any) string {
	for _, l := range c.chain(loc) {
		if m, ok := c.texts[l][key]; ok {
			return m.format(l, c.tags[l], params)
		}
	}
	return key
}

// Has reports whether a locale itself holds a key.
func (c *Catalog) Has(loc Locale, key string) bool {
	_, ok := c.texts[loc][key]
	return ok
}

// Locales lists the languages found, sorted.
func (c *Catalog) Locales() []Locale { return slices.Sorted(maps.Keys(c.texts)) }

// Keys lists the keys of a locale, sorted.
func (c *Catalog) Keys(loc Locale) []string { return slices.Sorted(maps.Keys(c.texts[loc])) }

// Params lists the parameters that the text of a key names in a locale, sorted, each once.
func (c *Catalog) Params(loc Locale, key string) []string {
	seen := map[string]bool{}
	c.texts[loc][key].names(seen)
	return slices.Sorted(maps.Keys(seen))
}

// chain is the order in which locales are asked.
func (c *Catalog) chain(loc Locale) []Locale {
	out := []Locale{loc}
	if c.texts[loc] == nil {
		same := []Locale{}
		for l := range c.texts {
			if l.base() == loc.base() {
				same = append(same, l)
			}
		}
		sort.Slice(same, func(i, j int) bool { return same[i] < same[j] })
		out = append(out, same...)
	}
	return append(out, c.fallback)
}
