// Package classify reads what a message asks for: how people word things.
//
// # How a mail becomes requests
//
// What words mean is data: one rule file a language (folder rules; its format
// is described in package lang), which an operator can extend with an overlay.
// What a sentence means is code, and the same for every language but for a few
// traits of its grammar (grammar.go) and the endings of Kazakh words (kazakh.go):
//
//  1. The text is cut into sentences, and the rule files say which concepts
//     are found where: to delete, account, not, how, if, somebody else's.
//     The language is the one whose file knows the most words. A word that
//     nobody knows and that is one letter off a verb or a thing, or sounds the
//     same, is read as that one ("delet", "удолить").
//  2. What is not the writer's wish is taken out first: words inside addresses
//     and links, what was forwarded, and the boilerplate of legal letters
//     (deadlines, threats, who writes).
//  3. A verb and its object in one sentence are a find: delete + account,
//     delete + telephone, send + my data; or a phrase is one by itself
//     ("forget me").
//  4. The mood of the sentence decides what the find is worth. Behind "how",
//     "not" or "if", about somebody else's account, or as a report of what
//     was done, it is worth nothing; beside a doubt it is worth less. A trouble
//     or a plan that stands before "please" in a part of its own is a reason,
//     and other people in a sentence that names nothing of theirs are company.
//     "It" means what one of the two sentences before speaks of.
//  5. The values of changes are read where a phrase of the rule files says
//     that a value stands, or by their own form (dates, telephone numbers,
//     addresses), and old values are told from new ones. Of a field that is
//     named and for which no phrase told a value, whatever can be one by its
//     form is looked at (a listed occupation or town, a name, a quotation): of
//     several, the one that is not said to be the old one (infer.go).
//  6. Finds that contradict each other make each other uncertain; so do hidden
//     text, a template with places that nobody filled in, and an e-mail
//     address that is not the sender's beside the wish to delete an account.
//  7. A part of the text that holds a request verb or a field's name, and that
//     no find accounts for, makes everything uncertain: nobody is shown, and
//     asked to confirm, half of what they asked. So does another value that is
//     said to be new, a birthday without its year, a label of a form that
//     nobody knows (guard.go), or a "copy" of which nothing says of what.
//  8. A wish to end an account is certain only when every word of its part of
//     the sentence is known, up to a reason or a while: what nobody knows may
//     say whose, when, or that somebody else said it. Of a field, the words
//     behind its name must be known ("the name of my dog"). Known is what an
//     entry of the rule files covers, even where it says nothing of a wish and
//     was taken out: it is no word that nobody knows. A short "no, forget it"
//     behind a find makes it uncertain, too, as do what others said ("…, she
//     wrote"), an "afterwards", and whoever it was "made for".
//  9. A value that is to be stored until or after some time ("until Monday",
//     "after the wedding"), for somebody else, or beside a second one is never
//     certain: what is stored is stored now, for the writer, and alone.
//
// What is left is a question for a person. A find is certain only when
// nothing in its sentence is known to speak against it, so an unknown turn of
// phrase costs a question to staff, not somebody's account.
//
// The confidence of a find starts at 0.97 and is multiplied by what speaks
// against it; 0.9 is needed to be certain. The words that decided are kept and
// shown to staff.
//
// # Examples
//
// One a language, each read by a test. The decisive words of the first are
// "delete" (delete) and "my account" (account): a find. "Please" is a wish, so
// it is asked for and not reported; no word stands between or beside them that
// speaks of something else.
//
//	en  Please delete my account, I no longer need it.                   => delete account
//	ru  Поменяйте, пожалуйста, мой телефон на 8 701 555 30 40.           => change phone=+77015553040
//	ru  Kak udalit moy akkaunt?                                          => question
//	kk  Маған деректерімнің көшірмесін жіберіңізші.                      => copy
//	de  Bitte löschen Sie mein Geburtsdatum aus meinem Profil.           => delete date_of_birth
//	fr  Je ne veux pas supprimer mon compte, je veux le désactiver.      => deactivate
//	es  Quiero saber qué datos tienen sobre mí.                          => describe
//	it  Vi prego di cancellare il mio account.                           => delete account
//	pt  Retiro o meu consentimento para o tratamento dos meus dados.     => withdraw
//	nl  Hoe kan ik mijn account verwijderen?                             => question
//	pl  Proszę o kopię moich danych.                                     => copy
//	uk  Видаліть, будь ласка, мій акаунт.                                => delete account
//	tr  Lütfen hesabımı silin.                                           => delete account
//
// # Stops
//
// While something of its writer's can still be stopped, a mail is also searched
// for what speaks against it, in any part of it and beside anything else
// ([Classifier.Stops]; folder stops has the words, one file a language). In each
// part of a sentence a "not" or a "stop" is followed to what it is about: the
// account or its deletion, nothing named, or something else ("do not delay").
// Only the first two are a plain stop; a question, a condition or a doubt make
// it one that has to be asked about.
//
// Package lang finds words and guesses languages, package value reads values,
// package answer tells a yes from a no. Work is linear in the text, of which
// no more than 16 KiB are read.
package classify
