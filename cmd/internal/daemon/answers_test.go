package daemon

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify"
	"push.guru/supportd/templates"
)

// The letters ask people to answer with a word. Whoever does so, in the way
// that a phone or a polite person types it, must be understood.
func TestWordsOfTheLettersAreUnderstood(t *testing.T) {
	languages := []string{"en", "ru", "kk"}
	letters, err := templates.Load(nil, languages, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := classify.New(classify.Options{Region: "KZ", Languages: languages})
	if err != nil {
		t.Fatal(err)
	}
	polite := map[string][]string{
		"en": {"Hello, %s", "%s, thanks", "%s, please.", "%s\n\nRegards,\nBob", "%s, thanks! Regards, Bob", "%s\n\nSent from my iPhone"},
		"ru": {"Здравствуйте! %s", "%s, спасибо", "%s, пожалуйста.", "%s\n\nС уважением,\nАнна", "%s. Спасибо! С уважением, Анна", "%s\n\nОтправлено с iPhone"},
		"kk": {"Сәлеметсіз бе! %s", "%s, рахмет", "%s\n\nҚұрметпен,\nАйгүл", "%s. Рахмет! Құрметпен, Айгүл"},
	}
	typed := []func(string) string{
		func(w string) string { return w }, strings.ToUpper, title,
		func(w string) string { return title(w) + "." },
		func(w string) string { return strings.ToUpper(w) + "!" },
		func(w string) string { return w + "!!!" },
		func(w string) string { return " " + title(w) + " \n" },
		func(w string) string { return "“" + w + "”" },
	}
	for _, lang := range languages {
		yes, no, stop, restore := letters.Answers(lang)
		for word, want := range map[string]string{yes: "yes", no: "no", stop: "no", restore: string(inbox.TopicReactivate)} {
			var texts []string
			for _, write := range typed {
				texts = append(texts, write(word))
			}
			for _, p := range polite[lang] {
				texts = append(texts, strings.Replace(p, "%s", title(word), 1))
			}
			for _, text := range texts {
				r := c.Read(&inbox.Message{Subject: "Re: Your request [R-TEST]", InReplyTo: []string{"question@site.test"}, Text: text})
				if got := said(r); got != want {
					t.Errorf("%s: %q is read as %q, want %q", lang, text, got, want)
				}
			}
		}
	}
}

// said gives the one thing that a reading says.
func said(r inbox.Reading) string {
	if len(r.Requests) == 0 {
		return string(r.Answer)
	}
	if len(r.Requests) > 1 || r.Answer != inbox.AnswerNone {
		return "several things"
	}
	return string(r.Requests[0].Topic)
}

// title gives a word as a phone's keyboard begins it.
func title(w string) string {
	first := []rune(w)[:1]
	return strings.ToUpper(string(first)) + strings.TrimPrefix(w, string(first))
}
