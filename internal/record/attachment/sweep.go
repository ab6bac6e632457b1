package attachment

import (
	"context"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
)

const atOnce = 500

// Sweep removes content without a row and uploads that broke off, as far as they are from before an instant at which nobody was
// writing them any more, and files whose time in the bin is over or whose record is gone. While a backup reads, it does nothing.
func (s *Service) Sweep(ctx context.Context, before time.Time) error {
	done, err := s.cfg.Blobs.Clean(func() error { return s.sweep(ctx, before) })
	if err == nil && !done {
		s.cfg.Log.InfoContext(ctx, "files are swept later: they are being backed up")
	}
	if err != nil {
		return fmt.Errorf("sweep files: %w", err)
	}
	return nil
}

func (s *Service) sweep(ctx context.Context, before time.Time) error {
	for {
		names, err := s.cfg.Store.ForgetFiles(ctx, s.cfg.Registry().Tables(), s.cfg.Clock.Now().Add(-TrashFor), s.cfg.Clock.Now().Add(-UploadFor), atOnce)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := s.cfg.Blobs.Remove(name); err != nil {
				return err
			}
		}
		if len(names) == 0 {
			break
		}
	}
	if err := s.cfg.Blobs.DropTemps(before); err != nil {
		return err
	}
	return s.orphans(ctx, before, s.cfg.Blobs.Remove)
}

func (s *Service) orphans(ctx context.Context, before time.Time, visit func(name string) error) error {
	return s.cfg.Blobs.Each(ctx, before, func(names []string) error {
		known, err := s.cfg.Store.KnownBlobs(ctx, names)
		if err != nil {
			return err
		}
		for _, name := range names {
			if known[name] {
				continue
			}
			if err := visit(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Report is what Check found.
type Report struct {
	Files   int
	Missing int // rows whose content is not there, or not whole
	Orphans int // content without a row, which the next sweep removes
}

// Check compares rows and content. Content from after an instant may still be waiting for its row and is not counted.
func (s *Service) Check(ctx context.Context, before time.Time) (Report, error) {
	var out Report
	for last := id.ID(0); ; {
		list, err := s.cfg.Store.EachFile(ctx, last, atOnce)
		if err != nil {
			return out, err
		}
		for i := range list {
			size, err := s.cfg.Blobs.Size(list[i].Blob)
			if err != nil {
				return out, err
			}
			whole := size == crypt.SealedSize(list[i].Size)
			if list[i].Thumb != "" && whole {
				if size, err = s.cfg.Blobs.Size(list[i].Thumb); err != nil {
					return out, err
				}
				whole = size >= 0
			}
			if !whole {
				out.Missing++
			}
			last = list[i].ID
		}
		out.Files += len(list)
		if len(list) < atOnce {
			break
		}
	}
	err := s.orphans(ctx, before, func(string) error { out.Orphans++; return nil })
	return out, err
}
