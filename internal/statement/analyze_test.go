package statement

import (
	"strings"
	"testing"
)

// TestLimits checks that what is too large is refused, and what is just not is read.
func TestLimits(t *testing.T) {
	nested := func(n int, open, inner, shut string) string {
		return "SELECT " + strings.Repeat(open, n) + inner + strings.Repeat(shut, n)
	}
	from := func(n int) string {
		var b strings.Builder
		b.WriteString("SELECT 1 FROM t")
		for i := range n - 1 {
			b.WriteString(", t" + strings.Repeat("x", i%50) + string(rune('a'+i/50)))
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		sql  string
		want Kind
	}{
		"brackets":      {nested(150, "(", "1", ")"), Select},
		"many brackets": {nested(201, "(", "1", ")"), Unknown},
		"cases":         {nested(150, "CASE WHEN ", "a", " THEN 1 END"), Select},
		"many cases":    {nested(201, "CASE WHEN ", "a", " THEN 1 END"), Unknown},
		"queries":       {nested(90, "(SELECT ", "1", ")"), Select},
		"many queries":  {nested(201, "(SELECT ", "1", ")"), Unknown},
		"signs":         {nested(10_000, "- ", "1", ""), Select},
		"operands":      {nested(10_000, "1 + ", "1", ""), Select},
		"explain":       {strings.Repeat("EXPLAIN ANALYZE ", 300) + "SELECT 1", Unknown},
		"tables":        {from(256), Select},
		"many tables":   {from(257), Unknown},
		"text":          {"SELECT '" + strings.Repeat("a", maxBytes-9) + "'", Select},
		"large text":    {"SELECT '" + strings.Repeat("a", maxBytes-8) + "'", Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s := Analyze(c.sql); s.Kind != c.want {
				t.Errorf("%s: %s, want %s", name, describe(s), kindNames[c.want])
			}
		})
	}
}

// TestUnprintable checks texts that the corpus cannot hold.
func TestUnprintable(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1\x00":                "unknown (a NUL byte)",
		"SELECT '\xff'":               "unknown (the text is not UTF-8)",
		"SELECT 1 -- a\rDELETE":       "unknown (a carriage return in a comment)",
		"SELECT 1 -- a\r\n":           "select",
		"\ufeffSELECT 1":              "unknown (a statement of a kind that is not known)",
		"SELECT\v1":                   "unknown (a character without meaning)",
		"\tSELECT\f1\r\n":             "select",
		"SELECT a FROM t WHERE b=\\c": "unknown (a character without meaning)",
	} {
		if got := describe(Analyze(sql)); got != want {
			t.Errorf("%q\n got %s\nwant %s", sql, got, want)
		}
	}
}

func TestMoving(t *testing.T) {
	for s, want := range map[string]bool{
		"now": true, "NOW": true, " today ": true, "tomorrow 10:00": true, "[yesterday,)": true,
		`{"now"}`: true, "today1000": true, "2000-01-01": false, "nowhere": false, "": false,
		"allballs": false, "infinity": false, "snow": false, "yesterday's": true,
	} {
		if got := Moving(s); got != want {
			t.Errorf("Moving(%q) = %v, want %v", s, got, want)
		}
	}
}

func BenchmarkAnalyze(b *testing.B) {
	for name, sql := range map[string]string{
		"lookup": `SELECT * FROM "users" WHERE "users"."id" = $1 AND "users"."deleted_at" IS NULL ORDER BY "users"."id" LIMIT $2`,
		"write":  `INSERT INTO "users" ("id","name","age") VALUES ($1,$2,$3) ON CONFLICT ("id") DO UPDATE SET "name"="excluded"."name" RETURNING "id"`,
		"cte":    `WITH regional AS (SELECT region, SUM(amount) AS total FROM orders GROUP BY region), top AS (SELECT region FROM regional WHERE total > (SELECT SUM(total) / 10 FROM regional)) SELECT region, product, SUM(quantity) AS units FROM orders WHERE region IN (SELECT region FROM top) GROUP BY region, product ORDER BY 3 DESC LIMIT 20`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if s := Analyze(sql); s.Kind == Unknown {
					b.Fatal(s.Why)
				}
			}
		})
	}
	long := "INSERT INTO t VALUES " + strings.Repeat("($1, 'some text', 17), ", 40_000) + "(1)"
	b.Run("long", func(b *testing.B) {
		b.SetBytes(int64(len(long)))
		for b.Loop() {
			if s := Analyze(long); s.Kind == Unknown {
				b.Fatal(s.Why)
			}
		}
	})
}
