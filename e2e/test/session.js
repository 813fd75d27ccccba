// Who is logged in by each session id, one a line on standard input; prints a list
// of users, null for nobody. See ../session_test.go; the function stands in
// docs/session.md.
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { connect } from "./env.js";

const redis = connect();

async function userOf(id) {
  if (!/^[A-Za-z0-9_-]{59}$/.test(id)) return null;
  const prefix = `session:{${id.slice(0, 16)}}:`;
  const hash = createHash("sha256").update(id).digest("hex");
  const [s, gen] = await redis.mget(prefix + hash, prefix + "generation");
  return s && s.user && s.gen === gen ? s.user : null;
}

const ids = (await text(process.stdin)).split("\n");
console.log(JSON.stringify(await Promise.all(ids.map(userOf))));
