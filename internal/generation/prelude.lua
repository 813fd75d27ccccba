-- What the scripts of generations share; it stands before each of them.

local ZERO = '\0\0\0\0\0\0\0\0'
local BARRED = '\255\255\255\255\255\255\255\255'

-- No barrier is longer than an hour: a deadline beyond that is not one of ours.
local MAX_BARRIER = 3600000

-- Whether g is a generation that was made in this life of the node.
local function is_current(g, life)
  return g and #g >= 40 and #g <= 104 and string.sub(g, 1, 8) ~= ZERO and string.sub(g, 9, 16) == life
end

-- Whether g is a barrier that stands: see barrier.lua.
local function is_barred(g, now)
  if not g or #g < 40 or string.sub(g, 1, 8) ~= ZERO or string.sub(g, 25, 32) ~= BARRED then
    return false
  end
  local deadline = num(g, 33)
  return deadline > now and deadline <= now + MAX_BARRIER
end

-- When the generation or the barrier g was made, 0 where it is neither.
local function made_at(g, life, now)
  return (is_current(g, life) or is_barred(g, now)) and num(g, 17) or 0
end

