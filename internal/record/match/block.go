package match

import (
	"slices"
	"strings"
)

// Sound is a form that names share when they sound alike, have their characters swapped, or are one the pinyin of the other: the letters of
// the pinyin in alphabetical order.
func (n *Name) Sound() string {
	text := n.joined
	if n.Chinese() {
		text = strings.Join(n.sounds, "")
	}
	b := []byte(strings.ReplaceAll(text, "v", "u"))
	slices.Sort(b)
	return string(b)
}

// Family is a form that names share when they begin with the same surname: its sound, and the first letter of a Latin word.
func (n *Name) Family() string {
	if n.Chinese() {
		return n.sounds[0]
	}
	if len(n.words) > 0 {
		return n.words[0][:1]
	}
	return ""
}

// Block is a form that like addresses of one city share: all their numbers.
func (a *Address) Block() string {
	if len(a.numbers) < 2 || len(a.Region) < 4 { // a single number says too little
		return ""
	}
	return a.Region[:4] + "|" + strings.Join(a.numbers, ".")
}

// TextBlocks are forms of which like texts share one: their beginning and their end.
func TextBlocks(folded string) []string {
	r := letters(folded)
	if len(r) < 4 {
		return []string{string(r)}
	}
	n := min(len(r), max(3, len(r)/2))
	return []string{"<" + string(r[:n]), ">" + string(r[len(r)-n:])}
}

// Tokens are the search tokens by which a name is found that sounds like this one or spells it: each by itself.
func (n *Name) Tokens() []string {
	var out []string
	add := func(parts ...string) {
		t := strings.Join(parts, "")
		if t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	if !n.Chinese() {
		add(n.joined)
		for i := range n.words {
			add(append(slices.Clone(n.words[i:]), n.words[:i]...)...)
		}
		return out
	}
	add(n.sounds...)
	for i := 1; i < len(n.sounds); i++ { // neighbours swapped
		s := slices.Clone(n.sounds)
		s[i-1], s[i] = s[i], s[i-1]
		add(s...)
	}
	add(append(slices.Clone(n.sounds[1:]), n.sounds[0])...)
	return out
}
