package ratelimit

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/conn"
)

// awayRetry is what AwayDeny tells callers to wait.
const awayRetry = time.Second

// unable are the replies of a server that cannot decide at the moment, whatever it
// is asked.
var unable = map[string]bool{
	"LOADING": true, "CLUSTERDOWN": true, "MASTERDOWN": true, "TRYAGAIN": true, "READONLY": true,
	"OOM": true, "BUSY": true, "MISCONF": true, "NOREPLICAS": true, "UNBLOCKED": true,
}

func unreachable(err error) bool {
	return errors.Is(err, conn.ErrUnavailable) || unable[conn.Code(err)]
}

// withoutRedis decides where the store has failed.
func (l *Limiter) withoutRedis(ctx context.Context, q *query, err error) (Decision, error) {
	if ended := ctx.Err(); ended != nil {
		return Decision{}, ended
	}
	// A refund asks for no permission: the caller must know that it was not made.
	if !unreachable(err) || q.cost < 0 {
		return Decision{}, err
	}
	if !l.away.Swap(true) {
		l.opts.Logger.WarnContext(ctx, "rate limits: Redis does not answer, Options.Away decides", "error", err)
	}
	d := Decision{Reason: ReasonUnavailable}
	if errors.Is(err, context.DeadlineExceeded) {
		d.Reason = ReasonTimeout
	}
	switch l.opts.Away {
	case AwayAllow:
		d.Allowed = true
	case AwayDeny:
		d.RetryAfter = awayRetry
	default:
		r, _ := l.local.decide(ctx, q)
		reason := d.Reason
		d = l.local.algorithm.decision(r, q.cost, q.now)
		d.Reason = reason
	}
	return d, nil
}

// redisAnswers ends an outage.
func (l *Limiter) redisAnswers() {
	if l.away.Load() && l.away.Swap(false) {
		l.opts.Logger.Info("rate limits: Redis answers again")
	}
}
