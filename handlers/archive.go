package handlers

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"hash/crc32"
)

// member is a file of the ZIP in the making. It takes plain bytes and holds
// compressed ones, so that several can be written side by side.
type member struct {
	name    string
	packed  bytes.Buffer
	deflate *flate.Writer
	sum     uint32
	size    uint64
}

func newMember(name string) *member {
	m := &member{name: name}
	m.deflate, _ = flate.NewWriter(&m.packed, flate.DefaultCompression) // fails for an unknown level only
	return m
}

func (m *member) Write(p []byte) (int, error) {
	n, err := m.deflate.Write(p)
	m.sum = crc32.Update(m.sum, crc32.IEEETable, p[:n])
	m.size += uint64(n)
	return n, err
}

// pack puts the members into a ZIP. It has no times in it: the same content is
// the same file.
func pack(members ...*member) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		if err := m.deflate.Close(); err != nil {
			return nil, err
		}
		w, err := z.CreateRaw(&zip.FileHeader{Name: m.name, Method: zip.Deflate, CRC32: m.sum,
			CompressedSize64: uint64(m.packed.Len()), UncompressedSize64: m.size})
		if err != nil {
			return nil, err
		}
		if _, err := m.packed.WriteTo(w); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
