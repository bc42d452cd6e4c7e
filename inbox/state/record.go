package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
)

// record is how a thing with a sealed part was stored at first, as JSON. It is
// read still.
type record[T any] struct {
	Plain  T      `json:"plain"`
	Sealed []byte `json:"sealed,omitempty"`
}

// A record is stored as recordMark, the length of the plain part, the plain part
// as JSON and the sealed part as it is: what need not be read is not looked at.
// JSON, as it was written before, begins with a brace.
const recordMark = 1

var errRecord = errors.New("the record is damaged")

// encode gives the bytes of a record.
func encode(plain any, sealed []byte) ([]byte, error) {
	b, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	return append(beginRecord(b, len(sealed)), sealed...), nil
}

// beginRecord gives a record up to its sealed part, with room for that.
func beginRecord(plain []byte, room int) []byte {
	b := make([]byte, 0, 1+binary.MaxVarintLen64+len(plain)+room)
	b = binary.AppendUvarint(append(b, recordMark), uint64(len(plain)))
	return append(b, plain...)
}

// appendJSON appends what json.Marshal gives.
func appendJSON(b *bytes.Buffer, v any) error {
	if err := json.NewEncoder(b).Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the end of the line
	return nil
}

// decode reads the plain part of a record into plain and gives the sealed one,
// which is a part of stored where that can be.
func decode(stored []byte, plain any) (sealed []byte, err error) {
	if len(stored) > 0 && stored[0] != recordMark {
		r := record[any]{Plain: plain}
		err := json.Unmarshal(stored, &r)
		return r.Sealed, err
	}
	b, sealed, err := cutRecord(stored)
	if err != nil {
		return nil, err
	}
	return sealed, json.Unmarshal(b, plain)
}

// cutRecord cuts a record into its parts.
func cutRecord(stored []byte) (plain, sealed []byte, err error) {
	if len(stored) == 0 {
		return nil, nil, errRecord
	}
	n, size := binary.Uvarint(stored[1:])
	rest := stored[min(len(stored), 1+max(size, 0)):]
	if size <= 0 || n > uint64(len(rest)) {
		return nil, nil, errRecord
	}
	return rest[:n], rest[n:], nil
}

// sealedPart gives the sealed part of a record, a part of stored where that can be.
func sealedPart(stored []byte) ([]byte, error) {
	if len(stored) > 0 && stored[0] == recordMark {
		_, sealed, err := cutRecord(stored)
		return sealed, err
	}
	var plain json.RawMessage
	return decode(stored, &plain)
}
