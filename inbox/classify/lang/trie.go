package lang

// trie finds the beginnings of a word among many, byte by byte.
type trie struct{ nodes []trieNode }

// trieNode is a beginning. The nodes behind it follow each other in the order
// of their bytes.
type trieNode struct {
	from, to uint32 // of the nodes behind it
	end      bucket // what begins with these bytes and nothing more
	char     byte
}

// newTrie makes a trie of sorted words and what each stands for.
func newTrie(words []string, of map[string]bucket) trie {
	t := trie{nodes: make([]trieNode, 1)}
	t.grow(0, 0, words, of)
	return t
}

// grow adds what is behind a node: the sorted words all begin with its bytes.
func (t *trie) grow(node, depth int, words []string, of map[string]bucket) {
	if len(words) > 0 && len(words[0]) == depth {
		t.nodes[node].end = of[words[0]]
		words = words[1:]
	}
	var groups [][]string
	first := len(t.nodes)
	for len(words) > 0 {
		n := 1
		for n < len(words) && words[n][depth] == words[0][depth] {
			n++
		}
		t.nodes = append(t.nodes, trieNode{char: words[0][depth]})
		groups = append(groups, words[:n])
		words = words[n:]
	}
	t.nodes[node].from, t.nodes[node].to = uint32(first), uint32(len(t.nodes))
	for i, g := range groups {
		t.grow(first+i, depth+1, g, of)
	}
}

// each appends what the beginnings of a word stand for, shortest first.
func (t *trie) each(word string, out []bucket) []bucket {
	at := uint32(0)
	for i := range len(word) {
		n := &t.nodes[at]
		lo, hi := n.from, n.to
		for lo < hi {
			if mid := (lo + hi) / 2; t.nodes[mid].char < word[i] {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		if lo == n.to || t.nodes[lo].char != word[i] {
			return out
		}
		if at = lo; t.nodes[at].end.to > 0 {
			out = append(out, t.nodes[at].end)
		}
	}
	return out
}
