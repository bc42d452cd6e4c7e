package mailtest_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"

	"push.guru/supportd/inbox/mailtest"
)

const (
	site     = "support@site.test"
	alice    = "alice@example.org"
	password = "open sesame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world starts one with a mailbox for the site and one for Alice.
func world(t *testing.T, opts mailtest.Options) *mailtest.World {
	t.Helper()
	w, err := mailtest.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("closing the world: %v", err)
		}
	})
	for _, who := range []string{site, alice} {
		if err := w.AddUser(who, password); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// login connects to the site's mailbox and selects INBOX.
func login(t *testing.T, w *mailtest.World, opts *imapclient.Options) *imapclient.Client {
	t.Helper()
	conn, err := w.DialIMAP(t.Context(), "tcp", w.IMAPAddr())
	if err != nil {
		t.Fatal(err)
	}
	c := imapclient.New(conn, opts)
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(site, password).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func uids(mails []mailtest.Stored) []uint32 {
	var out []uint32
	for _, m := range mails {
		out = append(out, m.UID)
	}
	return out
}

func TestFetchGivesWhatWasDelivered(t *testing.T) {
	for _, memory := range []bool{false, true} {
		w := world(t, mailtest.Options{InMemory: memory})
		before := time.Now().Truncate(time.Second)
		raw := w.Send("Alice Ä. <"+alice+">", site, "Löschen", "Bitte löschen Sie mein Konto.\n", mailtest.Aligned(true))
		c := login(t, w, nil)
		section := &imap.FetchItemBodySection{Peek: true}
		got, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Flags: true, InternalDate: true, RFC822Size: true,
			BodySection: []*imap.FetchItemBodySection{section}}).Collect()
		if err != nil || len(got) != 1 {
			t.Fatalf("FETCH gave %d mails and %v", len(got), err)
		}
		body := string(got[0].FindBodySection(section))
		head, whole := strings.CutSuffix(body, string(raw))
		if !whole {
			t.Errorf("the mail came as\n%s\nand was sent as\n%s", body, raw)
		}
		for _, want := range []string{"Return-Path: <alice@example.org>\r\n", "Received: from ", "\tfor <support@site.test>;",
			"Authentication-Results: mx.site.test;\r\n\tdmarc=pass header.from=example.org\r\n"} {
			if !strings.Contains(head, want) {
				t.Errorf("the trace headers lack %q:\n%s", want, head)
			}
		}
		if got[0].RFC822Size != int64(len(body)) || got[0].InternalDate.Before(before) || len(got[0].Flags) > 0 {
			t.Errorf("size %d of %d, INTERNALDATE %v, flags %v", got[0].RFC822Size, len(body), got[0].InternalDate, got[0].Flags)
		}
	}
}

func TestMoveTellsEachExpungeOnce(t *testing.T) {
	w := world(t, mailtest.Options{})
	for range 4 {
		w.Send(alice, site, "Hello", "Hello")
	}
	var gone []uint32
	c := login(t, w, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Expunge: func(seq uint32) { gone = append(gone, seq) }}})
	if err := c.Create("Processed", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if !c.Caps().Has(imap.CapMove) {
		t.Fatal("no MOVE")
	}
	data, err := c.Move(imap.UIDSetNum(1, 3), "Processed").Wait()
	if err != nil {
		t.Fatal(err)
	}
	if data.SourceUIDs.String() != "1,3" || data.DestUIDs.String() != "1:2" {
		t.Errorf("COPYUID %v %v", data.SourceUIDs, data.DestUIDs)
	}
	if err := c.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(gone, []uint32{3, 1}) {
		t.Errorf("EXPUNGE of %v, want 3 and 1", gone)
	}
	if in, filed := uids(w.Folder(site, "inbox")), uids(w.Folder(site, "Processed")); !slices.Equal(in, []uint32{2, 4}) || !slices.Equal(filed, []uint32{1, 2}) {
		t.Errorf("INBOX has %v, Processed has %v", in, filed)
	}
}

func TestCrossingMovesEnd(t *testing.T) {
	w := world(t, mailtest.Options{})
	a := login(t, w, nil)
	if err := a.Create("Other", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	b := login(t, w, nil)
	if _, err := b.Select("Other", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	w.Send(alice, site, "Hello", "Hello")
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	defer context.AfterFunc(ctx, w.CutIMAP)()
	done := make(chan error, 2)
	for c, to := range map[*imapclient.Client]string{a: "Other", b: "INBOX"} {
		go func() {
			for range 200 {
				if _, err := c.Move(imap.UIDSet{{Start: 1, Stop: 0}}, to).Wait(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := len(w.Folder(site, "INBOX")) + len(w.Folder(site, "Other")); n != 1 {
		t.Errorf("one mail became %d", n)
	}
}

func TestKeywordKeepsItsCaseAndHookComesFirst(t *testing.T) {
	w := world(t, mailtest.Options{})
	w.Send(alice, site, "Hello", "Hello")
	type ack struct {
		user, folder string
		uids         []uint32
		flags        int
	}
	var seen []ack
	w.OnAcknowledge(func(user, folder string, uids []uint32) {
		seen = append(seen, ack{user, folder, uids, len(w.Folder(user, folder)[0].Flags)})
	})
	c := login(t, w, nil)
	flags := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{"$SupportD"}}
	got, err := c.Store(imap.UIDSetNum(1), flags, nil).Collect()
	if err != nil || len(got) != 1 || got[0].UID != 1 {
		t.Fatalf("STORE gave %v, %v", got, err)
	}
	if f := w.Folder(site, "INBOX")[0].Flags; !slices.Equal(f, []string{"$SupportD"}) {
		t.Errorf("the mail has %q", f)
	}
	if len(seen) != 1 || seen[0].user != site || seen[0].folder != "INBOX" || !slices.Equal(seen[0].uids, []uint32{1}) || seen[0].flags != 0 {
		t.Errorf("the hook saw %+v", seen)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{"$supportd"}}, nil).Wait()
	if err != nil || len(found.AllUIDs()) != 0 {
		t.Errorf("without the keyword: %v, %v", found.AllUIDs(), err)
	}
}

func TestExamineChangesNothing(t *testing.T) {
	w := world(t, mailtest.Options{})
	w.Send(alice, site, "Hello", "Hello")
	c := login(t, w, nil)
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}}).Collect(); err != nil {
		t.Fatal(err)
	}
	err := c.Store(imap.UIDSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	if _, no := errors.AsType[*imap.Error](err); !no {
		t.Errorf("STORE in a read-only folder: %v", err)
	}
	if f := w.Folder(site, "INBOX")[0].Flags; len(f) > 0 {
		t.Errorf("the mail has %q", f)
	}
}

func TestUIDExpungeTakesOnlyItsOwn(t *testing.T) {
	w := world(t, mailtest.Options{})
	for range 3 {
		w.Send(alice, site, "Hello", "Hello")
	}
	c := login(t, w, nil)
	del := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := c.Store(imap.UIDSetNum(1, 2), del, nil).Close(); err != nil {
		t.Fatal(err)
	}
	seqs, err := c.UIDExpunge(imap.UIDSetNum(2, 3)).Collect()
	if err != nil || !slices.Equal(seqs, []uint32{2}) {
		t.Errorf("EXPUNGE told %v, %v", seqs, err)
	}
	if got := uids(w.Folder(site, "INBOX")); !slices.Equal(got, []uint32{1, 3}) {
		t.Errorf("left: %v", got)
	}
}

func TestSetUIDValidityCutsAndRenumbers(t *testing.T) {
	w := world(t, mailtest.Options{})
	w.Send(alice, site, "One", "One")
	w.Send(alice, site, "Two", "Two")
	c := login(t, w, nil)
	if err := c.Store(imap.UIDSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.SetUIDValidity(site, "INBOX", 77); err != nil {
		t.Fatal(err)
	}
	<-c.Closed()
	c = login(t, w, nil)
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil || data.UIDValidity != 77 || data.UIDNext != 2 || data.NumMessages != 1 {
		t.Errorf("SELECT gave %+v, %v", data, err)
	}
	if err := w.SetUIDValidity(site, "None", 1); err == nil {
		t.Error("a folder that does not exist got a UIDVALIDITY")
	}
}

func TestScriptedIMAP(t *testing.T) {
	w := world(t, mailtest.Options{})
	w.Send(alice, site, "Hello", "Hello")
	c := login(t, w, nil)
	w.SetFail(func(stage, who string, n int) error {
		switch {
		case stage == mailtest.StageFetch && who == site && n == 1:
			return mailtest.Refuse(451, "not now")
		case stage == mailtest.StageFetch && n == 2:
			return mailtest.ErrHangUp
		}
		return nil
	})
	_, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Flags: true}).Collect()
	if no, ok := errors.AsType[*imap.Error](err); !ok || no.Code != imap.ResponseCodeUnavailable {
		t.Errorf("the first FETCH: %v", err)
	}
	if _, err = c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Flags: true}).Collect(); err == nil {
		t.Error("the second FETCH was answered")
	}
	<-c.Closed()
}

func TestLyingIMAP(t *testing.T) {
	w := world(t, mailtest.Options{})
	w.Send(alice, site, "Hello", "Hello")
	w.Send(alice, site, "Honest", "Hello")
	w.SetLie(func(mail []byte) *mailtest.Lie {
		if strings.Contains(string(mail), "Subject: Hello") {
			return &mailtest.Lie{Size: 3, Whole: true}
		}
		return nil
	})
	c := login(t, w, nil)
	part := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: 10}}
	got, err := c.Fetch(imap.UIDSetNum(1, 2), &imap.FetchOptions{UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{part}}).Collect()
	if err != nil || len(got) != 2 {
		t.Fatalf("FETCH gave %d mails, %v", len(got), err)
	}
	if n := len(got[0].BodySection[0].Bytes); got[0].RFC822Size != 3 || n < 100 {
		t.Errorf("the liar says %d bytes and sends %d", got[0].RFC822Size, n)
	}
	if n := len(got[1].BodySection[0].Bytes); got[1].RFC822Size < 100 || n != 10 {
		t.Errorf("of the other mail it says %d bytes and sends %d", got[1].RFC822Size, n)
	}
}

func TestSilentIMAP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, mailtest.Options{InMemory: true})
		w.Send(alice, site, "Hello", "Hello")
		c := login(t, w, nil)
		w.SetFail(func(stage, _ string, _ int) error {
			if stage == mailtest.StageFetch {
				return mailtest.ErrSilence
			}
			return nil
		})
		start := time.Now()
		time.AfterFunc(2*time.Hour, w.CutIMAP)
		if _, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{Flags: true}).Collect(); err == nil || time.Since(start) != 2*time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestWithheldCapability(t *testing.T) {
	w := world(t, mailtest.Options{Without: []string{"MOVE", "UIDPLUS"}})
	caps, err := login(t, w, nil).Capability().Wait()
	if err != nil || caps.Has(imap.CapMove) || caps.Has(imap.CapUIDPlus) || !caps.Has(imap.CapIdle) {
		t.Errorf("capabilities %v, %v", caps, err)
	}
}

// What arrives between SELECT and IDLE is told when IDLE begins, and what
// arrives hours later is told then; in virtual time.
func TestIdleInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, mailtest.Options{InMemory: true})
		exists := make(chan uint32, 16)
		c := login(t, w, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(d *imapclient.UnilateralDataMailbox) {
				if d.NumMessages != nil {
					exists <- *d.NumMessages
				}
			}}})
		w.Send(alice, site, "Before", "Before IDLE")
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		if n := <-exists; n != 1 {
			t.Errorf("at the start of IDLE: EXISTS %d", n)
		}
		start := time.Now()
		time.AfterFunc(3*time.Hour, func() { w.Send(alice, site, "Late", "Hours later") })
		if n := <-exists; n != 2 || time.Since(start) < 3*time.Hour {
			t.Errorf("EXISTS %d after %v", n, time.Since(start))
		}
		if err := errors.Join(idle.Close(), idle.Wait(), c.Close(), w.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestMemoryConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, mailtest.Options{InMemory: true})
		c, err := w.DialSMTP(t.Context(), "tcp", w.SMTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 512)
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := c.SetDeadline(start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Read(b)
		if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() || time.Since(start) != time.Minute {
			t.Errorf("reading past the deadline: %v after %v", err, time.Since(start))
		}
		if _, err = c.Write([]byte("NOOP\r\n")); err == nil {
			t.Error("writing past the deadline worked")
		}
		if _, err := w.DialSMTP(t.Context(), "tcp", w.IMAPAddr()); err == nil {
			t.Error("SMTP answers at the address of IMAP")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.DialSMTP(t.Context(), "tcp", w.SMTPAddr()); err == nil {
			t.Error("a closed world takes connections")
		}
		if _, err := c.Read(b); err == nil {
			t.Error("a connection outlived its world")
		}
	})
}
