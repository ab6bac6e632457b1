package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// measurePostgres measures the same company on PostgreSQL. It uses the schemas that the program uses there and refuses a
// database that has them already. The bare statements are in the language of the embedded engines, so there are none here.
func (s *settings) measurePostgres(ctx context.Context, n int, d *document) error {
	progress("%d customers on PostgreSQL", n)
	return s.onPostgres(ctx, "postgres", func(p *program, _ func() time.Duration) error { return s.companyOnPostgres(ctx, p, n, d) })
}

// onPostgres sets a program up on the server, whose processor time is given beside it, and takes its schemas away afterwards.
func (s *settings) onPostgres(ctx context.Context, name string, fn func(p *program, server func() time.Duration) error) (err error) {
	db, err := sql.Open("pgx", s.postgres)
	if err != nil {
		return err
	}
	defer db.Close()
	var there, backend int
	if err := db.QueryRowContext(ctx, "SELECT count(*), pg_backend_pid() FROM information_schema.schemata WHERE schema_name IN ('guanxi', 'ws_main')").Scan(&there, &backend); err != nil {
		return err
	}
	if there > 0 {
		return errors.New("the database holds a workspace already")
	}
	defer func() {
		_, e := db.ExecContext(context.WithoutCancel(ctx), "DROP SCHEMA IF EXISTS ws_main CASCADE; DROP SCHEMA IF EXISTS guanxi CASCADE")
		err = errors.Join(err, e)
	}()
	p := &program{bin: s.bin, data: s.dir + "/" + name, database: s.postgres}
	defer p.stop()
	if err := p.setup(ctx, "CNY", "Asia/Shanghai"); err != nil {
		return err
	}
	_, head, _ := statOf(backend)
	return fn(p, func() time.Duration { return familyTime(head) })
}

// statOf reads of a process which processor time it has used, which its parent is, and what its ended children have used.
func statOf(pid int) (spent time.Duration, parent int, ended time.Duration) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 15 {
		return 0, 0, 0
	}
	at := func(i int) int64 {
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	one := time.Second / ticks
	return time.Duration(at(11)+at(12)) * one, int(at(1)), time.Duration(at(13)+at(14)) * one
}

// familyTime is the processor time of a process and of its children, those that ended too. A server on another machine has none here.
func familyTime(head int) time.Duration {
	own, _, ended := statOf(head)
	sum := own + ended
	list, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return sum
	}
	for _, dir := range list {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if spent, parent, _ := statOf(pid); parent == head && head != 0 {
			sum += spent
		}
	}
	return sum
}

func (s *settings) companyOnPostgres(ctx context.Context, p *program, n int, d *document) (err error) {
	d.section("%s customers on PostgreSQL", thousands(n))
	if _, err := p.demo(ctx, n, s.orders, d); err != nil {
		return err
	}
	if err := p.begin(ctx, s, d); err != nil {
		return err
	}
	a := asker{p: p, n: s.warm}
	if a.s, err = p.sample(s.warm); err != nil {
		return err
	}
	if err := p.call("POST", "/segments", obj{"key": "bench", "label": "基准", "kind": "dynamic", "where": obj{"trait": "orders", "op": ">=", "value": 3}}, nil); err != nil {
		return err
	}
	d.table()
	for _, k := range append(append(a.lists(), a.finds()...), a.views()...) {
		t, err := warmed(p.processor, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k.what, err)
		}
		d.row(k.what, t, timing{}, k.goal)
	}
	return nil
}
