package app

import (
	"context"
	"fmt"
	"time"

	"github.com/guanxi-crm/guanxi/internal/platform/blob"
	"github.com/guanxi-crm/guanxi/internal/platform/crypt"
	"github.com/guanxi-crm/guanxi/internal/record/attachment"
	"github.com/guanxi-crm/guanxi/internal/store/sqlstore"
)

// newFiles makes the files of the workspace. Their content lies in the data directory whichever store holds the records: several
// processes need a data directory that they share.
func (w *workspace) newFiles(keys *crypt.Keyring) (err error) {
	a := w.app
	if w.blobs, err = blob.Open(w.dir); err != nil {
		return err
	}
	w.files = attachment.New(attachment.Config{Store: sqlstore.Attachments{Store: w.store}, Records: w.records, Registry: w.registry, Blobs: w.blobs, Keys: keys, Clock: a.Clock, IDs: a.ids,
		MaxBytes: int64(a.Config.MaxFileMB) << 20, Log: a.Log})
	return nil
}

// uploadAtMost is how long another process may need from the first byte of a file to its row.
const uploadAtMost = 24 * time.Hour

// abandoned is the instant before which nobody is writing a file any more that has no row yet. A data directory that one process
// holds was abandoned by all others when it started.
func (w *workspace) abandoned() time.Time {
	if w.app.embedded() {
		return w.opened
	}
	return time.Now().Add(-uploadAtMost)
}

// sweepFiles removes what a crash left; the nightly pass does it again.
func (w *workspace) sweepFiles(ctx context.Context) error {
	if w.app.Config.Role == "api" {
		return nil
	}
	return w.files.Sweep(system(ctx), w.abandoned())
}

// checkFiles is the doctor's look at files.
func (w *workspace) checkFiles(ctx context.Context) (string, error) {
	r, err := w.files.Check(ctx, w.abandoned())
	if err == nil && r.Missing > 0 {
		err = fmt.Errorf("the content of %d of %d files is missing or not whole", r.Missing, r.Files)
	}
	return fmt.Sprintf("%d files, %d left over", r.Files, r.Orphans), err
}
