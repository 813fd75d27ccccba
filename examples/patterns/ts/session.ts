// Session keeps who is logged in. The cookie holds a random token and Redis its
// digest, so that who reads the database cannot log in as anybody. Reading moves
// the end of the session on, up to a limit that nothing moves. All sessions of a
// user are in a set, or "log out everywhere" could not find them.
import { createHash, randomBytes } from "node:crypto";
import { redis, unique } from "./client.js";

type Session = { user: string; until: number };

const idle = 30 * 60; // seconds without a request
const longest = 7 * 24 * 60 * 60; // seconds altogether

const sessionKey = (token: string) =>
  `${unique}:session:${createHash("sha256").update(token).digest("base64url")}`;
const userKey = (user: string) => `${unique}:sessions-of:${user}`;

async function create(user: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  const session: Session = { user, until: Date.now() + longest * 1000 };
  const tx = redis.multi();
  tx.set(sessionKey(token), session, { ex: idle });
  tx.sadd(userKey(user), sessionKey(token));
  tx.expire(userKey(user), longest);
  await tx.exec();
  return token;
}

async function read(token: string): Promise<Session | null> {
  const session = await redis.get<Session>(sessionKey(token));
  if (!session) return null;
  const left = Math.floor((session.until - Date.now()) / 1000);
  if (left <= 0) return null;
  await redis.expire(sessionKey(token), Math.min(idle, left));
  return session;
}

async function destroy(token: string, user: string): Promise<void> {
  await redis.multi().del(sessionKey(token)).srem(userKey(user), sessionKey(token)).exec();
}

async function destroyAll(user: string): Promise<number> {
  const keys = await redis.smembers(userKey(user));
  return keys.length === 0 ? 0 : (await redis.unlink(userKey(user), ...keys)) - 1;
}

const [phone, laptop, tablet] = [await create("ada"), await create("ada"), await create("ada")];
console.log((await read(phone))?.user, await read("a guess"));
await destroy(phone, "ada");
console.log(await read(phone), (await read(laptop))?.user);
console.log("logged out:", await destroyAll("ada"), await read(laptop), await read(tablet));

// Output:
// ada null
// null ada
// logged out: 2 null null
