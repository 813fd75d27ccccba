// drizzle-orm with upstashCache over PostgreSQL (PGlite, in this process).
import assert from "node:assert/strict";
import { test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { eq } from "drizzle-orm";
import { upstashCache } from "drizzle-orm/cache/upstash";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/pglite";
import { connect, token, url } from "./env.js";

const users = pgTable("users", { id: serial("id").primaryKey(), name: text("name").notNull(), age: integer("age") });

test("queries are cached, and a mutation through drizzle ends that", async (t) => {
  const pg = new PGlite();
  t.after(() => pg.close());
  await pg.exec("CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, age integer)");
  const db = drizzle(pg, { cache: upstashCache({ url, token, global: true, config: { ex: 60 } }) });

  // Servers before Redis 7.4 have no expiry of hash fields, which the cache uses.
  const hexpires = await connect().hexpire("no-such-hash", "field", 1).then(() => true, (err) => {
    assert.match(err.message, /HEXPIRE|unknown command/i);
    return false;
  });
  await db.insert(users).values({ name: "Ada", age: 36 });
  const read = () => db.select().from(users).where(eq(users.name, "Ada"));
  if (!hexpires) {
    assert.notEqual(process.env.LARDER_ENGINE, "embedded");
    await assert.rejects(read, (err) => /HEXPIRE|unknown command/i.test(`${err.message} ${err.cause?.message}`));
    return;
  }
  assert.deepEqual(await read(), [{ id: 1, name: "Ada", age: 36 }]);
  await pg.exec("UPDATE users SET age = 1"); // behind its back
  assert.deepEqual(await read(), [{ id: 1, name: "Ada", age: 36 }], "from the cache");
  await db.update(users).set({ age: 37 }).where(eq(users.id, 1));
  assert.deepEqual(await read(), [{ id: 1, name: "Ada", age: 37 }], "after the mutation");

  const tagged = () => db.select().from(users).$withCache({ tag: "all-users", config: { ex: 60 } });
  assert.equal((await tagged()).length, 1);
  await pg.exec("INSERT INTO users (name) VALUES ('Zoë')");
  assert.equal((await tagged()).length, 1, "from the cache");
  await db.$cache.invalidate({ tags: "all-users" });
  assert.equal((await tagged()).length, 2, "after the invalidation by tag");
});
