package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNewText reads the cases in testdata/quotes: a text, a line "== new ==",
// and what of it is new.
func TestNewText(t *testing.T) {
	files, err := filepath.Glob("testdata/quotes/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases in testdata/quotes", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text, want, ok := strings.Cut(string(b), "== new ==\n")
			if !ok {
				t.Fatal("no line == new ==")
			}
			if got, want := newText(plainLines(text, false, false)), strings.Trim(want, "\n"); got != want {
				t.Errorf("new text:\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestAttributions tries the lines above quotations, one alone, with text that
// is not marked as quoted below.
func TestAttributions(t *testing.T) {
	for _, line := range []string{
		"On Mon, Oct 5, 2026 at 10:00 AM Site Support <support@site.test> wrote:",
		"On 5 Oct 2026, at 10:00, Site Support <support@site.test> wrote:",
		"On Nov 26, 2013 you wrote:",
		"пн, 5 окт. 2026 г. в 10:00, Site Support <support@site.test>:",
		"5 октября 2026 г. 10:00 пользователь Site Support <support@site.test> написал:",
		"5 окт. 2026 г., в 10:00, Site Support <support@site.test> написал(а):",
		"Понедельник, 5 октября 2026, 10:00 +05:00 от Site Support <support@site.test>:",
		"05.10.2026, 10:00, \"Site Support\" <support@site.test>:",
		"05.10.2026 10:00, Site Support пишет:",
		"2026 ж. 5 қаз., дс 10:00 мезгілінде Site Support <support@site.test> былай деп жазды:",
		"2026 ж. 5 қазан, 10:00, Site Support <support@site.test> жазды:",
		"Am 05.10.2026 um 10:00 schrieb Site Support:",
		"Site Support <support@site.test> schrieb am Mo., 5. Okt. 2026, 10:00:",
		"Le lun. 5 oct. 2026 à 10:00, Site Support <support@site.test> a écrit :",
		"El lun, 5 oct 2026 a las 10:00, Site Support (<support@site.test>) escribió:",
		"Il giorno lun 5 ott 2026 alle ore 10:00 Site Support <support@site.test> ha scritto:",
		"Em seg., 5 de out. de 2026 às 10:00, Site Support <support@site.test> escreveu:",
		"Op ma 5 okt. 2026 om 10:00 schreef Site Support <support@site.test>:",
		"---- On Mon, 05 Oct 2026 10:00:00 +0500 Site Support <support@site.test> wrote ----",
		"------- Original Message -------",
		"-----Original Message-----",
		"-------- Исходное сообщение --------",
		"-------- Пересылаемое сообщение --------",
		"-----Бастапқы хабар-----",
		"---------- Forwarded message ---------",
		"Begin forwarded message:",
		"-----Ursprüngliche Nachricht-----",
		"-------- Message d'origine --------",
	} {
		text := "Yes.\n\n" + line + "\n\nAnswer YES to confirm.\n"
		if got := newText(plainLines(text, false, false)); got != "Yes." {
			t.Errorf("below %q: %q", line, got)
		}
	}
}

// TestNoAttributions tries lines that people write.
func TestNoAttributions(t *testing.T) {
	for _, line := range []string{
		"On 5 May I wrote:",
		"5 мая я писала вам:",
		"My new address is ann@example.org:",
		"Вы впервые пишете на адрес ann@example.org:",
		"You wrote to ann@example.org for the first time:",
		"My details as of 2026:",
		"Here is what I want:",
		"On Monday I will be away.",
		"I read on 5 May 2026 what you wrote: it is wrong.",
		"Original message",
		"Subject: none",
		"From: now on",
		"Отправлено с ошибкой, исправьте: Иванов",
		"Sent from my iPhone app, version 2, I get an error",
		"-- first point",
		"5 > 3",
	} {
		text := "Hello,\n" + line + "\n\nplease delete my account.\n"
		if got := newText(plainLines(text, false, false)); got != strings.Trim(text, "\n") {
			t.Errorf("with %q in it the new text is %q", line, got)
		}
	}
}

func TestPhoneLines(t *testing.T) {
	for _, line := range []string{"Sent from my iPhone", "Sent from my Galaxy S24", "Sent from Yahoo Mail on Android", "Sent with Proton Mail secure email.",
		"Get Outlook for iOS<https://aka.ms/o0ukef>", "Отправлено с iPhone", "Отправлено из мобильной Почты Mail.ru", "Отправлено из мобильной Яндекс.Почты",
		"Отправлено с моего Galaxy", "Получить Outlook для Android", "Менің iPhone құрылғымнан жіберілді", "Von meinem iPhone gesendet", "Envoyé de mon iPhone",
		"Enviado desde mi iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone"} {
		if got := newText(plainLines("Yes\n\n"+line+"\n", false, false)); got != "Yes" {
			t.Errorf("%q: %q", line, got)
		}
		if got := newText(plainLines(line+"\n\nYes\n", false, false)); got != "Yes" {
			t.Errorf("text below %q: %q", line, got)
		}
	}
	for _, line := range []string{"Отправлено с моего телефона, новый номер +7 701 555 10 20 30", "Sent from my iPhone, write to me at new@example.org"} {
		if got := newText(plainLines("Hello\n\n"+line+"\n", false, false)); !strings.Contains(got, line) {
			t.Errorf("%q was cut away", line)
		}
	}
}
