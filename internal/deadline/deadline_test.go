package deadline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type key struct{}

func TestContextEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = time.Second
		s := New(timeout)
		for i := range 40 {
			parent := context.WithValue(t.Context(), key{}, i)
			start := time.Now()
			ctx := s.Context(parent)
			if ctx.Value(key{}) != i {
				t.Fatal("the parent's values are lost")
			}
			time.Sleep(70 * time.Millisecond) // the next one begins elsewhere in the slot
			go func() {
				<-ctx.Done()
				took := time.Since(start)
				if took < timeout*3/4 || took > timeout || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
					t.Errorf("call %d ended after %v with %v", i, took, ctx.Err())
				}
			}()
		}
		time.Sleep(2 * timeout)
		synctest.Wait()
	})
}

func TestParentEndsEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(time.Second)
		parent, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		<-s.Context(parent).Done()
		if took := time.Since(start); took != 50*time.Millisecond {
			t.Errorf("ended after %v, want the parent's 50ms", took)
		}
		cancelled, cancel := context.WithCancel(context.Background())
		ctx := s.Context(cancelled)
		if ctx.Err() != nil {
			t.Error(ctx.Err())
		}
		cancel()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("error %v, want the parent's", ctx.Err())
		}
		<-ctx.Done()
	})
}

func BenchmarkContext(b *testing.B) {
	parent := b.Context()
	s := New(250 * time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Context(parent).Err()
	}
}
