package daemon_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"push.guru/supportd/inbox/mailtest"
)

// copied gives the text of the copy that a letter carries.
func copied(t *testing.T, d mailtest.Delivery) string {
	t.Helper()
	content := d.Attachment("data.zip")
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Open("data.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A copy has the mails that its owner wrote, also from before a change of their
// address, and nobody else's: a site may give the ID of somebody who has left to
// somebody else.
func TestPastOfAFormerOwner(t *testing.T) {
	const secret = "I was told about diagnosis ALPHA."
	t.Run("the ID is somebody else's now", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(kate, "a question", "What do you do with what I tell you? "+secret)
			s.letter("received", kate)
			s.records(`{"id": "u-kate", "email": "cy@users.test", "full_name": "Cy", "active": true}` + "\n")
			s.write("cy@users.test", "my data", copyPlease)
			if got := copied(t, s.letter("result", "cy@users.test")); strings.Contains(got, "ALPHA") || !strings.Contains(got, "cy@users.test") {
				t.Errorf("the copy is\n%s", got)
			}
		})
	})
	t.Run("we have changed the address", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(kate, "a question", "What do you do with what I tell you? "+secret)
			s.letter("received", kate)
			s.write(kate, "address", "Please change my e-mail address to kate@new.test.")
			s.answer(s.letter("confirm", kate), "Yes")
			s.letter("asked-new", kate)
			s.answer(s.letter("confirm-new-address", "kate@new.test"), "Yes")
			s.passes(2 * coolOff)
			s.write("kate@new.test", "my data", copyPlease)
			s.act("approve", s.id("copy"))
			s.passes(coolOff)
			var got string
			for _, d := range s.lettersTo("kate@new.test") {
				if len(d.Attachments()) > 0 {
					got = copied(t, d)
				}
			}
			if !strings.Contains(got, "ALPHA") {
				t.Errorf("the copy is\n%s", got)
			}
		})
	})
}
