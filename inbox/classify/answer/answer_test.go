package answer

import (
	"fmt"
	"os"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

func builtin(t testing.TB) *lang.Rules {
	t.Helper()
	r, err := lang.Load(os.DirFS("../rules"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(r *lang.Rules, text string, reply bool) Reading {
	return Read(r, text, r.Detect(r.NewText(text), 0, []string{"en", "ru", "kk"}), reply)
}

func TestRead(t *testing.T) {
	rules := builtin(t)
	for _, c := range []struct {
		text string
		want inbox.Answer
	}{
		{"yes", inbox.AnswerYes}, {"YES!!!", inbox.AnswerYes}, {"yep, go ahead", inbox.AnswerYes}, {"I confirm the request", inbox.AnswerYes},
		{"+", inbox.AnswerYes}, {"👍", inbox.AnswerYes}, {"Да", inbox.AnswerYes}, {"да, всё верно", inbox.AnswerYes},
		{"иә", inbox.AnswerYes}, {"иә, растаймын, рахмет", inbox.AnswerYes}, {"ja", inbox.AnswerYes}, {"oui, je confirme", inbox.AnswerYes},
		{"sí, confirmo", inbox.AnswerYes}, {"sì", inbox.AnswerYes}, {"sim, confirmo", inbox.AnswerYes}, {"ja, ik bevestig", inbox.AnswerYes},
		{"tak, potwierdzam", inbox.AnswerYes}, {"так, підтверджую", inbox.AnswerYes}, {"evet, onaylıyorum", inbox.AnswerYes},
		{"no", inbox.AnswerNo}, {"No!!! I never asked for this", inbox.AnswerNo}, {"нет", inbox.AnswerNo}, {"да нет, не надо", inbox.AnswerNo},
		{"не подтверждаю", inbox.AnswerNo}, {"отмена", inbox.AnswerNo}, {"жоқ", inbox.AnswerNo}, {"тоқтатыңыз", inbox.AnswerNo},
		{"nein", inbox.AnswerNo}, {"non, annulez", inbox.AnswerNo}, {"nie", inbox.AnswerNo}, {"hayır", inbox.AnswerNo}, {"ні", inbox.AnswerNo},
		{"ок, но нет", inbox.AnswerNo}, {"не соглашаюсь", inbox.AnswerNo}, {"растамаймын", inbox.AnswerNo},
		{"", inbox.AnswerNone}, {"yes, but wait", inbox.AnswerNone}, {"да, но позже", inbox.AnswerNone}, {"yes?", inbox.AnswerNone},
		{"maybe yes", inbox.AnswerNone}, {"delete pls", inbox.AnswerYes}, {"drop it", inbox.AnswerNone}, {"scrap that", inbox.AnswerNo}, {"yes when my order has come", inbox.AnswerNone},
		{"confirm what?", inbox.AnswerNone}, {"yes and no", inbox.AnswerNone}, {"иә, бірақ кейін", inbox.AnswerNone},
		{"Yesterday I wrote to you", inbox.AnswerNone}, {"How do I say yes?", inbox.AnswerNone}, {"he said yes", inbox.AnswerNone},
		{"Tak, potwierdzam.\n\nPozdrawiam\nPaweł Sikora\nKierownik zmiany", inbox.AnswerYes}, {"Згоден.\nЗ повагою, доц. Кравець Б. М.", inbox.AnswerYes},
		{"Correcto.\nSaludos cordiales,\nLic. Beatriz Montaño", inbox.AnswerYes}, {"Sim.\nCumprimentos,\nEng.ª Dulce Valadares", inbox.AnswerYes},
		{"ja, aber erst morgen", inbox.AnswerNone}, {"да, если можно оставить фото", inbox.AnswerNone}, {"yes unless it deletes my photos", inbox.AnswerNone},
	} {
		got := read(rules, c.text, true)
		if c.want == inbox.AnswerYes && got.Answer != inbox.AnswerYes || c.want != inbox.AnswerYes && got.Answer == inbox.AnswerYes {
			t.Errorf("%q: got %q, want %q", c.text, got.Answer, c.want)
		} else if c.want == inbox.AnswerNo && got.Answer != inbox.AnswerNo {
			t.Errorf("%q: got %q, want no", c.text, got.Answer)
		}
	}
}

// TestReasons tests what may stand beside a yes: who wrote and why, and nothing
// that reserves something or is about a thing of its own.
func TestReasons(t *testing.T) {
	rules := builtin(t)
	for text, yes := range map[string]bool{
		"yes, I no longer use it": true, "Yes, I moved abroad and have no use for the account now.": true, "It was me, Ann Lee, go ahead": true,
		"Да, он мне больше не нужен, удалите": true, "Иә, мен оны қолданбаймын енді": true, "Ja, dat was ik. Verwijder het maar.": true,
		"I wrote that mail this morning, so yes.": true, "Да, письмо получил, подтверждаю.": true, "Yes, the phone number you wrote is correct": true,
		"Yes\nBest\nTom Hill\n+7 701 222 33 44": true, "delete it": true, "da": true,
		"Yes, I no longer need it deleted": false, "Yes, the request is no longer needed": false, "Да, запрос больше не нужен": false,
		"Иә, енді өшіру керек емес": false, "Yes, I need it": false, "Yes, I know": false, "Да, письмо получил": false, "Yes, in the app": false,
		"I do not want my account": false, "he said yes": false, "Yes? Delete it.": false, "Yes, delete this letter": false, "Yes.\n+7 701 222 33 44": false,
		"Yes, this is Monday": false, "Yes, delete my Instagram": false, "Yes, delete it from Google": false, "Yes, I use it": false,
	} {
		if got := read(rules, text, true); (got.Answer == inbox.AnswerYes && got.Rest == "") != yes {
			t.Errorf("%q: got %+v, want a mere yes: %v", text, got, yes)
		}
	}
}

// TestAgreed tests that a yes is told with what it names.
func TestAgreed(t *testing.T) {
	rules := builtin(t)
	for text, want := range map[string]string{
		"yes": "[] []", "Yes, delete it": "[delete] []", "да, меняйте номер": "[change] [phone]", "Yes, change my phone number please": "[change] [phone]",
		"иә, жойыңыз": "[delete] []", "Yes, close my account": "[delete] []",
	} {
		got := read(rules, text, true)
		if got.Answer != inbox.AnswerYes || fmt.Sprint(got.Agreed.Kinds, got.Agreed.Fields) != want {
			t.Errorf("%q: got %+v, want %s", text, got, want)
		}
	}
}

// TestNoThatIsNone tests that a "no" or "stop" of something else is no no.
func TestNoThatIsNone(t *testing.T) {
	rules := builtin(t)
	for _, s := range []string{"cancel my account", "I do not want my account", "Stop bothering me and delete everything", "Stop sending me these letters"} {
		if got := read(rules, s, true); got.Answer != inbox.AnswerNone {
			t.Errorf("%q: got %+v", s, got)
		}
	}
}

func TestPartialIsNoAnswer(t *testing.T) {
	rules := builtin(t)
	for _, s := range []string{"only 2", "только 2", "тек 2", "yes, only the first", "да, только первое", "nur 2"} {
		if got := read(rules, s, true); !got.Partial || got.Answer != inbox.AnswerNone {
			t.Errorf("%q: got %+v", s, got)
		}
	}
}

func TestRest(t *testing.T) {
	got := read(builtin(t), "Yes, and also delete my phone number", true)
	if got.Answer != inbox.AnswerYes || got.Rest != "delete my phone number" {
		t.Errorf("got %+v", got)
	}
}

func TestNoWithoutAQuestion(t *testing.T) {
	rules := builtin(t)
	if got := read(rules, "stop", false); got.Answer != inbox.AnswerNo {
		t.Errorf("stop in a mail of its own: %+v", got)
	}
	if got := read(rules, "No, the page does not load, please help", false); got.Answer != inbox.AnswerNone {
		t.Errorf("a letter that begins with no: %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"yes", "да нет", "only 2", "ok, and also delete my phone", "тоқтатыңыз", "+", "👍", "👍🏻 thanks", "[x] yes [ ] no", "lf",
		"yes, thanks, how long will it take?", "yes, delete my account", "да, удалите номер и аккаунт", "don't cancel"} {
		f.Add(s, true)
	}
	rules := builtin(f)
	f.Fuzz(func(t *testing.T, s string, reply bool) {
		got := read(rules, s, reply)
		if got.Partial && got.Answer != inbox.AnswerNone {
			t.Errorf("%q: partial and %q", s, got.Answer)
		}
		// Whatever is put behind a yes, a reservation takes it back.
		if got := read(rules, s+"\nbut not yet, wait", reply); got.Answer == inbox.AnswerYes && got.Rest == "" {
			t.Errorf("%q with a reservation is a yes", s)
		}
	})
}

// TestSigned tests that what stands behind a closing is the writer's name, if
// it looks like one, and else is not lost.
func TestSigned(t *testing.T) {
	rules := builtin(t)
	for text, rest := range map[string]bool{
		"Tak, potwierdzam.\n\nPozdrawiam\nPaweł Sikora\nKierownik zmiany": false, "Ja.\nGrüße\nDr. Hilde Kern, Leiterin Einkauf": false,
		"Ja.\nGrüße\nNur mein Foto lassen Sie da": true, "Ja.\nGrüße\nFrau Kern hat mein Konto": true, "Yes.\nThanks\nwhere is my parcel": true,
	} {
		if got := read(rules, text, true); got.Answer != inbox.AnswerYes || (got.Rest != "") != rest {
			t.Errorf("%q: got %+v, want a rest: %v", text, got, rest)
		}
	}
}
