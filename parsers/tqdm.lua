--- tqdm: progress bars of Python programs.
-- Seen: 4.70.1; the forms of 4.x. No flags needed; on a pipe too.
--   Loading shards:  42%|████▏     | 42/100 [00:04<00:05,  9.93it/s]
--   epoch: 100%|██████████| 3/3 [00:09<00:00,  3.05s/it, loss=0.1]
--   model.safetensors:   5%|▍         | 1.12M/24.0M [00:00<00:07, 3.10MB/s]      counts are rounded
--   rows: 300row [00:08, 36.82row/s]                                             no total is known
--   42%|####      | 42/100 [00:04<00:05,  9.93it/s]                              no name
-- Of nested bars the first one counts, the outer: bars of other names inside it only show that it is alive. A
-- bar that begins when the one before it is full takes its place, and counts begin anew.
local ends = require "headway.ends"
local units = require "headway.units"

---@class headway.parser.tqdm : headway.Parser
---@field base integer
---@field main table?   the bar that counts: name, total, done, unit
local M = {
  api = 1, name = "tqdm", tool = "tqdm", versions = "4.70", unit = "items",
  commands = { "tqdm", "python -m tqdm", "huggingface-cli download", "hf download" },
  hints = { "/s", "s/" },
  options = {
    base = {
      type = "integer", default = 1024, min = 1000, max = 1024,
      help = "bytes of a k, for bars of bytes: 1024 (as tqdm --bytes), or 1000",
    },
  },
}
M.__index = M

---@param opts { base: integer }
function M.new(opts) return setmetatable({ base = opts.base }, M) end

local NAMES = { it = "items", B = "bytes" }
local BRACKETS_MAX = 8 -- " [" that are tried in a record
local TOKEN_MAX = 48 -- bytes of "n/m"

--- Where the times stand: " [00:04<00:05, ...", the rate behind it names the unit.
---@return integer? at, string? unit
local function find_times(record)
  local from = 1
  for _ = 1, BRACKETS_MAX do
    local at = record:find(" [", from, true)
    if not at then return nil end
    local left = record:match("^ %[%d+:[%d:]+()", at)
    local comma = left and record:match("^<[%d:?]*()", left) or left
    local rate = comma and record:match("^, *([^%],]*)", comma)
    if rate then
      local unit = rate:match "^[%d.?]*[kMGTPE]?([%a_%-]+)/s$" or rate:match "^[%d.?]+s/([%a_%-]+)$"
      if unit and #unit <= 24 then return at, unit end
    end
    from = at + 2
  end
end

--- A number of the bar's: "42", "1.12M". Letters scale by 1000, bytes by the base.
local function count(text, letter, unit, base)
  if letter == "" and not text:find(".", 1, true) then return units.integer(text) end
  return units.size(text .. letter, unit == "B" and base or 1000, ".")
end

--- The bar's own words in front of it: "epoch", "".
local function name_of(record, upto)
  local bar = record:find("%|", 1, true)
  local head = record:sub(1, bar and bar < upto and bar - 1 or upto - 1)
  if bar and bar < upto then head = head:sub(1, -4) end -- "%3d"
  return head:sub(1, 60):match "^%s*(.*)$":gsub(": *$", "")
end

---@return table? bar  name, done, total, unit
local function read_bar(record, base)
  local at, unit = find_times(record)
  if not at then return nil end
  local begin = math.max(1, at - TOKEN_MAX)
  local offset, token = record:sub(begin, at - 1):match "^.*%s()(%S+)$"
  if not token then offset, token = 1, record:sub(begin, at - 1) end
  local n, n_letter, m, m_letter = token:match "^([%d.]+)([kMGTPE]?)/([%d.?]+)([kMGTPE]?)$"
  local total
  if n then
    total = m ~= "?" and count(m, m_letter, unit, base) or nil
    if m ~= "?" and not total then return nil end
  else
    n, n_letter = token:match "^([%d.]+)([kMGTPE]?)[%a_%-]+$"
    if not n then return nil end
    if token == n .. unit then n_letter = "" end -- "4E" of a unit "E" is no 4e18
  end
  local done = count(n, n_letter, unit, base)
  if not done then return nil end
  return { name = name_of(record, begin + offset - 1), done = done, total = total, unit = NAMES[unit] or unit }
end

--- Names that differ in their numbers only are of one bar: "epoch 1", "epoch 2: loss 0.31".
local function same_bar(a, b)
  return a.total == b.total and a.unit == b.unit and a.name:gsub("%d[%d.]*", "#") == b.name:gsub("%d[%d.]*", "#")
end

local function is_full(bar)
  return bar.total and bar.done >= bar.total
end

---@return headway.Sample
local function sample_of(bar, restart)
  if bar.total and bar.done > bar.total then return { done = bar.done, unit = bar.unit, restart = restart } end
  return { done = bar.done, total = bar.total, unit = bar.unit, restart = restart }
end

function M:feed(record)
  local bar = read_bar(record, self.base)
  if not bar then return nil end
  local main = self.main
  if not main then
    self.main = bar
    return sample_of(bar)
  end
  local again = same_bar(main, bar)
  if again and bar.done >= main.done then
    main.done = bar.done
    return sample_of(main)
  end
  if is_full(main) or (again and bar.done == 0) then
    self.main = bar
    return sample_of(bar, true)
  end
  local s = sample_of(main)
  if not again then
    local of = bar.total and "/" .. bar.total or ""
    s.message = ("%s %d%s"):format(bar.name ~= "" and bar.name or "inner bar", bar.done, of)
  end
  return s
end

M.finish = ends.by_status

return M
