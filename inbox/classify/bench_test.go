package classify

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// BenchmarkRead reads a mail of 4 KB: a long letter with its request in the
// last line.
func BenchmarkRead(b *testing.B) {
	for _, lang := range []struct{ name, line, ask string }{
		{"en", "I have been with you for eleven years and it was a pleasure, most of the time, even when the pages were slow.\n", "Please delete my account."},
		{"ru", "Я пользуюсь вашим сайтом одиннадцать лет, и почти всегда это было удовольствием, хотя страницы иногда открывались медленно.\n", "Удалите, пожалуйста, мой аккаунт."},
		{"kk", "Мен сіздердің сайттарыңызды он бір жылдан бері пайдаланып келемін, көбіне бәрі жақсы болды, кейде ғана баяу ашылатын.\n", "Менің аккаунтымды жойып тастаңызшы."},
	} {
		b.Run(lang.name, func(b *testing.B) {
			c := testClassifier(b)
			m := &inbox.Message{Text: strings.Repeat(lang.line, (4<<10)/len(lang.line)) + "\n" + lang.ask}
			b.SetBytes(int64(len(m.Text)))
			b.ReportAllocs()
			for b.Loop() {
				c.Read(m)
			}
		})
	}
}

// BenchmarkLoad reads the built-in rule files.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := load(nil); err != nil {
			b.Fatal(err)
		}
	}
}
