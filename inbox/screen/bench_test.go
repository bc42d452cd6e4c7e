package screen

import (
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

// BenchmarkCheck screens two mails that people wrote.
func BenchmarkCheck(b *testing.B) {
	var mails []*inbox.Message
	for _, text := range []string{
		`Hello,

I have been using your site for about six years now and I am quite happy with it, although
the pages load slowly in the evenings. Last week I moved to another operator, and the old
number does not work any longer.

My phone number has changed, the new one is +7 701 2012345. Please update it in my profile.

Thank you very much in advance, and greetings to the whole team.

Best regards,
Person 12`,
		`Здравствуйте!

Пользуюсь вашим сайтом уже несколько лет, в целом всё устраивает, спасибо за работу.
Пришлите мне, пожалуйста, копию всех моих персональных данных, которые у вас хранятся.

С уважением,
Житель 12`,
	} {
		mails = append(mails, parse.Message([]byte(mail("Content-Type: text/plain; charset=utf-8", text)), parse.Options{}))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range mails {
			if class, why := config.Check(m); class != inbox.ClassNone {
				b.Fatal(class, why)
			}
		}
	}
}
