-- What the scripts of sessions share; it stands before each of them.
--
-- The keys of one user lie in one slot: his sessions, their generation and their index. A session
-- counts only while the generation in it is the user's. The index is a sorted set of the hashes of the
-- sessions, by the time at which each ends.

-- The beginning of a session, which package session writes in this order: revision, generation
-- ('' for sessions without a user) and absolute end. Nothing where there is no session.
local function head(key)
  local rev, gen, expires = string.match(redis.call('GETRANGE', key, 0, 127),
    '^{"rev":"([%w_-]+)","gen":"([%w_-]*)","created":%d+,"expires":(%d+),')
  return rev, gen, tonumber(expires)
end

-- The same, if the session still counts.
local function live(key, generation)
  local rev, gen, expires = head(key)
  if rev and (gen == '' or redis.call('GET', generation) == gen) then
    return rev, gen, expires
  end
end

-- When a session that is used now ends. An idle time of 0 means none.
local function end_of(now, expires, idle)
  if idle > 0 then
    return math.min(expires, now + idle)
  end
  return expires
end

-- Notes in the index when a session ends; the index ends with the generation, which outlives them all.
local function enlist(index, generation, gen, hash, ends)
  if gen ~= '' then
    redis.call('ZADD', index, expire_at(ends), hash)
    redis.call('PEXPIREAT', index, redis.call('PEXPIRETIME', generation))
  end
end
