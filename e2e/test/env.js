// What the files of tests share: where the gateway is, and names of their own.
import { randomUUID } from "node:crypto";
import { Redis } from "@upstash/redis";

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see doc.go`);
  return value;
};

export const url = need("UPSTASH_REDIS_REST_URL");
export const token = need("UPSTASH_REDIS_REST_TOKEN");

// All files use one server at a time, so each begins its keys with a prefix.
export const prefix = `e2e:${randomUUID()}:`;

export const connect = (options = {}) => new Redis({ url, token, ...options });

// within fails instead of waiting forever. The limit says nothing about speed.
export const within = (promise, what, limit = 30_000) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${limit} ms`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

// Gathered collects what is pushed to it and lets others wait for it.
export class Gathered {
  #items = [];
  #waiting = [];

  push(item) {
    this.#items.push(item);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.#items.length < count) return true;
      resolve([...this.#items]);
      return false;
    });
  }

  // until resolves to all items as soon as there are so many.
  until(count, what) {
    if (this.#items.length >= count) return Promise.resolve([...this.#items]);
    return within(new Promise((resolve) => this.#waiting.push({ count, resolve })), what);
  }
}

// listening resolves when a subscriber of @upstash/redis is subscribed.
export const listening = (subscriber, event = "subscribe") =>
  within(
    new Promise((resolve, reject) => {
      subscriber.on(event, resolve);
      subscriber.on("error", reject);
    }),
    event,
  );
