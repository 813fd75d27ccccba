// Invalidate removes entries by key, by prefix and by tag.
//
// By prefix: SCAN in steps, not KEYS, which keeps the server from everybody else
// while it looks through all keys. By tag: the set of a tag's keys expires with
// the last of them, or it would grow for ever, and one script removes the set and
// what it names, so that no entry is added in between and forgotten. The script
// finds out its keys as it runs, so it is not for a cluster.
import { redis, unique } from "./client.js";

const seconds = 300;

async function byPrefix(prefix: string): Promise<number> {
  let removed = 0;
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, { match: `${prefix}*`, count: 500 });
    if (keys.length > 0) removed += await redis.unlink(...keys);
    cursor = next;
  } while (cursor !== "0");
  return removed;
}

const tagKey = (tag: string) => `${unique}:tag:${tag}`;

async function setTagged(key: string, value: unknown, tags: string[]): Promise<void> {
  const tx = redis.multi(); // all or nothing: an entry without its tag stays for ever
  tx.set(key, value, { ex: seconds });
  for (const tag of tags) {
    tx.sadd(tagKey(tag), key);
    tx.expire(tagKey(tag), seconds);
  }
  await tx.exec();
}

const removeTag = redis.createScript<number>(`
  local removed = 0
  for _, key in ipairs(redis.call("SMEMBERS", KEYS[1])) do
    removed = removed + redis.call("UNLINK", key)
  end
  redis.call("DEL", KEYS[1])
  return removed`);
const byTag = (tag: string) => removeTag.exec([tagKey(tag)], []);

await redis.set(`${unique}:user:1`, "Ada", { ex: seconds });
console.log("by key:", await redis.unlink(`${unique}:user:1`));

await Promise.all([1, 2, 3].map((id) => redis.set(`${unique}:user:${id}`, id, { ex: seconds })));
await redis.set(`${unique}:order:1`, 1, { ex: seconds });
console.log("by prefix:", await byPrefix(`${unique}:user:`), "left:", await redis.exists(`${unique}:order:1`));

await setTagged(`${unique}:page:1`, "one", ["shop", "news"]);
await setTagged(`${unique}:page:2`, "two", ["shop"]);
await setTagged(`${unique}:page:3`, "three", ["news"]);
console.log("by tag:", await byTag("shop"), "left:", await redis.get(`${unique}:page:3`));

// Output:
// by key: 1
// by prefix: 3 left: 1
// by tag: 2 left: three
