package health

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// page is a page of metrics in Prometheus' text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
type page struct{ b bytes.Buffer }

// The types of metrics.
const (
	gauge   = "gauge"
	counter = "counter"
)

// metric is one of them, as far as it was begun.
type metric struct {
	page *page
	name string
}

// begin writes what stands before the values of a metric. All of a metric
// stand together.
func (p *page) begin(name, kind, help string) metric {
	fmt.Fprintf(&p.b, "# HELP %s %s\n# TYPE %s %s\n", name, helpText.Replace(help), name, kind)
	return metric{p, name}
}

// put writes one value. labels are names and values in turn.
func (m metric) put(value float64, labels ...string) {
	m.page.b.WriteString(m.name)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&m.page.b, `%s%s="%s"`, sep, labels[i], labelText.Replace(labels[i+1]))
	}
	if len(labels) > 1 {
		m.page.b.WriteByte('}')
	}
	fmt.Fprintf(&m.page.b, " %s\n", number(value))
}

var (
	helpText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelText = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// number writes a value; whole ones as people do.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
