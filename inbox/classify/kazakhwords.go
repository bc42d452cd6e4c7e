package classify

import (
	"slices"
	"strings"
)

// The Kazakh words that tell, beside an ending, what is meant by it. They are
// written as Kazakhs write them and compared in the coarse spelling; all are
// beginnings of words but for those that are looked up with [slices.Contains].
var (
	auxiliaries = kazakhWords("таста, жібер, жолда, қой, бер, сал, ал, кет, тұр, көр, бол, отыр, жүр, жатыр, жаса, ет, қайтар, тарт, жой, тоқтат")

	questions = kazakhWords("ба, бе, ма, ме, па, пе")
	links     = kazakhWords("ақ, да, де, та, те")                     // within a verb: "өшіріп-ақ тастаңыз"
	pasts     = kazakhWords("едім, едік, еді, едіңіз, едіңіздер, ем") // behind a converb it happened before: "шақырып едім"
	needs     = kazakhWords("кере, қажет")
	hopes     = kazakhWords("екен, деймін, дейм, деп, деген, болад, болады, болар, болды, жақсы, дедім") // "берсе екен"
	approvals = kazakhWords("жақсы, дұрыс, жөн, абзал")                                                  // "алып тастаған дұрыс"
	notices   = kazakhWords("хабар, мәлімде, білдір, жеткіз, ескерт")                                    // "қайтарып алатынымды хабарлаймын"
	petitions = kazakhWords("өтініш, арыз, сұран")                                                       // given, nothing is asked: "өтініш беремін"

	// wishes ask for something now: "өшіруді сұраймын".
	wishes = kazakhWords("сұрайм, сұрам, сұрау, сұран, өтінем, өтінім, өтінер, өтініп, өтінам, өтініш, қалайм, қалар, талап, тілейм, тілері, " +
		"керек, қажет, тапсыр, бұйыр, прос, жөн, дұрыс")

	// An act behind which these stand is only spoken of: "жою тәртібі", "жою
	// туралы ақпарат".
	aspects = kazakhWords("тәртіб, жол, мүмкінді, батырма, түйме, проце, proce, шарт, мерзім, себеб, салдар, ереже, нұсқа, қадам, тәсіл, бөлім, функ, сілтем, " +
		"форма, үшін, ucin")
	topics   = kazakhWords("туралы, жайлы, жөнінде, жайында")
	speeches = kazakhWords("ақпарат, мәлімет, сұран, сұра, ереже, нұсқа, айт, біл, түсін, кеңес, ойла, же, хабар")
	// These begin like a speech and ask for the act.
	requests = kazakhWords("сұраныс, сұраным, сұраймын, сұрауы, хабарлай")

	others  = kazakhWords("басқа, бөтен")
	returns = kazakhWords("қайта, қайтып, қайтқ, кей, орал, келге, аша, қоса, әзір, уақытша, шық, ары") // "кейін қайтып келем"
	tellers = kazakhWords("жазып, айтып, түсіндіріп, тізіп, хабарлап, көрсетіп, ашып, білдіріп")        // "жазып беріңіз" sends nothing
	givers  = kazakhWords("бер, жібер")
	holders = kazakhWords("ақпарат, дерек, мәлімет, мағлұм, данны, бәрі, барлы, олар, мен") // whose copy is the person's own: "деректердің көшірмесі"
	callees = kazakhWords("балам, балалар, балдар, балаларым")                              // how the old call those who read the mail
)

// kazakhWords gives a list in the coarse spelling.
func kazakhWords(list string) []string {
	words := strings.Split(list, ", ")
	for i, w := range words {
		words[i] = coarse(w)
	}
	return words
}

// begins tells whether a word begins like one of some.
func begins(w string, with ...string) bool {
	return slices.ContainsFunc(with, func(x string) bool { return strings.HasPrefix(w, x) })
}
