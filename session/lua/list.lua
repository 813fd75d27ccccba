-- Lists the sessions of a user.
--
-- KEYS[1]  the user's generation
-- KEYS[2]  the user's index
-- Returns  {generation, '' if there are no sessions; hashes of sessions, that which ends last first …}
local gen = redis.call('GET', KEYS[1])
if not gen then
  return {''}
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', expire_at(clock()))
local reply = redis.call('ZREVRANGE', KEYS[2], 0, -1)
table.insert(reply, 1, gen)
return reply
