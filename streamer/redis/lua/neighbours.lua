-- The nearest users on either side of each angle: the same walk as streamer.segment.neighbours.AngleIndex.
--
-- KEYS  the index
-- ARGV  [1] what precedes a user id in the user's key; empty: segments are not read
--       [2] how many users to find on a side
--       [3] as MessagePack, the users left out
--       [4] as MessagePack, the angles as text
--
-- Returns for each angle a flat list of user id, angle as text, segment (or false).

local index, user_prefix, wanted = KEYS[1], ARGV[1], tonumber(ARGV[2])
local excluded = {}
for _, user_id in ipairs(cmsgpack.unpack(ARGV[3])) do excluded[user_id] = true end
local size = redis.call('ZCARD', index)

-- The index by rank, as far as it was read: each entry once, however many angles pass it.
local users, angles = {}, {}

-- Pages grow along one walk: a call costs more than a user.
local SMALLEST, LARGEST = wanted + 1, 1000
local page_size

-- Reads the entry of this rank, and with it those on the way to rank `last` that were not read yet.
local function read(rank, last)
  local step = rank <= last and 1 or -1
  local ends, left = rank, page_size - 1
  while ends ~= last and left > 0 and users[ends + step] == nil do ends, left = ends + step, left - 1 end
  local low = math.min(rank, ends)
  local page = redis.call('ZRANGE', index, low, math.max(rank, ends), 'WITHSCORES')
  for i = 1, #page, 2 do
    users[low + (i - 1) / 2], angles[low + (i - 1) / 2] = page[i], page[i + 1]
  end
  page_size = math.min(2 * page_size, math.max(LARGEST, SMALLEST))
end

-- From an excluded user's rank to one beyond it, in each direction, such that only excluded users lie between.
local beyond = {[1] = {}, [-1] = {}}

-- The first rank from `rank` towards `last` whose user is not excluded; beyond `last` where there is none.
local function kept(rank, last, step)
  local jumps, from = beyond[step], rank
  while (last - rank) * step >= 0 do
    if users[rank] == nil then read(rank, last) end
    if not excluded[users[rank]] then break end
    rank = jumps[rank] or rank + step
  end
  -- The next walk along here goes at once to where this one came.
  while (rank - from) * step > 0 do
    jumps[from], from = rank, jumps[from] or from + step
  end
  return rank
end

-- Takes the users of ranks first to last, in this order, until `wanted` are found.
local function ascending(found, first, last)
  local rank = first
  while #found < wanted do
    rank = kept(rank, last, 1)
    if rank > last then return end
    found[#found + 1] = rank
    rank = rank + 1
  end
end

-- The same from rank last down to first, but users of one angle are equally far, so they come by id all
-- the same: each group of one angle is entered at its smallest id.
local function descending(found, last, first)
  local rank = last
  while #found < wanted do
    rank = kept(rank, first, -1)
    if rank < first then return end
    local smallest = rank
    if rank > first then
      if users[rank - 1] == nil then read(rank - 1, first) end
      if angles[rank - 1] == angles[rank] then
        smallest = redis.call('ZCOUNT', index, '-inf', '(' .. angles[rank])
      end
    end
    ascending(found, smallest, rank)
    rank = smallest - 1
  end
end

local function tell(told, found)
  for _, rank in ipairs(found) do
    told[#told + 1] = users[rank]
    told[#told + 1] = angles[rank]
    told[#told + 1] = user_prefix ~= '' and redis.call('HGET', user_prefix .. users[rank], 'segment')
  end
end

local answers = {}
for i, angle in ipairs(cmsgpack.unpack(ARGV[4])) do
  -- Of rank `at` is the first user whose angle is not smaller.
  local at = redis.call('ZCOUNT', index, '-inf', '(' .. angle)
  local up, down, told = {}, {}, {}
  page_size = SMALLEST
  ascending(up, at, size - 1)
  ascending(up, 0, at - 1)
  page_size = SMALLEST
  descending(down, at - 1, 0)
  descending(down, size - 1, at)
  tell(told, up)
  tell(told, down)
  answers[i] = told
end
return answers
