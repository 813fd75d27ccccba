package analytics

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// hour is the length of a bucket.
const hour = time.Hour

// bucket is the beginning of t's hour, Unix ms.
func bucket(t time.Time) int64 {
	ms := t.UnixMilli()
	return ms - ms%hour.Milliseconds()
}

func key(prefix string, bucket int64) string {
	return prefix + ":events:" + strconv.FormatInt(bucket, 10)
}

var errReply = errors.New("analytics: the server answered in an unknown form")

func argumentError(field string, value any, allowed string) error {
	return fmt.Errorf("analytics: %s is %v; allowed: %s", field, value, allowed)
}
