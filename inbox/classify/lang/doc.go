// Package lang holds languages as data: the rule files, the words and phrases
// they find in a text, and the guess which language a text is in.
//
// # Rule files
//
// There is one file a language, named by its BCP 47 tag (ru.txt). A speaker of
// the language can read and extend it without knowing Go:
//
//	# a comment
//	[delete]                       a section; its name is one of [Concepts]
//	delete, erase, get rid of      entries, separated by commas
//	remov*                         any ending
//	put ... <account> on ice       up to six words between; a word of another section
//	i live in {}                   {}: where the value stands, first or last
//	~i am a {}                     says a value only where the field is named or something is new
//
// Beside the plain sections there are field.NAME (what a field is called),
// set.NAME (phrases with {} that say a field's value), month.1 to month.12,
// day.1 to day.31 (days in words), city (places, named as they stand by
// themselves), value.NAME (what may be the value of a field, as it stands by
// itself: nationalities, countries, occupations, words of postal addresses), and
// the endings that a sentence puts on them, cut.location ("у а": the name of a place that ends in
// "у" may be one in "а" that the sentence has bent; "де": one without it) and
// cut.value. The sections word.NAME ([Lists]) are plain lists of single words
// that are not looked for in a text, and do not tell its language: they say
// something only beside what was found, as "ago" does behind "two weeks". There,
// "*ım" is any word that ends so.
//
// Capitals, apostrophes, hyphens and, in Latin script, accents do not matter.
// A line that begins with "- " takes entries out of a section again, which is
// for an operator's overlay: its files add to the files of the same name.
//
// A file with a section spelt has its verbs and things found when they are
// misspelt ([Rules.Respell]). The section lists the words that look like others
// misspelt and are right as they are: without it, "chance" would be read as
// "change".
//
// Russian and Kazakh typed in Latin letters need no entries of their own: the
// entries are compared once more in a spelling that both ways of typing share.
//
// # Matching
//
// Every entry is tried only where its first word stands, gaps are bounded and
// a text is read word by word, so work is linear in the text. Where one phrase
// lies inside a longer one ("no" in "no problem", "account" in "bank account"),
// the longer phrase wins. Only the entries of languages that know many of a
// text's words are tried.
package lang
