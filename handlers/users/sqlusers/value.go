package sqlusers

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// value is what a column holds, in words.
type value struct {
	text string
	held bool // it is not NULL
	raw  any  // of an untyped column: as the database has it
}

// empty tells whether there is nothing to remove: NULL and "" are the same.
func (v value) empty() bool { return v.text == "" }

// textOf words a value as it comes from the driver.
func textOf(c Column, v any) value {
	switch v := v.(type) {
	case nil:
		return value{}
	case []byte:
		return value{text: bytesText(c, v), held: true}
	case string:
		if b, err := hex.DecodeString(v); err == nil && c.Kind == KindBytes && c.cast != "" {
			return value{text: bytesText(c, b), held: true}
		}
		return value{text: c.worded(v), held: true}
	case int64:
		return value{text: c.worded(strconv.FormatInt(v, 10)), held: true}
	case float64:
		return value{text: strconv.FormatFloat(v, 'f', -1, 64), held: true}
	case float32:
		return value{text: strconv.FormatFloat(float64(v), 'f', -1, 32), held: true}
	case bool:
		return value{text: strconv.FormatBool(v), held: true}
	case time.Time:
		return value{text: v.UTC().Format(time.RFC3339Nano), held: true}
	}
	return value{text: fmt.Sprint(v), held: true}
}

func bytesText(c Column, b []byte) string {
	if c.Kind == KindBool && len(b) == 1 && b[0] <= 1 { // bit(1)
		return strconv.FormatBool(b[0] == 1)
	}
	if !utf8.Valid(b) || c.Kind == KindBytes && isBase64(string(b)) {
		return base64.StdEncoding.EncodeToString(b)
	}
	return c.worded(string(b))
}

// isBase64 tells whether bytesText would make such a text of bytes that are
// none. A text that happens to look so is encoded itself, to tell them apart.
func isBase64(s string) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && (!utf8.Valid(b) || isBase64(string(b)) && len(b) > 0)
}

// bytesOf turns what bytesText made back.
func bytesOf(s string) []byte {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil && isBase64(s) {
		return b
	}
	return []byte(s)
}

// worded gives the one spelling of a value that there are several of.
func (c Column) worded(s string) string {
	switch c.Kind {
	case KindBool:
		if b, ok := boolOf(s); ok {
			return strconv.FormatBool(b)
		}
	case KindDate, KindTime:
		if strings.HasPrefix(s, "0000-00-00") { // MySQL's way to say that there is none
			return ""
		}
		if c.Kind == KindDate {
			return s
		}
		if t, ok := timeOf(s); ok {
			return t.Format(time.RFC3339Nano)
		}
	}
	return s
}

// boolOf reads what databases and maps write for true and false.
func boolOf(s string) (b, ok bool) {
	switch strings.ToLower(s) {
	case "1", "t", "true", "y", "yes", "on":
		return true, true
	case "0", "f", "false", "n", "no", "off":
		return false, true
	}
	return false, false
}

// timeLayouts are how databases write a time; without a zone it is UTC.
var timeLayouts = []string{"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly}

// timeOf reads a time as a column has it; an integer is seconds since 1970, or
// milliseconds where that is the only way it makes sense. Nothing, zero and
// MySQL's day 0 are no time.
func timeOf(s string) (time.Time, bool) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}, false
	case n > 1e11:
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, 0).UTC(), true
}

// written gives a time as the column is to hold it.
func (s *Store) written(c Column, t time.Time) string {
	t = t.UTC()
	switch c.Kind {
	case KindInt:
		return strconv.FormatInt(t.Unix(), 10)
	case KindDate:
		return t.Format(time.DateOnly)
	}
	return s.d.moment(t)
}

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }
