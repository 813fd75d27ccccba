// Package strategy keeps a service's caching strategy as code: every cache, limiter,
// session store and topic is declared, the declarations are checked when they are made,
// and they are published in Redis, where anybody can read them as one document.
//
//	registry, err := strategy.New(c, strategy.Options{Service: "shop"})
//	…
//	defer registry.Close()
//	err = registry.Declare(users, strategy.About{ // users is a *larder.Cache
//		Purpose:      "profiles, for every page's header",
//		Owner:        "accounts",
//		Why:          "a profile changes about once a month; five minutes spare 99 % of the reads",
//		Staleness:    "none after a change that went through Users.Save",
//		Invalidation: "Users.Save calls Invalidate(id) after the commit",
//		Source:       []string{"PostgreSQL: users"},
//	})
//
// What the options of a feature say (prefix, TTL, tags, policy) comes from the feature
// itself, by its method Describe, so the document cannot drift away from the code. The
// developer adds what no code says: why, for whom, and how an entry is invalidated.
//
// Any tool reads the document of the whole fleet with nothing but a connection:
//
//	doc, err := strategy.Read(ctx, c)
//	…
//	fmt.Print(doc.Markdown())
//
// "larder strategy" prints it, and what has changed since it was last saved.
//
// # Concurrency
//
// A Registry is safe for concurrent use. It owns one goroutine, which publishes what was
// declared and renews it while the process lives; Close ends it and waits. A Document is
// a copy that nobody else has; reading it from several goroutines is safe.
//
// # Failure
//
// Declare does no I/O and fails only because of what was declared; its error says what to
// write instead. While Redis is away nothing is lost: publishing is tried again until it
// succeeds. A process that dies is seen no more after three renewals, what it declared
// is kept for Options.Keep. Nothing of a declaration affects how a feature works.
package strategy
