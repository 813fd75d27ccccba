-- What the scripts of generations share; it stands before each of them.

local ZERO = '\0\0\0\0\0\0\0\0'

-- Whether g is a generation that was made in this life of the node.
local function is_current(g, life)
  return g and #g >= 40 and #g <= 104 and string.sub(g, 1, 8) ~= ZERO and string.sub(g, 9, 16) == life
end

