package daemon_test

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"time"

	"push.guru/supportd/inbox/mailtest"
)

// benchLetter is what one of the people of the benchmark writes. # stands for
// the number of the person.
type benchLetter struct{ subject, text string }

// benchLetters is an ordinary week in a support mailbox: three languages, and
// of each kind of request some. Every one of them is answered by a letter.
var benchLetters = []benchLetter{
	{"My new phone number", `Hello,

I have been using your site for about six years now and I am quite happy with it, although
the pages load slowly in the evenings. Last week I moved to another operator, and the old
number does not work any longer.

My phone number has changed, the new one is +7 701 2#. Please update it in my profile.

Thank you very much in advance, and greetings to the whole team.

Best regards,
Person #`},
	{"Мои данные", `Здравствуйте!

Пользуюсь вашим сайтом уже несколько лет, в целом всё устраивает, спасибо за работу.
Пришлите мне, пожалуйста, копию всех моих персональных данных, которые у вас хранятся.

С уважением,
Житель #`},
	{"Сұрау", `Сәлеметсіз бе!

Мен сіздердің сайттарыңызды көптен бері пайдаланып келемін, бәрі ұнайды.
Менің телефон нөмірімді +7 701 2# деп өзгертіп қойыңызшы.

Рахмет, құрметпен,
Тұрғын #`},
	{"Closing my account", `Good morning,

we talked about this at home and came to the conclusion that I do not need the service any
more: my son has an account of his own now, and I hardly ever sign in. It was a good time.

Please delete my account.

Kind regards
Person #`},
	{"Смена города", `Добрый день!

В прошлом месяце мы всей семьёй переехали, и в профиле теперь указан старый город.
Поменяйте, пожалуйста, мой город на Караганда.

Заранее спасибо!
Житель #`},
	{"What do you know about me?", `Dear support team,

a friend told me that every site has to tell people what it stores about them. I am curious,
as I signed up a long time ago and do not remember what I filled in at that time.

What personal data do you hold about me, and where did you get it?

Looking forward to your answer,
Person #`},
	{"Удаление", `Здравствуйте.

Я больше не пользуюсь сервисом и возвращаться не планирую, поэтому прошу вас:
удалите, пожалуйста, мой аккаунт.

Спасибо, всего доброго.
Житель #`},
	{"Деректерім", `Қайырлы күн!

Сіздерде мен туралы қандай деректер сақталып тұрғанын білгім келеді.
Менің жеке деректерімнің көшірмесін жіберіңізші.

Алдын ала рахмет!
Тұрғын #`},
	{"My birthday", `Hi,

on my profile page somebody who looks at it can see how old I am, which I do not like at all,
and I did not find a switch for it anywhere in the settings.

Please remove my date of birth and my gender from my profile.

Thanks a lot
Person #`},
	{"Не могу войти", `Здравствуйте!

Со вчерашнего дня не получается войти на сайт с рабочего компьютера: страница открывается,
но после ввода пароля ничего не происходит. С телефона всё работает.

Подскажите, пожалуйста, что можно сделать?

Житель #`},
	{"Payment", `Hello,

I would like to know which ways of payment you accept. On the page about prices I found
bank cards only, and my company pays by invoice. Is that possible, and whom do I ask?

Regards,
Person #`},
	{"A copy for me", `Hello dear team,

for my records I would like to have everything in one place before the year ends; I did the
same with my bank and with the telephone company, and it took them a few days only.

Please send me a copy of my personal data.

Many thanks,
Person #`},
}

// benchPerson is the address of a person of the benchmark.
func benchPerson(n int) string { return fmt.Sprintf("person-%05d@users.test", n) }

// benchPeople gives people as "users import" takes them.
func benchPeople(count int) string {
	var b strings.Builder
	for n := range count {
		fmt.Fprintf(&b, `{"id":"u-%d","email":%q,"full_name":"Person %d","phone":"+7701%07d","location":"Almaty","date_of_birth":"1990-02-03","gender":"female","active":true}`+"\n",
			n, benchPerson(n), n, n)
	}
	return b.String()
}

// benchWritten is the mail of a person as it leaves their mail program.
func benchWritten(n int) ([]byte, error) {
	l := benchLetters[n%len(benchLetters)]
	return mailtest.Compose(fmt.Sprintf("Person %d <%s>", n, benchPerson(n)), support, l.subject,
		strings.ReplaceAll(l.text, "#", fmt.Sprintf("%06d", n))+"\n", mailtest.HTML(""))
}

// benchMail is that mail as the border of the site leaves it in the mailbox:
// text and HTML, with the headers that providers put on it, about 4 KB.
func benchMail(n int) ([]byte, error) {
	from := benchPerson(n)
	number := fmt.Sprintf("%06d", n)
	raw, err := benchWritten(n)
	if err != nil {
		return nil, err
	}
	now := time.Now().Format(time.RFC1123Z)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\n", from)
	benchTrace(&b, from, now)
	fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=users.test; s=20230601;\r\n"+
		" h=to:subject:message-id:date:from:mime-version:from:to:cc:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n b=%s\r\n",
		strings.Repeat("Zm9vYmFyYmF6cXV4"+number, 14)+"==")
	fmt.Fprintf(&b, "X-Google-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.net; s=20230601;\r\n b=%s\r\n", strings.Repeat("cXV4YmF6"+number, 10))
	fmt.Fprintf(&b, "X-Gm-Message-State: AOJu0Y%s\r\nX-Received: by 2002:a05:6512:%s with SMTP id x; %s\r\n", strings.Repeat("x"+number, 8), number, now)
	b.Write(raw)
	return b.Bytes(), nil
}

// benchTrace is what the border and the servers before it wrote.
func benchTrace(b *bytes.Buffer, from, now string) {
	domain := from[strings.LastIndexByte(from, '@')+1:]
	fmt.Fprintf(b, "Received: from mail.%s (mail.%s [192.0.2.25])\r\n\tby mx.site.test with ESMTPS id BENCH; %s\r\n", domain, domain, now)
	fmt.Fprintf(b, "Authentication-Results: mx.site.test;\r\n\tdkim=pass header.d=%s; spf=pass smtp.mailfrom=%s;\r\n\tdmarc=pass header.from=%s\r\n", domain, from, domain)
	fmt.Fprintf(b, "Received: by mail-lf1.%s with SMTP id 2adb3069b0e04-5411f8so1; %s\r\n", domain, now)
}

// benchMails gives the mails of the first people.
func benchMails(count int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for n := range count {
			if !yield(benchMail(n)) {
				return
			}
		}
	}
}
