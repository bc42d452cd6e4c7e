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

// beginning is the beginning of a word, and what it stands for.
type beginning struct {
	text string
	end  bucket
}

// newTrie makes a trie of sorted beginnings.
func newTrie(sorted []beginning) trie {
	t := trie{nodes: make([]trieNode, 1)}
	t.grow(0, 0, sorted)
	t.nodes = append([]trieNode(nil), t.nodes...)
	return t
}

// grow adds what is behind a node: the sorted ones all begin with its bytes.
func (t *trie) grow(node, depth int, sorted []beginning) {
	if len(sorted) > 0 && len(sorted[0].text) == depth {
		t.nodes[node].end = sorted[0].end
		sorted = sorted[1:]
	}
	var groups [][]beginning
	first := len(t.nodes)
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].text[depth] == sorted[0].text[depth] {
			n++
		}
		t.nodes = append(t.nodes, trieNode{char: sorted[0].text[depth]})
		groups = append(groups, sorted[:n])
		sorted = sorted[n:]
	}
	t.nodes[node].from, t.nodes[node].to = uint32(first), uint32(len(t.nodes))
	for i, g := range groups {
		t.grow(first+i, depth+1, g)
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
