// Package config holds the boot settings: what must be known before any store is open. Business settings are records.
//
// One table (Settings) is the source of everything: flags, GUANXI_* variables, the settings file, `guanxi config show` and
// docs/configuration.md. A value is taken from the first place that names it: flag, environment, file, default.
package config

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is every boot setting, ready for use.
type Config struct {
	Data           string        // data directory of the embedded stores
	DatabaseURL    string        // PostgreSQL address; empty means embedded
	Secret         string        // master secret on PostgreSQL, base64 or text of at least 32 characters
	Addr           string        // host:port to listen on
	Role           string        // all, api or worker
	TLSCert        string        // PEM file; with TLSKey turns TLS on
	TLSKey         string        // PEM file
	TrustedProxies string        // comma-separated networks whose X-Forwarded-For is believed
	PublicURL      string        // origin that people see; allowed as Origin of writes
	LogLevel       string        // debug, info, warn, error
	LogFormat      string        // text or json
	MetricsToken   string        // bearer token of /metrics; empty serves direct local callers only
	SessionIdle    time.Duration // a session unused for so long ends
	SessionMax     time.Duration // a session ends after so long whatever happens
	MaxUploadMB    int           // largest import file
	MaxFileMB      int           // largest file on a record
	MemoryMB       int           // soft limit of the Go heap
	AnalyticsMB    int           // memory limit of DuckDB
	Threads        int           // threads of DuckDB, 0 for the number of processors
	NightlyAt      string        // local time of the nightly pass, HH:MM
	// WebhookNetworks are networks beside the public internet that webhooks may reach, comma-separated; there http is spoken too
	WebhookNetworks string
	// MailNetworks are networks beside the public internet where mail servers may stand, comma-separated; there a connection
	// without TLS is made too
	MailNetworks string
	// ChannelNetworks are networks beside the public internet where those who deliver text messages may stand, comma-separated; there http
	// without TLS is spoken too
	ChannelNetworks string
	// LoginNetworks are networks beside the public internet where providers of identities may stand, comma-separated; there http
	// without TLS is spoken too
	LoginNetworks string
	Demo          bool   // fill an empty instance with the demo company
	DemoCustomers int    // its size
	DemoPassword  string // its administrator's password; empty makes one and prints it once
}

// Setting describes one boot setting.
type Setting struct {
	Key     string // key in the settings file; the flag is the same with dashes, the variable GUANXI_ and capitals
	Default string
	Kind    string // text, file, duration, number, switch, one of a|b
	Secret  bool   // never printed
	Doc     string // one English sentence
	DocZh   string // the same in Chinese
	set     func(*Config, string) error
	get     func(*Config) string
}

// Flag is the name on the command line, without dashes in front.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Key, "_", "-") }

// Env is the name of the environment variable.
func (s Setting) Env() string { return "GUANXI_" + strings.ToUpper(s.Key) }

func text(p func(*Config) *string) (func(*Config, string) error, func(*Config) string) {
	return func(c *Config, v string) error { *p(c) = v; return nil }, func(c *Config) string { return *p(c) }
}

func number(p func(*Config) *int) (func(*Config, string) error, func(*Config) string) {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is not a whole number", v)
		}
		*p(c) = n
		return nil
	}, func(c *Config) string { return strconv.Itoa(*p(c)) }
}

func duration(p func(*Config) *time.Duration) (func(*Config, string) error, func(*Config) string) {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 12h", v)
		}
		*p(c) = d
		return nil
	}, func(c *Config) string { return p(c).String() }
}

func toggle(p func(*Config) *bool) (func(*Config, string) error, func(*Config) string) {
	return func(c *Config, v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", v)
		}
		*p(c) = b
		return nil
	}, func(c *Config) string { return strconv.FormatBool(*p(c)) }
}

func choice(p func(*Config) *string, options ...string) (func(*Config, string) error, func(*Config) string) {
	return func(c *Config, v string) error {
		if !slices.Contains(options, v) {
			return fmt.Errorf("%q is not one of %s", v, strings.Join(options, ", "))
		}
		*p(c) = v
		return nil
	}, func(c *Config) string { return *p(c) }
}

func clockTime(p func(*Config) *string) (func(*Config, string) error, func(*Config) string) {
	return func(c *Config, v string) error {
		if _, err := time.Parse("15:04", v); err != nil {
			return fmt.Errorf("%q is not a time such as 03:00", v)
		}
		*p(c) = v
		return nil
	}, func(c *Config) string { return *p(c) }
}

func (s Setting) with(set func(*Config, string) error, get func(*Config) string) Setting {
	s.set, s.get = set, get
	return s
}

// Settings is the table of all boot settings, in the order in which they are documented.
func Settings() []Setting {
	return []Setting{
		Setting{Key: "data", Default: "./data", Kind: "file", Doc: "Data directory of the embedded stores.", DocZh: "内嵌存储的数据目录。"}.
			with(text(func(c *Config) *string { return &c.Data })),
		Setting{Key: "database_url", Kind: "text", Secret: true, Doc: "PostgreSQL address (postgres://…); empty means embedded storage in the data directory.", DocZh: "PostgreSQL 地址（postgres://…）；留空则使用数据目录中的内嵌存储。"}.
			with(text(func(c *Config) *string { return &c.DatabaseURL })),
		Setting{Key: "secret", Kind: "text", Secret: true, Doc: "Master secret that protects personal data on PostgreSQL; at least 32 characters. Empty uses secret.key in the data directory.", DocZh: "在 PostgreSQL 上保护个人信息的主密钥，至少 32 个字符；留空则使用数据目录中的 secret.key。"}.
			with(text(func(c *Config) *string { return &c.Secret })),
		Setting{Key: "addr", Default: "127.0.0.1:8080", Kind: "text", Doc: "Address to listen on.", DocZh: "监听地址。"}.
			with(text(func(c *Config) *string { return &c.Addr })),
		Setting{Key: "role", Default: "all", Kind: "all|api|worker", Doc: "What this process does; api and worker need PostgreSQL.", DocZh: "本进程的职责；api 与 worker 需要 PostgreSQL。"}.
			with(choice(func(c *Config) *string { return &c.Role }, "all", "api", "worker")),
		Setting{Key: "tls_cert", Kind: "file", Doc: "Certificate chain in PEM; together with the key it turns TLS on.", DocZh: "PEM 证书链；与私钥同时给出即启用 TLS。"}.
			with(text(func(c *Config) *string { return &c.TLSCert })),
		Setting{Key: "tls_key", Kind: "file", Doc: "Private key in PEM.", DocZh: "PEM 私钥。"}.
			with(text(func(c *Config) *string { return &c.TLSKey })),
		Setting{Key: "trusted_proxies", Kind: "text", Doc: "Networks (comma-separated CIDR) whose X-Forwarded-For and X-Forwarded-Proto are believed.", DocZh: "可信代理网段（逗号分隔的 CIDR），只采信来自它们的 X-Forwarded-For 与 X-Forwarded-Proto。"}.
			with(text(func(c *Config) *string { return &c.TrustedProxies })),
		Setting{Key: "public_url", Kind: "text", Doc: "Origin that people see, when a proxy changes the host name.", DocZh: "代理改写主机名时，用户实际访问的站点地址。"}.
			with(text(func(c *Config) *string { return &c.PublicURL })),
		Setting{Key: "log_level", Default: "info", Kind: "debug|info|warn|error", Doc: "Least important log line that is written.", DocZh: "输出日志的最低级别。"}.
			with(choice(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")),
		Setting{Key: "log_format", Default: "text", Kind: "text|json", Doc: "Form of log lines on standard error.", DocZh: "标准错误输出的日志格式。"}.
			with(choice(func(c *Config) *string { return &c.LogFormat }, "text", "json")),
		Setting{Key: "metrics_token", Kind: "text", Secret: true, Doc: "Bearer token of /metrics; empty serves only callers on this machine that come without a proxy.", DocZh: "/metrics 的访问令牌；留空则只允许本机直连访问。"}.
			with(text(func(c *Config) *string { return &c.MetricsToken })),
		Setting{Key: "session_idle", Default: "12h0m0s", Kind: "duration", Doc: "A session that is not used for so long ends.", DocZh: "会话闲置超过该时长即失效。"}.
			with(duration(func(c *Config) *time.Duration { return &c.SessionIdle })),
		Setting{Key: "session_max", Default: "336h0m0s", Kind: "duration", Doc: "A session ends after so long in any case.", DocZh: "会话的最长有效期。"}.
			with(duration(func(c *Config) *time.Duration { return &c.SessionMax })),
		Setting{Key: "max_upload_mb", Default: "4096", Kind: "number", Doc: "Largest file that can be uploaded for import, in MB.", DocZh: "可上传导入文件的最大体积（MB）。"}.
			with(number(func(c *Config) *int { return &c.MaxUploadMB })),
		Setting{Key: "max_file_mb", Default: "50", Kind: "number", Doc: "Largest file that can be added to a record, in MB.", DocZh: "可添加到记录的附件的最大体积（MB）。"}.
			with(number(func(c *Config) *int { return &c.MaxFileMB })),
		Setting{Key: "memory_mb", Default: "256", Kind: "number", Doc: "Soft limit of the Go heap in MB; the collector works harder near it.", DocZh: "Go 堆内存的软上限（MB），接近时回收更积极。"}.
			with(number(func(c *Config) *int { return &c.MemoryMB })),
		Setting{Key: "analytics_mb", Default: "512", Kind: "number", Doc: "Memory limit of the embedded analytics engine in MB.", DocZh: "内嵌分析引擎的内存上限（MB）。"}.
			with(number(func(c *Config) *int { return &c.AnalyticsMB })),
		Setting{Key: "threads", Default: "0", Kind: "number", Doc: "Threads of the embedded analytics engine; 0 uses every processor.", DocZh: "内嵌分析引擎的线程数；0 表示使用全部处理器。"}.
			with(number(func(c *Config) *int { return &c.Threads })),
		Setting{Key: "nightly_at", Default: "03:00", Kind: "text", Doc: "Local time of the nightly pass in the zone of each workspace.", DocZh: "每个工作区所在时区的夜间任务时间。"}.
			with(clockTime(func(c *Config) *string { return &c.NightlyAt })),
		Setting{Key: "webhook_networks", Kind: "text", Doc: "Networks (comma-separated CIDR) beside the public internet that webhooks may reach, and where http without TLS is allowed. Empty allows public https addresses alone.", DocZh: "除公网外 Webhook 可访问的网段（逗号分隔的 CIDR），这些网段内允许使用不加密的 http；留空则只允许公网 https 地址。"}.
			with(text(func(c *Config) *string { return &c.WebhookNetworks })),
		Setting{Key: "mail_networks", Kind: "text", Doc: "Networks (comma-separated CIDR) beside the public internet where mail servers may stand, and where a connection without TLS is allowed. Empty allows public addresses with TLS alone.", DocZh: "除公网外邮件服务器可所在的网段（逗号分隔的 CIDR），这些网段内允许不加密的连接；留空则只允许公网地址并强制 TLS。"}.
			with(text(func(c *Config) *string { return &c.MailNetworks })),
		Setting{Key: "channel_networks", Kind: "text", Doc: "Networks (comma-separated CIDR) beside the public internet where providers of text messages and receivers of campaign webhooks may stand, and where http without TLS is allowed. Empty allows public https addresses alone.", DocZh: "除公网外短信服务商与活动 Webhook 接收方可所在的网段（逗号分隔的 CIDR），这些网段内允许使用不加密的 http；留空则只允许公网 https 地址。"}.
			with(text(func(c *Config) *string { return &c.ChannelNetworks })),
		Setting{Key: "login_networks", Kind: "text", Doc: "Networks (comma-separated CIDR) beside the public internet where providers of identities (single sign-on) may stand, and where http without TLS is allowed. Empty allows public https addresses alone.", DocZh: "除公网外单点登录的身份提供方可所在的网段（逗号分隔的 CIDR），这些网段内允许使用不加密的 http；留空则只允许公网 https 地址。"}.
			with(text(func(c *Config) *string { return &c.LoginNetworks })),
		Setting{Key: "demo", Default: "false", Kind: "switch", Doc: "Fill an empty instance with the demo company on start.", DocZh: "启动时为空实例载入演示公司。"}.
			with(toggle(func(c *Config) *bool { return &c.Demo })),
		Setting{Key: "demo_customers", Default: "20000", Kind: "number", Doc: "Customers of the demo company.", DocZh: "演示公司的客户数量。"}.
			with(number(func(c *Config) *int { return &c.DemoCustomers })),
		Setting{Key: "demo_password", Kind: "text", Secret: true, Doc: "Password of the demo administrator; empty makes one and prints it once.", DocZh: "演示管理员的密码；留空则自动生成并只打印一次。"}.
			with(text(func(c *Config) *string { return &c.DemoPassword })),
	}
}

// Sources are the places a value may come from.
type Sources struct {
	Flags map[string]string                // only the flags that were given, by Setting.Flag
	Env   func(name string) (string, bool) // os.LookupEnv
	File  string                           // settings file; empty for none
}

// Load reads every setting and checks that they fit together. Errors name the place of the bad value.
func Load(src Sources) (*Config, error) {
	file := map[string]string{}
	if src.File != "" {
		f, err := os.Open(src.File)
		if err != nil {
			return nil, fmt.Errorf("settings file: %w", err)
		}
		defer f.Close()
		if file, err = parseFile(f); err != nil {
			return nil, fmt.Errorf("settings file %s: %w", src.File, err)
		}
	}
	c := &Config{}
	known := map[string]bool{}
	for _, s := range Settings() {
		known[s.Key] = true
		value, from := s.Default, "default"
		if v, ok := file[s.Key]; ok {
			value, from = v, src.File
		}
		if src.Env != nil {
			if v, ok := src.Env(s.Env()); ok && v != "" {
				value, from = v, s.Env()
			}
		}
		if v, ok := src.Flags[s.Flag()]; ok {
			value, from = v, "--"+s.Flag()
		}
		if err := s.set(c, value); err != nil {
			return nil, fmt.Errorf("%s (%s): %w", s.Key, from, err)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(file)) {
		if !known[k] {
			return nil, fmt.Errorf("settings file %s: unknown setting %q", src.File, k)
		}
	}
	return c, c.check()
}

func (c *Config) check() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return fmt.Errorf("tls_cert and tls_key are given together or not at all")
	case c.Role != "all" && c.DatabaseURL == "":
		return fmt.Errorf("role %s needs database_url: embedded storage has one process", c.Role)
	case c.Secret != "" && len(c.Secret) < 32:
		return fmt.Errorf("secret has fewer than 32 characters")
	case c.SessionIdle > c.SessionMax:
		return fmt.Errorf("session_idle is longer than session_max")
	}
	return nil
}

// parseFile reads lines "key = value"; '#' begins a comment line.
func parseFile(r io.Reader) (map[string]string, error) {
	out := map[string]string{}
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %d is not key = value", n)
		}
		out[strings.TrimSpace(k)] = strings.Trim(strings.TrimSpace(v), `"`)
	}
	return out, sc.Err()
}

// Value is one setting with its present value, for `config show`; a secret is shown as "(set)".
type Value struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Env   string `json:"env"`
	Doc   string `json:"doc"`
}

// Show lists every setting with its value; secrets stay hidden.
func (c *Config) Show() []Value {
	var out []Value
	for _, s := range Settings() {
		v := s.get(c)
		if s.Secret && v != "" {
			v = "(set)"
		}
		out = append(out, Value{Key: s.Key, Value: v, Env: s.Env(), Doc: s.Doc})
	}
	return out
}

// Markdown is docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Configuration · 配置\n\nBoot settings, taken from the first place that names them: command-line flag, environment variable, the file given by\n`--config` (lines `key = value`), default. This page is generated from `internal/base/config`; a test keeps it current.\n\n启动设置按以下顺序取值：命令行参数、环境变量、`--config` 指定的文件（每行 `key = value`）、默认值。\n\n| setting | flag | environment | kind | default | meaning · 含义 |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, s := range Settings() {
		def := s.Default
		if def == "" {
			def = "—"
		}
		fmt.Fprintf(&b, "| `%s` | `--%s` | `%s` | %s | %s | %s %s |\n", s.Key, s.Flag(), s.Env(), strings.ReplaceAll(s.Kind, "|", `\|`), def, s.Doc, s.DocZh)
	}
	return b.String()
}
