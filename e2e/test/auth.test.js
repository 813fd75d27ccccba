// @auth/upstash-redis-adapter: what Auth.js asks of its database.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstashRedisAdapter } from "@auth/upstash-redis-adapter";
import { connect, prefix } from "./env.js";

const adapter = UpstashRedisAdapter(connect(), { baseKeyPrefix: prefix });
const later = new Date(Date.now() + 3_600_000);

test("users, accounts and sessions", async () => {
  const user = await adapter.createUser({ email: "zoë@example.com", name: "Zoë", emailVerified: new Date(0) });
  assert.deepEqual(await adapter.getUser(user.id), user);
  assert.deepEqual(await adapter.getUserByEmail("zoë@example.com"), user);
  assert.equal(await adapter.getUserByEmail("nobody@example.com"), null);
  const updated = await adapter.updateUser({ id: user.id, name: "Zoe" });
  assert.deepEqual(updated, { ...user, name: "Zoe" });

  await adapter.linkAccount({ provider: "hub", providerAccountId: "77", userId: user.id, type: "oauth" });
  assert.deepEqual(await adapter.getUserByAccount({ provider: "hub", providerAccountId: "77" }), updated);

  const session = { sessionToken: "the-session", userId: user.id, expires: later };
  await adapter.createSession(session);
  assert.deepEqual(await adapter.getSessionAndUser("the-session"), { session, user: updated });
  const longer = new Date(later.getTime() + 1000);
  assert.deepEqual((await adapter.updateSession({ sessionToken: "the-session", expires: longer })).expires, longer);
  await adapter.deleteSession("the-session");
  assert.equal(await adapter.getSessionAndUser("the-session"), null);

  await adapter.unlinkAccount({ provider: "hub", providerAccountId: "77" });
  assert.equal(await adapter.getUserByAccount({ provider: "hub", providerAccountId: "77" }), null);
});

test("a verification token is used once", async () => {
  const token = { identifier: "zoë@example.com", token: "t-1", expires: later };
  await adapter.createVerificationToken(token);
  assert.deepEqual(await adapter.useVerificationToken({ identifier: token.identifier, token: "t-1" }), token);
  assert.equal(await adapter.useVerificationToken({ identifier: token.identifier, token: "t-1" }), null);
});

test("a deleted user is gone", async () => {
  const user = await adapter.createUser({ email: "gone@example.com", emailVerified: null });
  await adapter.linkAccount({ provider: "hub", providerAccountId: "78", userId: user.id, type: "oauth" });
  await adapter.createSession({ sessionToken: "gone", userId: user.id, expires: later });
  await adapter.deleteUser(user.id);
  assert.equal(await adapter.getUser(user.id), null);
  assert.equal(await adapter.getUserByEmail("gone@example.com"), null);
  assert.equal(await adapter.getSessionAndUser("gone"), null);
});
