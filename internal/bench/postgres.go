package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// measurePostgres measures the same company on PostgreSQL. It uses the schemas that the program uses there and refuses a
// database that has them already. The bare statements are in the language of the embedded engines, so there are none here.
func (s *settings) measurePostgres(ctx context.Context, n int, d *document) (err error) {
	db, err := sql.Open("pgx", s.postgres)
	if err != nil {
		return err
	}
	defer db.Close()
	var there int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM information_schema.schemata WHERE schema_name IN ('guanxi', 'ws_main')").Scan(&there); err != nil {
		return err
	}
	if there > 0 {
		return errors.New("the database holds a workspace already")
	}
	defer func() {
		_, e := db.ExecContext(context.WithoutCancel(ctx), "DROP SCHEMA IF EXISTS ws_main CASCADE; DROP SCHEMA IF EXISTS guanxi CASCADE")
		err = errors.Join(err, e)
	}()
	progress("%d customers on PostgreSQL", n)
	p := &program{bin: s.bin, data: s.dir + "/postgres", database: s.postgres}
	defer p.stop()
	if err := p.setup(ctx, "CNY", "Asia/Shanghai"); err != nil {
		return err
	}
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
