package sqlusers

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"push.guru/supportd/handlers/users/datamap"
)

// Refuses says in words why the column cannot hold a text; "": nothing speaks
// against it.
func (c Column) Refuses(v string) string {
	if c.Generated {
		return "the database computes it"
	}
	if len(c.Enum) > 0 {
		return c.refusesEnum(v)
	}
	switch c.Kind {
	case KindText:
		if n := utf8.RuneCountInString(v); c.Length > 0 && n > c.Length {
			return fmt.Sprintf("%s holds %d characters, and %q has %d", c.Type, c.Length, v, n)
		}
	case KindInt, KindBool:
		if !plausible(c, v) {
			return fmt.Sprintf("%q is no %s", v, c.Type)
		}
	case KindNumber:
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return fmt.Sprintf("%q is no %s", v, c.Type)
		}
	case KindDate, KindTime:
		if _, err := strconv.Atoi(v); err == nil {
			return fmt.Sprintf("%q is no %s", v, c.Type)
		}
		if _, ok := timeOf(v); !ok {
			return fmt.Sprintf("%q is no %s", v, c.Type)
		}
	case KindOther:
		return c.refusesOther(v)
	}
	return ""
}

func (c Column) refusesEnum(v string) string {
	values := []string{v}
	if strings.HasPrefix(c.Type, "set(") {
		values = strings.Split(v, ",")
	}
	for _, v := range values {
		if !slices.Contains(c.Enum, v) {
			return fmt.Sprintf("it takes %q, and not %q", c.Enum, v)
		}
	}
	return ""
}

func (c Column) refusesOther(v string) string {
	ok := true
	switch kind, _, _ := strings.Cut(strings.ToLower(c.Type), "("); kind {
	case "uuid":
		hex := strings.ReplaceAll(v, "-", "")
		ok = len(hex) == 32 && strings.Trim(hex, "0123456789abcdefABCDEF") == ""
	case "inet", "inet4", "inet6":
		_, err := netip.ParseAddr(v)
		ok = err == nil
	case "json", "jsonb":
		ok = json.Valid([]byte(v))
	}
	if !ok {
		return fmt.Sprintf("%q is no %s", v, c.Type)
	}
	return ""
}

// RefusesRule says in words why the column cannot hold what a rule makes of its
// values; "": nothing speaks against it.
func (c Column) RefusesRule(r datamap.Rule) string {
	if c.Generated && r.Op != datamap.RuleKeep {
		return "the database computes it"
	}
	least := hashMin
	switch r.Op {
	case datamap.RuleNull:
		if _, err := c.nothing(&place{}); err != nil {
			return "it cannot be NULL, and no " + c.Type + " is empty"
		}
		return ""
	case datamap.RuleValue:
		return c.Refuses(r.Value)
	case datamap.RuleInvalid:
		least = drawnMin + len(nowhere)
	case datamap.RuleHash:
	default:
		return ""
	}
	switch {
	case c.Kind != KindText || len(c.Enum) > 0:
		return c.Type + " holds no text of ours"
	case c.Length > 0 && c.Length < least:
		return fmt.Sprintf("%s holds %d characters, and %d are needed", c.Type, c.Length, least)
	}
	return ""
}

// RefusesTime says in words why the column cannot hold a time; "": nothing
// speaks against it.
func (c Column) RefusesTime() string {
	switch {
	case c.Generated:
		return "the database computes it"
	case c.Kind == KindTime, c.Kind == KindDate, c.Kind == KindInt:
		return ""
	case c.Kind == KindText && len(c.Enum) == 0 && (c.Length == 0 || c.Length >= len(time.DateTime)):
		return ""
	}
	return "no time can be read from " + c.Type
}
