package dialect

import (
	"context"
	"errors"

	"github.com/guanxi-crm/guanxi/internal/base/fault"
)

// Class is what a driver's error means.
type Class uint8

// The classes.
const (
	Other       Class = iota // anything else: a defect or a failure of the machine
	Unique                   // a primary or unique key exists already
	DiskFull                 // no room for the write
	Busy                     // another process holds the database, or a lock was not granted in time
	Contention               // a serialization failure or a deadlock: nothing was done, the transaction may be run again
	Closed                   // the database or the connection is closed
	Refused                  // the database cannot be reached
	Unsupported              // the database cannot do this at all
)

// Codes of the faults that storage makes.
const (
	CodeUnique     = "store.duplicate"
	CodeDiskFull   = "store.disk_full"
	CodeBusy       = "store.busy"
	CodeContention = "store.contention"
	CodeClosed     = "store.closed"
	CodeRefused    = "store.unreachable"
	CodeFailed     = "store.failed"
	CodeRefuses    = "store.not_on_citus"
)

// Fault makes the fault of a class. An error that is a fault already, and the ends of a context, pass unchanged.
func Fault(c Class, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.Find(err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch c {
	case Unique:
		return fault.Wrap(fault.Conflict, CodeUnique, err)
	case DiskFull:
		return fault.Wrap(fault.Unavailable, CodeDiskFull, err)
	case Busy:
		return fault.Wrap(fault.Unavailable, CodeBusy, err)
	case Contention:
		return fault.Wrap(fault.Unavailable, CodeContention, err)
	case Closed:
		return fault.Wrap(fault.Unavailable, CodeClosed, err)
	case Refused:
		return fault.Wrap(fault.Unavailable, CodeRefused, err)
	case Unsupported:
		return fault.Wrap(fault.Invalid, CodeRefuses, err)
	default:
		return fault.Wrap(fault.Internal, CodeFailed, err)
	}
}
