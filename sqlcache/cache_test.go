package sqlcache_test

import "testing"

const usersQuery = "SELECT name FROM users ORDER BY id"

func TestSecondReadIsAHit(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	expect(t, db, "miss", "ada; bob", usersQuery)
	expect(t, db, "hit", "ada; bob", usersQuery)
}

func TestWritesInvalidate(t *testing.T) {
	t.Parallel()
	for _, write := range []string{
		"INSERT INTO users VALUES (3, 'eve')",
		"UPDATE users SET name = 'eve' WHERE id = 1",
		"DELETE FROM users WHERE id = 2",
	} {
		t.Run(write, func(t *testing.T) {
			t.Parallel()
			db, bare := postgres(t, all)
			ask(t, db, usersQuery)
			do(t, db, write)
			expect(t, db, "miss", ask(t, bare, usersQuery), usersQuery)
		})
	}
}
