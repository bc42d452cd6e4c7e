package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// The pages of a bbolt file are looked at by reading them, and not with bbolt's
// own check: that one follows what a damaged page says, out of the file and in
// circles, in a goroutine whose faults end the program. The format is that of
// version 2, little endian:
//
//	page     id (8), flags (2), count (2), overflow (4), elements
//	branch   pos (4), key size (4), page (8)
//	leaf     flags (4), pos (4), key size (4), value size (4)
//	meta     magic, version, page size, flags (4 each), root (8), sequence (8), freelist (8), pages (8), transaction (8), checksum (8)

const (
	pageHead   = 16
	metaSum    = 56 // bytes of a meta before its checksum
	boltMagic  = 0xED0CDAED
	flagBranch = 1
	flagLeaf   = 2
	flagFree   = 16
	noFreelist = ^uint64(0)
	maxDepth   = 64
)

// pageCheck looks at every page of a file once.
type pageCheck struct {
	e    *Examined
	file io.ReaderAt
	size int64 // of a page
	high uint64
	seen []bool
}

// pages looks whether each page of a file is used once, and holds what it must
// hold.
func pages(e *Examined, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("looking at its pages: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("looking at its pages: %w", err)
	}
	p := &pageCheck{e: e, file: f, size: int64(os.Getpagesize())}
	root, free, err := p.meta(info.Size())
	if err != nil {
		return err
	}
	p.seen = make([]bool, p.high)
	p.seen[0], p.seen[1] = true, true
	e.Seen = fmt.Sprintf("%d pages", p.high)
	p.tree(root, nil, nil, 0)
	p.freelist(free)
	for id, seen := range p.seen {
		if !seen {
			e.fault("page %d is neither in use nor free", id)
		}
	}
	return nil
}

// meta reads the newest of the two meta pages.
func (p *pageCheck) meta(size int64) (root, free uint64, err error) {
	newest, found := uint64(0), false
	le := binary.LittleEndian
	for n := range int64(2) {
		b := make([]byte, pageHead+metaSum+8)
		if _, err := p.file.ReadAt(b, n*p.size); err != nil {
			return 0, 0, fmt.Errorf("reading meta page %d: %w", n, err)
		}
		m := b[pageHead:]
		sum := fnv.New64a()
		sum.Write(m[:metaSum])
		if le.Uint32(m) != boltMagic || sum.Sum64() != le.Uint64(m[metaSum:]) {
			p.e.fault("meta page %d is damaged", n)
			continue
		}
		if tx := le.Uint64(m[48:]); !found || tx > newest {
			newest, found = tx, true
			root, free, p.high = le.Uint64(m[16:]), le.Uint64(m[32:]), le.Uint64(m[40:])
		}
	}
	switch {
	case !found:
		return 0, 0, errors.New("both meta pages are damaged")
	case p.high < 4 || int64(p.high) > size/p.size:
		return 0, 0, fmt.Errorf("it should have %d pages, and has %d", p.high, size/p.size)
	}
	return root, free, nil
}

// page reads a page that nobody has read before, with what it flows over into;
// nil when it is none.
func (p *pageCheck) page(id uint64) []byte {
	if id < 2 || id >= p.high {
		p.e.fault("page %d is not in the file", id)
		return nil
	}
	head := make([]byte, pageHead)
	if _, err := p.file.ReadAt(head, int64(id)*p.size); err != nil {
		p.e.fault("page %d cannot be read: %v", id, err)
		return nil
	}
	over := uint64(binary.LittleEndian.Uint32(head[12:]))
	if got := binary.LittleEndian.Uint64(head); got != id || id+over >= p.high {
		p.e.fault("page %d says that it is page %d with %d more", id, got, over)
		return nil
	}
	for n := id; n <= id+over; n++ {
		if p.seen[n] {
			p.e.fault("page %d is used twice", n)
			return nil
		}
		p.seen[n] = true
	}
	b := make([]byte, int64(over+1)*p.size)
	if _, err := p.file.ReadAt(b, int64(id)*p.size); err != nil {
		p.e.fault("page %d cannot be read: %v", id, err)
		return nil
	}
	return b
}

// tree looks at a page and those below it, whose keys are from low up to high.
func (p *pageCheck) tree(id uint64, low, high []byte, depth int) {
	if depth > maxDepth {
		p.e.fault("page %d is too deep", id)
		return
	}
	b := p.page(id)
	if b == nil {
		return
	}
	switch flags := binary.LittleEndian.Uint16(b[8:]); flags {
	case flagBranch:
		p.branch(id, b, low, high, depth)
	case flagLeaf:
		p.leaf(id, b, low, high, depth)
	default:
		p.e.fault("page %d is of kind %d, where a branch or a leaf should be", id, flags)
	}
}

// span cuts a part out of a page; false when it is not within.
func span(b []byte, from, size uint64) ([]byte, bool) {
	if from > uint64(len(b)) || size > uint64(len(b))-from {
		return nil, false
	}
	return b[from : from+size], true
}

// ordered tells whether a key follows the one before and is within its bounds.
func ordered(key, before, low, high []byte, first bool) bool {
	return (first || bytes.Compare(before, key) < 0) && (low == nil || bytes.Compare(low, key) <= 0) && (high == nil || bytes.Compare(key, high) < 0)
}

func (p *pageCheck) branch(id uint64, b, low, high []byte, depth int) {
	count := int(binary.LittleEndian.Uint16(b[10:]))
	type child struct {
		key  []byte
		page uint64
	}
	var children []child
	var before []byte
	for i := range count {
		at := uint64(pageHead + 16*i)
		el, ok := span(b, at, 16)
		if !ok {
			p.e.fault("page %d has more elements than fit", id)
			return
		}
		key, ok := span(b, at+uint64(binary.LittleEndian.Uint32(el)), uint64(binary.LittleEndian.Uint32(el[4:])))
		if !ok || !ordered(key, before, low, high, i == 0) {
			p.e.fault("page %d has an element %d that is not in order", id, i)
			return
		}
		children, before = append(children, child{key, binary.LittleEndian.Uint64(el[8:])}), key
	}
	if count == 0 {
		p.e.fault("page %d is a branch without children", id)
	}
	for i, c := range children {
		next := high
		if i+1 < len(children) {
			next = children[i+1].key
		}
		p.tree(c.page, c.key, next, depth+1)
	}
}

func (p *pageCheck) leaf(id uint64, b, low, high []byte, depth int) {
	count := int(binary.LittleEndian.Uint16(b[10:]))
	var before []byte
	for i := range count {
		at := uint64(pageHead + 16*i)
		el, ok := span(b, at, 16)
		if !ok {
			p.e.fault("page %d has more elements than fit", id)
			return
		}
		pos, ksize, vsize := at+uint64(binary.LittleEndian.Uint32(el[4:])), uint64(binary.LittleEndian.Uint32(el[8:])), uint64(binary.LittleEndian.Uint32(el[12:]))
		key, ok := span(b, pos, ksize)
		value, whole := span(b, pos+ksize, vsize)
		if !ok || !whole || !ordered(key, before, low, high, i == 0) {
			p.e.fault("page %d has an element %d that is not in order", id, i)
			return
		}
		before = key
		switch flags := binary.LittleEndian.Uint32(el); {
		case flags == 1:
			p.bucket(id, value, depth)
		case flags != 0:
			p.e.fault("page %d has an element %d of kind %d", id, i, flags)
		}
	}
}

// bucket follows a bucket to its pages, or looks into one that has none.
func (p *pageCheck) bucket(id uint64, value []byte, depth int) {
	switch {
	case len(value) < 16:
		p.e.fault("page %d has a bucket that is cut", id)
	case binary.LittleEndian.Uint64(value) != 0:
		p.tree(binary.LittleEndian.Uint64(value), nil, nil, depth+1)
	case len(value) < 16+pageHead:
		p.e.fault("page %d has a bucket that is cut", id)
	default:
		p.leaf(id, value[16:], nil, nil, depth+1)
	}
}

// freelist holds the free pages against those in use.
func (p *pageCheck) freelist(id uint64) {
	if id == noFreelist {
		p.e.fault("the list of free pages is missing")
		return
	}
	b := p.page(id)
	if b == nil {
		return
	}
	if flags := binary.LittleEndian.Uint16(b[8:]); flags != flagFree {
		p.e.fault("page %d is of kind %d, where the list of free pages should be", id, flags)
		return
	}
	count, at := uint64(binary.LittleEndian.Uint16(b[10:])), uint64(pageHead)
	if count == 0xFFFF {
		count, at = binary.LittleEndian.Uint64(b[pageHead:]), pageHead+8
	}
	if count > uint64(len(b)) {
		p.e.fault("the list of free pages is longer than its page")
		return
	}
	for i := range count {
		el, ok := span(b, at+8*i, 8)
		if !ok {
			p.e.fault("the list of free pages is longer than its page")
			return
		}
		n := binary.LittleEndian.Uint64(el)
		if n < 2 || n >= p.high || p.seen[n] {
			p.e.fault("page %d is free, and in use or not there", n)
			continue
		}
		p.seen[n] = true
	}
}
