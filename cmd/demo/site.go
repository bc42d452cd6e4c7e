package main

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
)

//go:embed site.sql
var siteTables string

//go:embed site.toml
var siteMap string

const (
	siteFile = "site.db"
	mapFile  = "map.toml"

	// inSite is how the demo's daemon finds the people in a site's own database.
	inSite = "[users]\nstore = \"sqlite\"\npath = \"" + siteFile + "\"\nmap = \"" + mapFile + "\"\n"
)

// makeSite makes the database of a site in dir, with the demo's people, and its
// data map.
func makeSite(ctx context.Context, dir string) (err error) {
	if err := os.WriteFile(filepath.Join(dir, mapFile), []byte(siteMap), 0o600); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, siteFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, siteTables); err != nil {
		return fmt.Errorf("making the site's tables: %w", err)
	}
	for line := range strings.Lines(talk.People() + visitorRecord) {
		if err := addMember(ctx, db, line); err != nil {
			return fmt.Errorf("filling the site's tables: %w", err)
		}
	}
	return nil
}

// addMember adds a person, of whom a JSON line tells: a row, their visits, and
// an order.
func addMember(ctx context.Context, db *sql.DB, line string) error {
	var fields map[string]any
	var p struct {
		ID, Email string
		Active    bool
		Events    []struct{ At, IP, Agent, Page, Cookie string }
	}
	if err := errors.Join(json.Unmarshal([]byte(line), &fields), json.Unmarshal([]byte(line), &p)); err != nil {
		return err
	}
	var exec error
	run := func(query string, args ...any) {
		if exec == nil {
			_, exec = db.ExecContext(ctx, query, args...)
		}
	}
	run("INSERT INTO members (id, email) VALUES (?, ?)", p.ID, p.Email)
	for name, v := range fields {
		if text, ok := v.(string); ok {
			run(`UPDATE members SET "`+name+`" = ? WHERE id = ?`, text, p.ID)
		}
	}
	if !p.Active {
		run("UPDATE members SET deactivated_at = '2026-01-01T00:00:00Z' WHERE id = ?", p.ID)
	}
	for _, e := range p.Events {
		run("INSERT INTO visits (member, at, ip, agent, page, cookie) VALUES (?, ?, ?, ?, ?, ?)", p.ID, e.At, e.IP, e.Agent, e.Page, e.Cookie)
	}
	run("INSERT INTO orders (member, total, street) VALUES (?, 12000, 'Abay 1, Almaty')", p.ID)
	run("INSERT INTO order_items (order_id, item, engraved) SELECT max(id), 'cup', ? FROM orders", p.ID)
	run("INSERT INTO newsletter (email) VALUES (?)", p.Email)
	return exec
}

// initSite makes the table that supportd needs in the site's database.
func initSite(ctx context.Context, file string) error {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	return daemon.InitStore(ctx, cfg.Users)
}
