-- Ends all sessions of a user: without their generation none of them counts, whether the index knows it
-- or not.
--
-- KEYS[1]  the user's generation
-- KEYS[2]  the user's index
-- Returns  hashes of the sessions, whose memory is left to be freed
local hashes = {}
if redis.call('DEL', KEYS[1]) == 1 then
  hashes = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. expire_at(clock()), '+inf')
end
redis.call('UNLINK', KEYS[2])
return hashes
