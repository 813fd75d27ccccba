package redisconn

import (
	"sync"

	"github.com/larder-go/larder/conn"
)

// scatter groups items by one of n shards, runs the groups at the same time and
// puts their results in the order of items.
func scatter[T any](n int, items []T, shardOf func(T) int, run func(shard int, items []T) []conn.Result) []conn.Result {
	groups, at := make([][]T, n), make([][]int, n)
	for i, item := range items {
		g := shardOf(item)
		groups[g], at[g] = append(groups[g], item), append(at[g], i)
	}
	results := make([]conn.Result, len(items))
	work := func(g int) {
		for j, r := range run(g, groups[g]) {
			results[at[g][j]] = r
		}
	}
	last := -1
	var wg sync.WaitGroup
	for g := range groups {
		if len(groups[g]) == 0 {
			continue
		}
		if last >= 0 {
			wg.Go(func() { work(g) })
		} else {
			last = g // runs here: one group needs no goroutine
		}
	}
	if last >= 0 {
		work(last)
	}
	wg.Wait()
	return results
}
