package text

import (
	"strings"
	"unicode"
)

// FNV-1a, 64 bits: the hash is part of what the weights mean.
const (
	hashSeed  = 14695981039346656037
	hashPrime = 1099511628211
)

func hashRune(h uint64, r rune) uint64 {
	for s := 0; s < 24; s += 8 {
		h = (h ^ uint64(r>>s)&0xff) * hashPrime
	}
	return h
}

func hashText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * hashPrime
	}
	return h
}

// bucket folds the upper bits into the lower ones, of which a power of two is kept.
func bucket(h uint64, bits int) uint32 { return uint32((h ^ h>>29 ^ h>>47) & (1<<bits - 1)) }

// characters are the pieces of a Chinese text: characters, pairs and triples that stand together; words of other scripts count as one.
func characters(plain string, bits int, out []uint32) []uint32 {
	var one, two uint64 // hashes of the last two
	var word strings.Builder
	put := func(h uint64) {
		out = append(out, bucket(h^1, bits))
		if one != 0 {
			out = append(out, bucket((one*hashPrime^h)*hashPrime^2, bits))
		}
		if two != 0 {
			out = append(out, bucket(((two*hashPrime^one)*hashPrime^h)*hashPrime^3, bits))
		}
		two, one = one, h
	}
	flush := func() {
		if word.Len() > 0 {
			put(hashText(hashSeed, word.String()))
			word.Reset()
		}
	}
	for _, r := range plain {
		switch {
		case r >= 'a' && r <= 'z' || r == '0':
			word.WriteRune(r)
		case unicode.IsSpace(r):
			flush()
		default:
			flush()
			put(hashRune(hashSeed, r))
		}
	}
	flush()
	return out
}

// denials turn what follows round, in English.
var denials = set("not no never nothing hardly barely without isn't wasn't aren't weren't don't doesn't didn't can't couldn't won't wouldn't shouldn't cannot n't nor neither lacks lack")

// denied is how many words a denial reaches.
const denied = 3

// stem is how many bytes of a longer word count by themselves: "disappointing" is close to "disappointed".
const stem = 5

// phrases are the pieces of an English text: words and pairs of them, and words under a denial.
func phrases(plain string, bits int, out []uint32) []uint32 {
	var one uint64
	left := 0
	for w := range words(plain) {
		h := hashText(hashSeed, w)
		out = append(out, bucket(h^1, bits))
		if one != 0 {
			out = append(out, bucket((one*hashPrime^h)*hashPrime^2, bits))
		}
		if left > 0 {
			out = append(out, bucket(h*hashPrime^5, bits))
			left--
		}
		if denials[w] {
			left = denied
		}
		if len(w) > stem {
			out = append(out, bucket(hashText(hashSeed, w[:stem])^7, bits))
		}
		one = h
		if w == "." || w == "," || w == "!" || w == "?" || w == ";" || w == "but" {
			left = 0
		}
	}
	return out
}

// words are the words and marks of a folded text; "did n't" of some collections is one word as people write it.
func words(plain string) func(func(string) bool) {
	plain = strings.ReplaceAll(plain, " n't", "n't")
	return func(yield func(string) bool) {
		begin := -1
		for i, r := range plain {
			letter := unicode.IsLetter(r) || r == '0' || r == '\''
			if letter {
				if begin < 0 {
					begin = i
				}
				continue
			}
			if begin >= 0 {
				if w := strings.Trim(plain[begin:i], "'"); w != "" && !yield(w) {
					return
				}
				begin = -1
			}
			if !unicode.IsSpace(r) && !yield(string(r)) {
				return
			}
		}
		if begin >= 0 {
			if w := strings.Trim(plain[begin:], "'"); w != "" {
				yield(w)
			}
		}
	}
}
