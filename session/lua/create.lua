-- Stores a new session.
--
-- KEYS[1]  the session
-- KEYS[2]  the user's generation
-- KEYS[3]  the user's index
-- ARGV[1]  revision
-- ARGV[2]  the session from its member "user" on, as JSON
-- ARGV[3]  lifetime in ms
-- ARGV[4]  idle time in ms, 0 for none
-- ARGV[5]  hash of the session
-- ARGV[6]  the generation if there is none yet, '' for a session without a user
-- ARGV[7]  how many sessions the user may have
-- Returns  {now, end of life, end if unused, generation, hashes of sessions that are too many …}
local now = clock()
local expires = now + tonumber(ARGV[3])
local ends = end_of(now, expires, tonumber(ARGV[4]))
local gen = ARGV[6]
if gen ~= '' then
  local keep = expires
  local old = redis.call('GET', KEYS[2])
  if old then
    gen = old
    keep = math.max(keep, redis.call('PEXPIRETIME', KEYS[2]))
  else
    redis.call('UNLINK', KEYS[3])
  end
  redis.call('SET', KEYS[2], gen, 'PXAT', expire_at(keep))
end
redis.call('SET', KEYS[1], '{"rev":"' .. ARGV[1] .. '","gen":"' .. gen .. '","created":' .. expire_at(now)
  .. ',"expires":' .. expire_at(expires) .. ',' .. ARGV[2], 'PXAT', expire_at(ends))
local reply = {now, expires, ends, gen}
if gen ~= '' then
  enlist(KEYS[3], KEYS[2], gen, ARGV[5], ends)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', expire_at(now))
  local surplus = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[7])
  if surplus > 0 then
    for _, hash in ipairs(redis.call('ZRANGE', KEYS[3], 0, surplus)) do
      if hash ~= ARGV[5] and #reply < 4 + surplus then
        reply[#reply + 1] = hash
      end
    end
  end
end
return reply
