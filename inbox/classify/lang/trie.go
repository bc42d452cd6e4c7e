package lang

import "slices"

// trie finds the beginnings of a word among many, byte by byte.
type trie struct {
	nodes []trieNode
}

// trieNode is a beginning. The nodes behind it follow each other in the order
// of their bytes.
type trieNode struct {
	from, to int32  // of the nodes behind it
	end      bucket // what begins with these bytes and nothing more; nil: nothing
	char     byte
}

// newTrie makes a trie of buckets by their beginnings.
func newTrie(of map[string]bucket) *trie {
	words := make([]string, 0, len(of))
	for w := range of {
		words = append(words, w)
	}
	slices.Sort(words)
	t := &trie{nodes: make([]trieNode, 1)}
	t.grow(0, 0, words, of)
	return t
}

// grow adds what is behind a node: the sorted words all begin with its bytes.
func (t *trie) grow(node, depth int, words []string, of map[string]bucket) {
	if len(words) > 0 && len(words[0]) == depth {
		t.nodes[node].end = of[words[0]]
		words = words[1:]
	}
	type group struct{ words []string }
	var groups []group
	first := len(t.nodes)
	for len(words) > 0 {
		c := words[0][depth]
		n := 1
		for n < len(words) && words[n][depth] == c {
			n++
		}
		t.nodes = append(t.nodes, trieNode{char: c})
		groups = append(groups, group{words[:n]})
		words = words[n:]
	}
	t.nodes[node].from, t.nodes[node].to = int32(first), int32(len(t.nodes))
	for i, g := range groups {
		t.grow(first+i, depth+1, g.words, of)
	}
}

// each appends the buckets of the beginnings of a word, shortest first.
func (t *trie) each(word string, out []bucket) []bucket {
	at := int32(0)
	for i := range len(word) {
		n := &t.nodes[at]
		lo, hi := n.from, n.to
		for lo < hi {
			mid := (lo + hi) / 2
			if t.nodes[mid].char < word[i] {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if lo == n.to || t.nodes[lo].char != word[i] {
			return out
		}
		at = lo
		if b := t.nodes[at].end; b != nil {
			out = append(out, b)
		}
	}
	return out
}
