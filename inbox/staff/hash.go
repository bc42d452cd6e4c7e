package staff

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"push.guru/supportd/inbox"
)

// Cost is what one hash of a password costs.
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over it
	Threads uint8
}

// DefaultCost is the second recommended option of RFC 9106, section 4: the one
// for where the first, with 2 GiB, is too much. It is above what OWASP asks for
// at least (19 MiB, 2 passes). Sign-ins are rare, and one hash is made at a
// time, so the larger memory can be afforded.
func DefaultCost() Cost { return Cost{Memory: 64 << 10, Time: 3, Threads: 4} }

const (
	saltLen = 16 // RFC 9106, section 4
	hashLen = 32

	// waiting is how many may wait for their hash to be made; more are sent away,
	// so that a crowd of strangers takes neither the memory nor the day.
	waiting = 16
)

// errBusy says that too many wait already.
var errBusy = errors.New("too many sign in at once")

// hasher makes the hashes, one at a time: each takes Cost.Memory.
type hasher struct {
	cost  Cost
	queue chan struct{} // who waits, and the one whose turn it is
	turn  chan struct{}

	stretch func(password, salt []byte, time, memory uint32, threads uint8, n uint32) []byte
}

func newHasher(c Cost) *hasher {
	return &hasher{cost: c, queue: make(chan struct{}, waiting+1), turn: make(chan struct{}, 1), stretch: argon2.IDKey}
}

// key waits for its turn and stretches a password. It gives up with ctx, but
// does not stop in the middle.
func (h *hasher) key(ctx context.Context, c Cost, password string, salt []byte, n uint32) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, &inbox.Error{Err: errBusy, Hint: "try again in a moment", Temp: true}
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.stretch([]byte(password), salt, c.Time, c.Memory, c.Threads, n), nil
}

// make gives the hash of a password as it is stored, with its parameters, in
// the form of the PHC string format.
func (h *hasher) make(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	rand.Read(salt)
	key, err := h.key(ctx, h.cost, password, salt, hashLen)
	if err != nil {
		return "", err
	}
	return encode(h.cost, salt, key), nil
}

// matches tells whether stored is the hash of a password, and whether it was
// made with other parameters than new ones are. A stored "" is nobody's: it is
// refused, after the work of a new one. A hash of before the parameters were
// raised takes less, until its owner has signed in.
func (h *hasher) matches(ctx context.Context, stored, password string) (ok, old bool, err error) {
	c, salt, want := h.cost, make([]byte, saltLen), make([]byte, hashLen)
	if stored != "" {
		if c, salt, want, err = decode(stored); err != nil {
			return false, false, err
		}
	}
	got, err := h.key(ctx, c, password, salt, uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(got, want) == 1
	return same && stored != "", c != h.cost, nil
}

var base64Raw = base64.RawStdEncoding.Strict()

func encode(c Cost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Time, c.Threads,
		base64Raw.EncodeToString(salt), base64Raw.EncodeToString(key))
}

// The largest cost that is read: a hash that asks for more is damaged.
const (
	maxMemory = 4 << 20 // KiB
	maxTime   = 100
)

func decode(s string) (c Cost, salt, key []byte, err error) {
	fault := errors.New("the stored hash of a password is damaged")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return c, nil, nil, fault
	}
	var values [3]uint64
	for i, p := range strings.Split(parts[3], ",") {
		if i == len(values) || !strings.HasPrefix(p, []string{"m=", "t=", "p="}[i]) {
			return c, nil, nil, fault
		}
		if values[i], err = strconv.ParseUint(p[2:], 10, 32); err != nil {
			return c, nil, nil, fault
		}
	}
	salt, err1 := base64Raw.DecodeString(parts[4])
	key, err2 := base64Raw.DecodeString(parts[5])
	m, t, p := values[0], values[1], values[2]
	if err1 != nil || err2 != nil || len(salt) < 8 || len(key) < 16 || m == 0 || m > maxMemory || t == 0 || t > maxTime || p == 0 || p > math.MaxUint8 {
		return c, nil, nil, fault
	}
	return Cost{Memory: uint32(m), Time: uint32(t), Threads: uint8(p)}, salt, key, nil
}
