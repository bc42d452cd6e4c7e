package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// remote are the elements that load or run something, or ask for input.
var remote = []string{"img", "script", "link", "iframe", "object", "embed", "video", "audio", "source", "form", "input",
	"button", "svg", "base", "picture"}

// compare tells what is wrong with the HTML of a letter: words that are not
// those of its text, a link to anywhere but the account URL, or something that
// is loaded from elsewhere. "" means nothing.
func compare(l Letter, accountURL string) string {
	text, problem := pageText(l.HTML, accountURL)
	if problem != "" {
		return problem
	}
	inText, inHTML := words(l.Text), words(text)
	if !slices.Equal(inText, inHTML) {
		i := 0
		for i < min(len(inText), len(inHTML)) && inText[i] == inHTML[i] {
			i++
		}
		return fmt.Sprintf("the HTML does not say the same as the text, from word %d on", i+1)
	}
	return ""
}

// pageText gives the visible text of a page, or what it must not contain.
func pageText(page, accountURL string) (text, problem string) {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String(), ""
		case html.TextToken:
			b.Write(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			if problem := checkTag(token, accountURL); problem != "" {
				return "", problem
			}
			if token.Data != "a" && token.Data != "span" {
				b.WriteByte(' ')
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) != "a" && string(name) != "span" {
				b.WriteByte(' ')
			}
		}
	}
}

func checkTag(t html.Token, accountURL string) string {
	if slices.Contains(remote, t.Data) {
		return fmt.Sprintf("the HTML must not contain <%s>: mail shows no images, loads nothing and asks for nothing", t.Data)
	}
	for _, a := range t.Attr {
		switch {
		case a.Key == "href" && a.Val != accountURL:
			return "the HTML must not link to anything but the account URL"
		case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "background", strings.Contains(strings.ToLower(a.Val), "url("):
			return fmt.Sprintf("the HTML must not have the attribute %s=%q", a.Key, a.Val)
		}
	}
	return ""
}

var listMarker = regexp.MustCompile(`^(-|\d+\.)$`)

// words splits text, without list markers, which HTML leaves to the reader's
// program.
func words(text string) []string {
	return slices.DeleteFunc(strings.Fields(text), listMarker.MatchString)
}
