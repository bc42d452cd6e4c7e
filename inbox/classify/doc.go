// Package classify reads what a message asks for: how people word things.
//
// # Design
//
// What words mean is data: one rule file a language (folder rules; its format
// is described in package lang), which an operator can extend with an overlay.
// What a sentence means is code, and the same for every language:
//
//  1. The text is cut into sentences, and the rule files say which concepts
//     are found where: to delete, account, not, how, if, somebody else's.
//  2. A verb and its object in one sentence are a find: delete + account,
//     delete + telephone, send + my data; or a phrase is one by itself
//     ("forget me").
//  3. The mood of the sentence decides what the find is worth. Behind "how",
//     "not" or "if", about somebody else's account, or as a report of what
//     was done, it is worth nothing; beside a doubt it is worth less.
//  4. The values of changes are read where a phrase of the rule files says
//     that a value stands, or by their own form (dates, telephone numbers,
//     addresses), and old values are told from new ones.
//  5. Finds that contradict each other make each other uncertain.
//  6. A part of the text that holds a request verb or a field's name, and that
//     no find accounts for, makes everything uncertain: nobody is shown, and
//     asked to confirm, half of what they asked.
//
// What is left is a question for a person. A find is certain only when
// nothing in its sentence is known to speak against it, so an unknown turn of
// phrase costs a question to staff, not somebody's account.
//
// Package lang finds words and guesses languages, package value reads values,
// package answer tells a yes from a no. Work is linear in the text, of which
// no more than 16 KiB are read.
package classify
