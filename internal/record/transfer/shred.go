package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
	"github.com/guanxi-crm/guanxi/internal/base/id"
	"github.com/guanxi-crm/guanxi/internal/model/access"
)

// Shred removes the kept files of imports that ended, with their keys: of those named, of those that hold one of the texts, and of
// those that cannot be searched (workbooks and other packed files). Their results stay; rejected lines are named by number alone
// from then on. Each is told to gone under a name that says nothing, before it is saved so; waiting counts uploads that nobody has started and that are left alone. It belongs to the program alone.
func (s *Service) Shred(ctx context.Context, named []id.ID, texts []string, gone func(*Job) error) (removed, waiting int, err error) {
	if access.From(ctx).Kind != access.BySystem {
		return 0, 0, fault.New(fault.Forbidden, "record.forbidden", fault.Params{"right": string(access.PrivacyManage)})
	}
	jobs, err := s.cfg.Store.ListJobs(ctx, shredAtMost)
	if err != nil {
		return 0, 0, err
	}
	for _, j := range jobs {
		if j.State.Expired {
			continue
		}
		if j.Status.Active() || j.Status == Uploaded || j.Status == Checked {
			waiting++
			continue
		}
		held := slices.Contains(named, j.ID)
		if !held {
			if held, err = s.holds(j, texts); err != nil {
				return removed, waiting, err
			}
		}
		if !held {
			continue
		}
		if err := s.files.remove(j.ID); err != nil {
			return removed, waiting, err
		}
		j.State.Expired, j.State.FileKey = true, nil
		j.FileName = "\u2026" + filepath.Ext(j.FileName) // it may be the person's
		if err := gone(j); err != nil {
			return removed, waiting, err
		}
		if err := s.cfg.Store.SaveJob(ctx, j, j.Status); err != nil {
			return removed, waiting, err
		}
		removed++
	}
	return removed, waiting, nil
}

// shredAtMost is how many imports back kept files are looked for; they expire long before there are so many.
const shredAtMost = 10_000

// searchAtOnce is how much of a file is looked at at a time.
const searchAtOnce = 1 << 20

// holds reports whether a kept file has one of the texts in it, or may have.
func (s *Service) holds(j *Job, texts []string) (bool, error) {
	f, err := s.files.open(j)
	if fault.CodeOf(err) == "import.file_gone" {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	buf := make([]byte, searchAtOnce)
	overlap := 0
	for off := int64(0); ; {
		n, err := f.ReadAt(buf[overlap:], off)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		part := buf[:overlap+n]
		if off == 0 && packed(part) {
			return true, nil
		}
		for _, t := range texts {
			if bytes.Contains(bytes.ToLower(part), bytes.ToLower([]byte(t))) {
				return true, nil
			}
		}
		if err != nil || n == 0 {
			return false, nil
		}
		off += int64(n)
		keep := min(len(part), 256)
		copy(buf, part[len(part)-keep:])
		overlap = keep
	}
}

// packed reports a file whose bytes are not its text: packed, or of two bytes a character.
func packed(head []byte) bool {
	for _, magic := range []string{"PK", "PAR1", "\x1f\x8b", "\x28\xb5\x2f\xfd", "\xff\xfe", "\xfe\xff", "\xd0\xcf\x11\xe0"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}
