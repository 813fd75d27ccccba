// Cacheaside asks the cache first and the database where the cache has nothing.
//
// The entry is an object around the value, so that 0, "" and "there is no such
// user" are hits too; with `if (cached)` they would be asked for each time. An
// error of the cache is no error of the request. Open: callers that miss at the
// same time all ask the database, and a value that was read before an invalidation
// may be stored after it, and then lives for a TTL.
import { redis, unique } from "./client.js";

type User = { id: string; name: string };
type Entry<T> = { value: T | null };

const database = new Map<string, User>([["1", { id: "1", name: "Ada" }]]);
let queries = 0;

async function cached<T>(key: string, seconds: number, load: () => Promise<T | null>): Promise<T | null> {
  const hit = await redis.get<Entry<T>>(key).catch(() => null);
  if (hit) return hit.value;
  const value = await load();
  // What is absent may soon be there: it is remembered for a shorter time.
  const ex = value === null ? Math.min(seconds, 10) : seconds;
  await redis.set(key, { value } satisfies Entry<T>, { ex }).catch(() => null);
  return value;
}

const user = (id: string) =>
  cached<User>(`${unique}:user:${id}`, 300, async () => {
    queries++;
    return database.get(id) ?? null;
  });

console.log((await user("1"))?.name, (await user("1"))?.name, "queries:", queries);
console.log(await user("2"), await user("2"), "queries:", queries);

// Output:
// Ada Ada queries: 1
// null null queries: 2
