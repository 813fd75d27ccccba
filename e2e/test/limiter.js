// The limiter that a Go process shares: see ../limit_test.go.
import { Ratelimit } from "@upstash/ratelimit";
import { connect } from "./env.js";

const long = "1000 d";

export const limiterOf = (name, prefix, limit) =>
  new Ratelimit({
    redis: connect(),
    prefix,
    limiter: name === "tokenBucket" ? Ratelimit.tokenBucket(1, long, limit) : Ratelimit[name](limit, long),
    analytics: true,
    ephemeralCache: new Map(),
    timeout: 0,
  });
