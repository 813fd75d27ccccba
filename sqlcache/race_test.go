package sqlcache_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
)

var races = flag.Int64("races", 3000, "how many writes TestRaces makes")

// Several processes read and write the same rows, through the wrapper and past it, in
// transactions that are committed and rolled back. Some of them die between COMMIT and
// the invalidation. Nobody reads what is older than what was committed before, but for
// the push to another process.
func TestRaces(t *testing.T) {
	t.Parallel()
	postgres := pgtest.Database(t)
	pgtest.Do(t, postgres, raceSchema())
	redis := redistest.Start(t)

	var mu sync.Mutex // protects history
	var history []event
	record := func(events []event) {
		mu.Lock()
		defer mu.Unlock()
		history = append(history, events...)
	}
	run := func(process int, dieAt int64) (ended <-chan struct{}) {
		spawn := redistest.Spawn
		if dieAt > 0 {
			spawn = redistest.SpawnMortal
		}
		child := spawn(t, racerRole)
		r := racer{
			Process: process, Postgres: postgres, Redis: redis.URL(),
			Writes: *races / 3, Lanes: 8, DieAt: dieAt, Table: raceTables + process%mortalTables,
		}
		if err := json.NewEncoder(child.In).Encode(&r); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for lines := json.NewDecoder(bufio.NewReader(child.Out)); ; {
				var events []event
				if lines.Decode(&events) != nil {
					return
				}
				record(events)
			}
		}()
		return done
	}
	other := run(1, 0)
	here := racer{Postgres: postgres, Redis: redis.URL(), Writes: *races / 3, Lanes: 8, record: record}
	ended := make(chan error, 1)
	go func() { ended <- here.race(t.Context()) }()
	died := 0
	var err error
	for racing := true; racing; {
		select {
		case err = <-ended:
			racing = false
		case <-run(2+died, 100+int64(died)): // one after the other
			died++
		}
	}
	if err != nil {
		t.Error(err)
	}
	<-other

	mu.Lock()
	defer mu.Unlock()
	r := judge(history, larder.DefaultStalenessBound)
	for _, v := range r.violations[:min(len(r.violations), 10)] {
		t.Error(v)
	}
	kinds := map[eventKind]int{}
	for _, e := range history {
		kinds[e.Kind]++
	}
	t.Logf("%d writes, %d of them raced by a read of the same row; %d rows read, %d looked at; %d processes died; "+
		"%d stale; %d behind another process, %v at most",
		r.writes, r.races, kinds[read], kinds[looked], died, len(r.violations), r.behind, r.longest.Round(time.Microsecond))
	if died == 0 || r.races < int(*races)/4 {
		t.Error("too little has happened")
	}
}
