package sqlite

import (
	"context"
	"crypto/md5" //nolint:gosec // a stable sample, not a secret: every engine has it and all agree
	"database/sql/driver"
	"encoding/hex"
	"regexp"
	"sync"

	sqlite3 "github.com/mattn/go-sqlite3"

	"github.com/guanxi-crm/guanxi/internal/model/formula"
	"github.com/guanxi-crm/guanxi/internal/store/compile"
)

// connector opens connections without registering a driver by name.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// newDriver registers on every connection the functions that the dialect names: md5(text) as lower-case hexadecimal,
// regexp(pattern, text) and guanxi_formula(program, columns…).
func newDriver() *sqlite3.SQLiteDriver {
	patterns := &patterns{compiled: map[string]*regexp.Regexp{}}
	programs := &programs{}
	return &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		if err := c.RegisterFunc("md5", md5Hex, true); err != nil {
			return err
		}
		if err := c.RegisterFunc(compile.FormulaFunction, programs.run, true); err != nil {
			return err
		}
		return c.RegisterFunc("regexp", patterns.match, true)
	}}
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// patterns keeps compiled patterns; a statement uses one pattern for all its rows.
type patterns struct {
	mu       sync.Mutex
	compiled map[string]*regexp.Regexp
}

const maxPatterns = 100

func (p *patterns) match(pattern string, text any) (bool, error) {
	var s string
	switch v := text.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return false, nil
	}
	re, err := p.get(pattern)
	if err != nil {
		return false, err
	}
	return re.MatchString(s), nil
}

func (p *patterns) get(pattern string) (*regexp.Regexp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if re, ok := p.compiled[pattern]; ok {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	if len(p.compiled) >= maxPatterns {
		clear(p.compiled)
	}
	p.compiled[pattern] = re
	return re, nil
}

// programs keeps formulas that were read from a statement: a statement runs one program for all its rows.
type programs struct {
	mu   sync.RWMutex
	read map[string]func([]any) any
}

const maxPrograms = 500

func (p *programs) run(program string, columns ...any) (any, error) {
	p.mu.RLock()
	fn := p.read[program]
	p.mu.RUnlock()
	if fn == nil {
		var err error
		if fn, err = formula.Read(program); err != nil {
			return nil, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.read == nil || len(p.read) >= maxPrograms {
			p.read = map[string]func([]any) any{}
		}
		p.read[program] = fn
	}
	return fn(columns), nil
}
