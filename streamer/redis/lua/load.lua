-- Reads users and then the lane's place. If several users are too large together, it stops, and returns only
-- the size of the users that it has read.
-- KEYS: the place, the count of saves, the users.
-- ARGV: the most bytes of several users; as MessagePack, the fields to read, by user.
local most, wanted = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2])

-- Lua's unpack has a limit of its own.
local CHUNK = 4000
local rows, bytes = {}, 0
for i, fields in ipairs(wanted) do
  local row = {}
  for first = 1, #fields, CHUNK do
    local some = redis.call('HMGET', KEYS[2 + i], unpack(fields, first, math.min(first + CHUNK - 1, #fields)))
    for j = 1, #some do
      row[first + j - 1] = some[j]
      if some[j] then bytes = bytes + #some[j] end
    end
  end
  if #wanted > 1 and bytes > most then return bytes end
  rows[i] = row
end
rows[#wanted + 1] = redis.call('MGET', KEYS[1], KEYS[2])
return rows
