package handlers

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"hash/crc32"
	"sync"
)

// member is a file of the ZIP in the making. It takes plain bytes and holds
// compressed ones, so that several can be written side by side.
type member struct {
	name    string
	packed  blocks
	deflate *flate.Writer
	sum     uint32
	size    uint64
}

// compressors are those that no copy uses at the moment: to make one, which is
// more than half a megabyte large, is most of the work on a small copy.
type compressors struct{ free sync.Pool }

func (c *compressors) member(name string) *member {
	m := &member{name: name}
	m.deflate, _ = c.free.Get().(*flate.Writer)
	if m.deflate == nil {
		m.deflate, _ = flate.NewWriter(nil, flate.DefaultCompression) // fails for an unknown level only
	}
	m.reset()
	return m
}

// take takes back the compressors of members that were packed.
func (c *compressors) take(members []*member) {
	for _, m := range members {
		c.free.Put(m.deflate)
	}
}

// reset begins the file anew, for another ZIP.
func (m *member) reset() {
	m.packed, m.sum, m.size = blocks{}, 0, 0
	m.deflate.Reset(&m.packed)
}

func (m *member) Write(p []byte) (int, error) {
	n, err := m.deflate.Write(p)
	m.sum = crc32.Update(m.sum, crc32.IEEETable, p[:n])
	m.size += uint64(n)
	return n, err
}

// The sizes of blocks: the first of them small, each as large as all before it.
const (
	firstBlock   = 2 << 10
	largestBlock = 64 << 10
)

// blocks holds bytes in pieces, so that what grows is neither moved nor twice
// as large as what is in it.
type blocks struct {
	all  [][]byte
	size int
}

func (b *blocks) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if n := len(b.all); n == 0 || len(b.all[n-1]) == cap(b.all[n-1]) {
			b.all = append(b.all, make([]byte, 0, min(max(b.size, firstBlock), largestBlock)))
		}
		last := &b.all[len(b.all)-1]
		n := min(len(rest), cap(*last)-len(*last))
		*last, rest = append(*last, rest[:n]...), rest[n:]
		b.size += n
	}
	return len(p), nil
}

// pack puts the members into a ZIP and lets go of what was in them. It has no
// times in it: the same content is the same file.
func pack(members ...*member) ([]byte, error) {
	var b bytes.Buffer
	whole := 1 << 10 // for the headers
	for _, m := range members {
		if err := m.deflate.Close(); err != nil {
			return nil, err
		}
		whole += m.packed.size
	}
	b.Grow(whole)
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.CreateRaw(&zip.FileHeader{Name: m.name, Method: zip.Deflate, CRC32: m.sum,
			CompressedSize64: uint64(m.packed.size), UncompressedSize64: m.size})
		if err != nil {
			return nil, err
		}
		for _, block := range m.packed.all {
			if _, err := w.Write(block); err != nil {
				return nil, err
			}
		}
		m.packed = blocks{}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
