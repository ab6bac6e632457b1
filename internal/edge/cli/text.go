package cli

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/guanxi-crm/guanxi/internal/stat/text"
)

// texts works with what reads feedback; it needs no data of a workspace.
func (s *state) texts() *cobra.Command {
	var from, to string
	train := s.command("train", "text_train", cobra.NoArgs, func(*cobra.Command, []string) error {
		d, err := text.Load(from)
		if err != nil {
			return usage("%v", err)
		}
		l := text.Learn(d)
		for name, m := range map[string]*text.Model{"zh.bin": l.Chinese, "en.bin": l.English} {
			if err := os.WriteFile(filepath.Join(to, name), m.Bytes(), 0o600); err != nil {
				return err
			}
		}
		return s.print(map[string]any{"out": to, "measured": l.Reports})
	})
	train.Flags().StringVar(&from, "from", "", s.text("cli.flag_text_from"))
	train.Flags().StringVar(&to, "out", "", s.text("cli.flag_text_out"))
	_ = train.MarkFlagRequired("from")
	_ = train.MarkFlagRequired("out")
	reads := s.command("read TEXT", "text_read", cobra.ExactArgs(1), func(_ *cobra.Command, a []string) error {
		r := text.Read(a[0])
		about := []map[string]any{}
		for _, t := range r.Topics {
			about = append(about, map[string]any{"topic": t.Topic, "sentiment": t.Sentiment})
		}
		return s.print(map[string]any{"language": r.Language, "sentiment": r.Sentiment, "chance": r.Chance, "topics": about, "version": text.Version})
	})
	return s.group("text", train, reads)
}
