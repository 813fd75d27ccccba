// @upstash/query: documents and the indexes that it keeps with transactions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Query } from "@upstash/query";
import { connect, prefix } from "./env.js";

const query = new Query({ redis: connect({ automaticDeserialization: false }), prefix });
const people = query.createCollection("people");
const byCity = people.createIndex({ name: "city", terms: ["city"] });
const byCityAndTrade = people.createIndex({ name: "city-trade", terms: ["city", "trade"] });
const ids = (documents) => documents.map((d) => d.id).sort();

test("documents are stored, found and deleted", async () => {
  await people.set("1", { name: "Ada", city: "London", trade: "maths" });
  await people.set("2", { name: "Zoë", city: "Köln", trade: "maths" });
  await people.set("3", { name: "Li", city: "London", trade: "tea" });
  assert.deepEqual((await people.get("2")).data, { name: "Zoë", city: "Köln", trade: "maths" });
  assert.deepEqual(ids(await byCity.match({ city: "London" })), ["1", "3"]);
  assert.deepEqual(ids(await byCityAndTrade.match({ city: "London", trade: "tea" })), ["3"]);
  assert.deepEqual(await byCity.match({ city: "Rome" }), []);
  await people.update("3", { name: "Li", city: "Rome", trade: "tea" });
  assert.deepEqual(ids(await byCity.match({ city: "London" })), ["1"]);
  assert.deepEqual(ids(await byCity.match({ city: "Rome" })), ["3"]);
  await people.delete("1");
  assert.equal(await people.get("1"), null);
  assert.deepEqual(await byCity.match({ city: "London" }), []);
  assert.deepEqual(ids(await people.list()), ["2", "3"]);
  await byCity.reIndex();
  assert.deepEqual(ids(await byCity.match({ city: "Köln" })), ["2"]);
});
