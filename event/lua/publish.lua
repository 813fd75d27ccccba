-- Appends a message to a stream and announces it.
--
-- KEYS[1]  the stream
-- KEYS[2]  the idempotency key, if there is one
-- ARGV[1]  the message, as JSON
-- ARGV[2]  its event
-- ARGV[3]  the channel, which is the stream's name
-- ARGV[4]  how many messages the stream keeps
-- ARGV[5]  how long it is kept, in ms
-- ARGV[6]  PUBLISH or SPUBLISH
-- ARGV[7]  what is published, up to the id
-- ARGV[8]  how long the idempotency key is remembered, in ms
-- Returns  the message's id, also where it had been published before
if KEYS[2] then
  local before = redis.call('GET', KEYS[2])
  if before then
    return before
  end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[4], '*', 'data', ARGV[1], 'event', ARGV[2], 'channel', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if KEYS[2] then
  redis.call('SET', KEYS[2], id, 'PX', ARGV[8])
end
redis.call(ARGV[6], ARGV[3], ARGV[7] .. id .. '"}')
return id
