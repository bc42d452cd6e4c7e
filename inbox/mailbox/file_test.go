package mailbox

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"push.guru/supportd/inbox"
)

func TestFile(t *testing.T) {
	const (
		move    = `UID MOVE 5:6 "Processed"`
		copying = `UID COPY 5:6 "Processed"`
		deleted = `UID STORE 5:6 +FLAGS.SILENT (\Deleted)`
		expunge = `UID EXPUNGE 5:6`
	)
	both := map[uint32]uint32{5: 11, 6: 12}
	copied := func(f *fake) { f.say(f.expect(copying) + " OK [COPYUID 9 5:6 11:12] copied") }
	tests := []struct {
		name   string
		caps   string
		script func(*fake)
		want   map[uint32]uint32
		text   string
	}{
		{"MOVE", everything, func(f *fake) { f.ok(move, "* OK [COPYUID 9 5:6 11:12]", "* 1 EXPUNGE", "* 1 EXPUNGE") }, both, ""},
		{"MOVE, the UIDs with the answer", everything, func(f *fake) { f.say(f.expect(move) + " OK [COPYUID 9 5:6 11:12] moved") }, both, ""},
		{"MOVE, one is gone", everything, func(f *fake) { f.ok(move, "* OK [COPYUID 9 6 11]", "* 1 EXPUNGE") }, map[uint32]uint32{6: 11}, ""},
		{"MOVE without UIDPLUS", "MOVE", func(f *fake) { f.ok(move, "* 1 EXPUNGE", "* 1 EXPUNGE") }, nil, ""},
		{"MOVE, odd UIDs", everything, func(f *fake) { f.ok(move, "* OK [COPYUID 9 5:6 1:4294967295]") }, nil, ""},
		{"MOVE, other UIDs", everything, func(f *fake) { f.ok(move, "* OK [COPYUID 9 7:8 11:12]") }, nil, ""},
		{"MOVE, the folder is missing", everything, func(f *fake) {
			f.no(move, "NO [TRYCREATE] no such folder")
			f.ok(`CREATE "Processed"`)
			f.ok(`SUBSCRIBE "Processed"`)
			f.ok(move, "* OK [COPYUID 9 5:6 11:12]")
		}, both, ""},
		{"MOVE, the folder is missing and nothing says so", everything, func(f *fake) {
			f.no(move, "NO")
			f.ok(`CREATE "Processed"`)
			f.no(`SUBSCRIBE "Processed"`, "NO never")
			f.ok(move)
		}, nil, ""},
		{"MOVE, no folder can be made", everything, func(f *fake) {
			f.no(move, "NO [TRYCREATE] no such folder")
			f.no(`CREATE "Processed"`, "NO [CANNOT] use INBOX.")
			f.no(move, "NO [TRYCREATE] no such folder")
		}, nil, `some servers want "INBOX."`},
		{"MOVE fails for another reason", everything, func(f *fake) {
			f.no(move, "NO [OVERQUOTA] full")
			f.no(`CREATE "Processed"`, "NO [ALREADYEXISTS] there")
			f.no(move, "NO [OVERQUOTA] full")
		}, nil, "OVERQUOTA"},
		{"MOVE, the folder is made by somebody else meanwhile", everything, func(f *fake) {
			f.no(move, "NO [TRYCREATE] no such folder")
			f.no(`CREATE "Processed"`, "NO [ALREADYEXISTS] there")
			f.ok(move, "* OK [COPYUID 9 5:6 11:12]", "* 1 EXPUNGE", "* 1 EXPUNGE")
			f.ok(`SUBSCRIBE "Processed"`)
		}, both, ""},
		{"COPY", "UIDPLUS", func(f *fake) { copied(f); f.ok(deleted); f.ok(expunge, "* 2 EXPUNGE", "* 1 EXPUNGE") }, both, ""},
		{"COPY without UIDPLUS expunges nothing", "", func(f *fake) { f.ok(copying); f.ok(deleted, `* 1 FETCH (FLAGS (\Deleted))`) }, nil, ""},
		{"COPY fails and nothing is deleted", "UIDPLUS", func(f *fake) {
			f.no(copying, "NO [OVERQUOTA] full")
			f.no(`CREATE "Processed"`, "NO there")
			f.no(copying, "NO [OVERQUOTA] full")
		}, nil, "OVERQUOTA"},
		{"COPY fails twice and nothing is deleted", "UIDPLUS", func(f *fake) {
			f.no(copying, "NO [TRYCREATE] none")
			f.ok(`CREATE "Processed"`)
			f.ok(`SUBSCRIBE "Processed"`)
			f.no(copying, "NO [OVERQUOTA] full")
		}, nil, "OVERQUOTA"},
		{"STORE fails and nothing is copied again or expunged", "UIDPLUS", func(f *fake) { copied(f); f.no(deleted, "NO read-only") }, both, "read-only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := enter(t, scripted(t, func(f *fake) { f.enter(tt.caps, 3); tt.script(f); f.bye() }))
			got, err := s.File(t.Context(), []uint32{6, 5, 6}, "Processed")
			if !maps.Equal(got.UIDs, tt.want) {
				t.Errorf("moved %v, want %v", got, tt.want)
			}
			if (err == nil) != (tt.text == "") || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %q", err, tt.text)
			}
		})
	}
}

// TestFileLost is about a connection that is cut after COPY.
func TestFileLost(t *testing.T) {
	s, _ := enter(t, scripted(t, func(f *fake) {
		f.enter("UIDPLUS", 3)
		f.say(f.expect(`UID COPY 5 "Processed"`) + " OK [COPYUID 9 5 11] copied")
		f.expect(`UID STORE 5 +FLAGS.SILENT (\Deleted)`)
	}))
	got, err := s.File(t.Context(), []uint32{5}, "Processed")
	if got.UIDs[5] != 11 || !inbox.IsTemporary(err) {
		t.Errorf("moved %v, %v", got, err)
	}
}

// TestFileLostAfterCreate: a connection that is cut says nothing of the folder.
func TestFileLostAfterCreate(t *testing.T) {
	s, _ := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, 3)
		f.no(`UID MOVE 5 "Processed"`, "NO [TRYCREATE] none")
		f.no(`CREATE "Processed"`, "NO [ALREADYEXISTS] there")
		f.expect(`UID MOVE 5 "Processed"`)
	}))
	if _, err := s.File(t.Context(), []uint32{5}, "Processed"); !inbox.IsTemporary(err) || strings.Contains(err.Error(), "name of the folder") {
		t.Errorf("error %v", err)
	}
}

func TestFileNothing(t *testing.T) {
	s, _ := enter(t, scripted(t, func(f *fake) { f.enter(everything, 3); f.bye() }))
	if got, err := s.File(t.Context(), nil, "Processed"); len(got.UIDs) != 0 || err != nil {
		t.Errorf("no UIDs: %v, %v", got, err)
	}
	for _, folder := range []string{"INBOX", "inbox"} {
		if _, err := s.File(t.Context(), []uint32{5}, folder); err == nil {
			t.Errorf("filed from INBOX into %s", folder)
		}
	}
	if _, err := s.File(t.Context(), []uint32{0, 5}, "Processed"); err == nil {
		t.Error("UID 0 was taken")
	}
	if err := s.Mark(t.Context(), []uint32{0}); err == nil {
		t.Error("UID 0 was taken")
	}
}

func TestMarkAndExpunge(t *testing.T) {
	var many []uint32
	for uid := uint32(1); uid <= 2*(maxSet+1); uid += 2 {
		many = append(many, uid)
	}
	s, _ := enter(t, scripted(t, func(f *fake) {
		f.enter(everything, 3)
		f.ok(`UID STORE `+uidSet(many[:maxSet]).String()+` +FLAGS.SILENT ($Supportd)`, `* 1 FETCH (UID 1 FLAGS ($Supportd))`)
		f.no(`UID STORE 801 +FLAGS.SILENT ($Supportd)`, "NO full")
		f.ok(`UID STORE 5 +FLAGS.SILENT (\Deleted)`)
		f.ok(`UID EXPUNGE 5`, "* 1 EXPUNGE")
		f.bye()
	}))
	if err := s.Mark(t.Context(), many); !isRefusal(err) {
		t.Errorf("marking: %v", err)
	}
	if err := s.Expunge(t.Context(), []uint32{5}); err != nil {
		t.Errorf("expunging: %v", err)
	}
	if s.count.mails != 2 {
		t.Errorf("%d mails are left, want 2", s.count.mails)
	}
}

func TestExpungeWithoutUIDPlus(t *testing.T) {
	s, _ := enter(t, scripted(t, func(f *fake) { f.enter("MOVE IDLE", 3); f.bye() }))
	if err := s.Expunge(t.Context(), []uint32{5}); !errors.Is(err, ErrNoUIDPlus) {
		t.Errorf("error %v, want ErrNoUIDPlus", err)
	}
}

func TestExpand(t *testing.T) {
	tests := []struct {
		set  imap.UIDSet
		want []uint32
		ok   bool
	}{
		{nil, nil, true},
		{imap.UIDSet{{Start: 4, Stop: 6}, {Start: 9, Stop: 9}}, []uint32{4, 5, 6, 9}, true},
		{imap.UIDSet{{Start: 1<<32 - 2, Stop: 1<<32 - 1}}, []uint32{1<<32 - 2, 1<<32 - 1}, true},
		{imap.UIDSet{{Start: 4, Stop: 0}}, nil, false},
		{imap.UIDSet{{Start: 0, Stop: 0}}, nil, false},
		{imap.UIDSet{{Start: 1, Stop: 1<<32 - 1}}, nil, false},
		{imap.UIDSet{{Start: 1, Stop: 300}, {Start: 400, Stop: 700}}, nil, false},
	}
	for _, tt := range tests {
		if got, ok := expand(tt.set); ok != tt.ok || !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, %v, want %v", tt.set, got, ok, tt.want)
		}
	}
}
