-- Takes tokens out of a bucket that is refilled in steps.
--
-- KEYS[1]  the bucket: a hash of refilledAt (Unix ms) and tokens
-- ARGV[4]  cost; negative gives back
-- ARGV[5]  interval between refills in ms
-- ARGV[6]  tokens for each refill
-- ARGV[7]  now, Unix ms
-- Returns  {1 if allowed, else 0; limit; tokens; refilledAt}
local cost, interval, rate, now = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local bucket = redis.call('HMGET', KEYS[1], 'refilledAt', 'tokens')
local refilled, tokens = tonumber(bucket[1] or ''), tonumber(bucket[2] or '')
if not refilled or not tokens then
  refilled, tokens = now, limit
end
if now >= refilled + interval then
  local n = math.floor((now - refilled) / interval)
  tokens = math.min(limit, tokens + n * rate)
  refilled = refilled + n * interval
end
if cost > 0 and tokens < cost then
  return {0, limit, tokens, refilled}
end
tokens = tokens - cost
redis.call('HSET', KEYS[1], 'refilledAt', refilled, 'tokens', tokens)
-- After that long the bucket is full, which is what a missing one is; at most ten years.
redis.call('PEXPIRE', KEYS[1], math.min(math.max(math.ceil((limit - tokens) / rate), 1) * interval, 315360000000))
return {tokens >= 0 and 1 or 0, limit, tokens, refilled}
