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

// BenchmarkReadShort reads ordinary mails of about 600 bytes, each once.
func BenchmarkReadShort(b *testing.B) {
	c := testClassifier(b)
	var mails []*inbox.Message
	for _, m := range shortMails {
		mails = append(mails, &inbox.Message{Subject: m.subject, Text: m.text})
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range mails {
			c.Read(m)
		}
	}
}

// shortMails are what people write who use the site in the ordinary way.
var shortMails = []struct{ subject, text string }{
	{"My new phone number", `Hello,

I have been using your site for about six years now and I am quite happy with it, although
the pages load slowly in the evenings. Last week I moved to another operator, and the old
number does not work any longer.

My phone number has changed, the new one is +7 701 2012345. Please update it in my profile.

Thank you very much in advance, and greetings to the whole team.

Best regards,
Person 012345`},
	{"Мои данные", `Здравствуйте!

Пользуюсь вашим сайтом уже несколько лет, в целом всё устраивает, спасибо за работу.
Пришлите мне, пожалуйста, копию всех моих персональных данных, которые у вас хранятся.

С уважением,
Житель 012345`},
	{"Сұрау", `Сәлеметсіз бе!

Мен сіздердің сайттарыңызды көптен бері пайдаланып келемін, бәрі ұнайды.
Менің телефон нөмірімді +7 701 2012345 деп өзгертіп қойыңызшы.

Рахмет, құрметпен,
Тұрғын 012345`},
	{"Closing my account", `Good morning,

we talked about this at home and came to the conclusion that I do not need the service any
more: my son has an account of his own now, and I hardly ever sign in. It was a good time.

Please delete my account.

Kind regards
Person 012345`},
	{"Смена города", `Добрый день!

В прошлом месяце мы всей семьёй переехали, и в профиле теперь указан старый город.
Поменяйте, пожалуйста, мой город на Караганда.

Заранее спасибо!
Житель 012345`},
	{"What do you know about me?", `Dear support team,

a friend told me that every site has to tell people what it stores about them. I am curious,
as I signed up a long time ago and do not remember what I filled in at that time.

What personal data do you hold about me, and where did you get it?

Looking forward to your answer,
Person 012345`},
	{"Удаление", `Здравствуйте.

Я больше не пользуюсь сервисом и возвращаться не планирую, поэтому прошу вас:
удалите, пожалуйста, мой аккаунт.

Спасибо, всего доброго.
Житель 012345`},
	{"Деректерім", `Қайырлы күн!

Сіздерде мен туралы қандай деректер сақталып тұрғанын білгім келеді.
Менің жеке деректерімнің көшірмесін жіберіңізші.

Алдын ала рахмет!
Тұрғын 012345`},
	{"My birthday", `Hi,

on my profile page somebody who looks at it can see how old I am, which I do not like at all,
and I did not find a switch for it anywhere in the settings.

Please remove my date of birth and my gender from my profile.

Thanks a lot
Person 012345`},
	{"Не могу войти", `Здравствуйте!

Со вчерашнего дня не получается войти на сайт с рабочего компьютера: страница открывается,
но после ввода пароля ничего не происходит. С телефона всё работает.

Подскажите, пожалуйста, что можно сделать?

Житель 012345`},
	{"Payment", `Hello,

I would like to know which ways of payment you accept. On the page about prices I found
bank cards only, and my company pays by invoice. Is that possible, and whom do I ask?

Regards,
Person 012345`},
	{"A copy for me", `Hello dear team,

for my records I would like to have everything in one place before the year ends; I did the
same with my bank and with the telephone company, and it took them a few days only.

Please send me a copy of my personal data.

Many thanks,
Person 012345`},
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
