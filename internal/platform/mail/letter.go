package mail

import (
	"html/template"
	"strings"
)

// Letter is a mail of the program: a title, some sentences, facts, one button. Both its forms say the same.
type Letter struct {
	Locale     string // zh-CN or en
	Workspace  string // its name, at the top
	Title      string
	Paragraphs []string
	Facts      []Fact
	Items      []Entry // a list of links, of a digest
	Button     Link    // none when it has no label
	// Small stands at the foot: why somebody gets this.
	Small []string
	Stop  Link // at the very end; none when it has no label
}

// Fact is a line "label: value".
type Fact struct{ Label, Value string }

// Link leads somewhere.
type Link struct{ Label, URL string }

// Entry is one line of a list.
type Entry struct {
	Link
	Note string
}

// Message fills a message with the letter in both forms.
func (l Letter) Message(m Message) Message {
	m.Text, m.HTML = l.Text(), l.HTML()
	return m
}

// Text is the letter for programs that show no HTML.
func (l *Letter) Text() string {
	var b strings.Builder
	line := func(s string) {
		b.WriteString(s)
		b.WriteByte('\n')
	}
	line(l.Title)
	for _, p := range l.Paragraphs {
		line("\n" + p)
	}
	if len(l.Facts) > 0 {
		line("")
	}
	for _, f := range l.Facts {
		line(f.Label + l.colon() + f.Value)
	}
	for _, e := range l.Items {
		line("\n- " + e.Label)
		if e.Note != "" {
			line("  " + e.Note)
		}
		if e.URL != "" {
			line("  " + e.URL)
		}
	}
	if l.Button.Label != "" {
		line("\n" + l.Button.Label + l.colon() + "\n" + l.Button.URL)
	}
	line("\n-- ")
	line(l.Workspace)
	for _, s := range l.Small {
		line(s)
	}
	if l.Stop.Label != "" {
		line(l.Stop.Label + l.colon() + " " + l.Stop.URL)
	}
	return b.String()
}

func (l *Letter) colon() string {
	if l.Locale == "en" {
		return ": "
	}
	return "："
}

// HTML is the letter as a page: tables and styles in place, as mail programs understand them, dark where the reader likes it.
func (l *Letter) HTML() string {
	var b strings.Builder
	if err := page.Execute(&b, l); err != nil {
		return "" // the text is sent alone
	}
	return b.String()
}

var page = template.Must(template.New("letter").Parse(`<!DOCTYPE html>
<html lang="{{.Locale}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>{{.Title}}</title>
<style>
@media (prefers-color-scheme: dark) {
  .bg { background: #14161a !important; } .card { background: #1d2025 !important; border-color: #31353c !important; }
  .ink { color: #e9ebee !important; } .soft { color: #a3a9b3 !important; } .line { border-color: #31353c !important; } .link { color: #6fd6c3 !important; }
}
@media (max-width: 480px) { .pad { padding: 20px !important; } }
</style></head>
<body class="bg" style="margin:0;padding:0;background:#f4f5f7;-webkit-text-size-adjust:100%">
<table role="presentation" class="bg" width="100%" cellpadding="0" cellspacing="0" style="background:#f4f5f7"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif">
<tr><td class="soft" style="padding:0 4px 12px;font-size:13px;line-height:20px;color:#5f6672">{{.Workspace}}</td></tr>
<tr><td class="card pad" style="background:#ffffff;border:1px solid #e2e5ea;border-radius:10px;padding:32px">
<h1 class="ink" style="margin:0 0 16px;font-size:20px;line-height:28px;font-weight:600;color:#1b1e23">{{.Title}}</h1>
{{range .Paragraphs}}<p class="ink" style="margin:0 0 14px;font-size:15px;line-height:24px;color:#1b1e23;white-space:pre-line">{{.}}</p>
{{end}}{{if .Facts}}<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:4px 0 18px">
{{range .Facts}}<tr><td class="soft line" style="padding:7px 12px 7px 0;font-size:14px;line-height:20px;color:#5f6672;border-top:1px solid #eceef1;white-space:nowrap;vertical-align:top">{{.Label}}</td>
<td class="ink line" width="100%" style="padding:7px 0;font-size:14px;line-height:20px;color:#1b1e23;border-top:1px solid #eceef1">{{.Value}}</td></tr>
{{end}}</table>
{{end}}{{range .Items}}<div class="line" style="padding:10px 0;border-top:1px solid #eceef1;font-size:15px;line-height:22px">
{{if .URL}}<a class="link" href="{{.URL}}" style="color:#0b6e60;text-decoration:none">{{.Label}}</a>{{else}}<span class="ink" style="color:#1b1e23">{{.Label}}</span>{{end}}
{{if .Note}}<div class="soft" style="font-size:13px;line-height:20px;color:#5f6672">{{.Note}}</div>{{end}}</div>
{{end}}{{if .Button.Label}}<table role="presentation" cellpadding="0" cellspacing="0" style="margin:20px 0 6px"><tr><td style="border-radius:8px;background:#0b6e60">
<a href="{{.Button.URL}}" style="display:inline-block;padding:11px 22px;font-size:15px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none">{{.Button.Label}}</a></td></tr></table>
<p class="soft" style="margin:10px 0 0;font-size:12px;line-height:18px;color:#5f6672;word-break:break-all">{{.Button.URL}}</p>
{{end}}</td></tr>
<tr><td class="soft" style="padding:14px 4px 0;font-size:12px;line-height:19px;color:#5f6672">{{range .Small}}<div>{{.}}</div>{{end}}{{if .Stop.Label}}<a class="soft" href="{{.Stop.URL}}" style="color:#5f6672">{{.Stop.Label}}</a>{{end}}</td></tr>
</table></td></tr></table></body></html>
`))
