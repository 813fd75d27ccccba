package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

var (
	errNotCluster = errors.New("the server does not run in cluster mode")
	errIsCluster  = errors.New("the server runs in cluster mode")
	// errNotConnected stands for the end of a context that was not the
	// caller's: another call dialled for this one and gave up, or the dial timed out.
	errNotConnected = errors.New("no connection in time")
)

// fail converts an error that is not a reply to the command op.
func (c *client) fail(ctx context.Context, op string, err error) error {
	if c.life.over.Load() {
		return conn.ErrClosed
	}
	if cause := ended(ctx, err); cause != nil {
		return &conn.Error{Op: op, Err: cause}
	}
	return &conn.Error{Op: op, Err: clean(err)}
}

// ended returns the error of a context that has ended. The library notices a
// deadline by its own clock, perhaps a moment before the context does.
func ended(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	if errors.Is(err, context.DeadlineExceeded) {
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			return context.DeadlineExceeded
		}
	}
	return nil
}

// clean replaces the library's errors by ones that say the same in our terms.
func clean(err error) error {
	var re *rueidis.RedisError
	switch {
	case errors.As(err, &re):
		return &conn.ServerError{Text: fullText(re)} // to the login, or to a look at the topology
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errNotConnected
	case errors.Is(err, rueidis.ErrClosing):
		return net.ErrClosed
	}
	return err
}

// fullText undoes that the library cuts "ERR " off; other codes are capitals.
func fullText(re *rueidis.RedisError) string {
	s := re.Error()
	code, _, _ := strings.Cut(s, " ")
	if code != strings.ToUpper(code) || code == "AUTH" {
		return "ERR " + s
	}
	return s
}

// openError explains why a target could not be opened.
func openError(ctx context.Context, t target, err error) error {
	e := &conn.Error{Op: "open " + strings.Join(t.addrs, ",")}
	if cause := ctx.Err(); cause != nil {
		e.Err = cause
		return e
	}
	e.Err = clean(err)
	var cert *tls.CertificateVerificationError
	switch code := conn.Code(e.Err); {
	case code == "WRONGPASS", code == "NOAUTH", strings.HasPrefix(err.Error(), "AUTH "), strings.HasPrefix(err.Error(), "invalid password"):
		e.Hint = "check user and password"
	case errors.Is(err, errNotCluster) || strings.Contains(err.Error(), "cluster support disabled"):
		e.Err, e.Hint = errNotCluster, "use redis:// or rediss://"
	case errors.Is(err, errIsCluster):
		e.Hint = "use redis+cluster:// or rediss+cluster://"
	case errors.As(err, &cert):
		e.Hint = "trust its issuer with Options.TLS"
	}
	return e
}
