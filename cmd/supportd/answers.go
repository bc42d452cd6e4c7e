package main

import (
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/state"
)

type answersCmd struct {
	configFile
	List   answersList   `cmd:"" help:"The answers with their texts."`
	Add    answersAdd    `cmd:"" help:"Keep an answer, in the place of one of the same name and language."`
	Remove answersRemove `cmd:"" help:"Forget an answer."`
}

type answersList struct {
	JSON bool `help:"One JSON object a line."`
}

func (c *answersList) Run(w *world, all *cli) error {
	call := control.Call{Verb: "answers list"}
	if c.JSON {
		return all.Answers.raw(w, call)
	}
	return each(all.Answers.configFile, w, call, func(a state.Saved) error { return printAnswer(w.stdout, a) })
}

type answersAdd struct {
	Name     string `arg:"" help:"By which staff find it; it should say nothing of anybody."`
	File     string `arg:"" help:"The text; - is standard input."`
	Language string `required:"" placeholder:"L" help:"That the text is in: en, ru, kk."`
}

func (c *answersAdd) Run(w *world, all *cli) error {
	text, err := readFile(w, c.File)
	if err != nil {
		return err
	}
	return all.Answers.say(w, control.Call{Verb: "answers add", Name: c.Name, Language: c.Language, Text: string(text)}, nil)
}

type answersRemove struct {
	Name     string `arg:"" help:"Its name."`
	Language string `required:"" placeholder:"L" help:"Its language."`
}

func (c *answersRemove) Run(w *world, all *cli) error {
	return all.Answers.say(w, control.Call{Verb: "answers remove", Name: c.Name, Language: c.Language}, nil)
}
