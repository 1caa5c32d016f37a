--- tqdm: progress bars of Python programs.
-- Seen: 4.70.1; the forms of 4.x; PyTorch Lightning 2.2, its RichProgressBar too. No flags needed; on a pipe too, where
-- rich draws nothing.
--   Loading shards:  42%|████▏     | 42/100 [00:04<00:05,  9.93it/s]
--   epoch: 100%|██████████| 3/3 [00:09<00:00,  3.05s/it, loss=0.1]
--   model.safetensors:   5%|▍         | 1.12M/24.0M [00:00<00:07, 3.10MB/s]      counts are rounded
--   rows: 300row [00:08, 36.82row/s]                                             no total is known
--   42%|####      | 42/100 [00:04<00:05,  9.93it/s]                              no name
--   Epoch 1:  40%|████      | 8/20 [00:00<00:00, 18.82it/s, loss=0.199]          a phase
--   Epoch 1/2 ━━━━━━╺━━━━━━━━━━ 5/20 0:00:00 • 0:00:01 15.80it/s loss: 0.137      rich: the second of three
-- Of nested bars the first one counts, the outer: bars of other names inside it only show that it is alive. A
-- bar that begins when the one before it is full takes its place, and counts begin anew. An epoch is a phase, and a
-- part of the whole where the name tells how many there are.
local ends = require "headway.ends"
local units = require "headway.units"

---@class headway.parser.tqdm : headway.Parser
---@field base integer
---@field main table?     the bar that counts: name, total, done, unit, phase
---@field zero integer?   1: epochs are counted from 0
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

-- ---- reading a bar -----------------------------------------------------------------------------------

local NAMES = { it = "items", B = "bytes" }
local BRACKETS_MAX = 8 -- " [" that are tried in a record
local TOKEN_MAX = 48 -- bytes of "n/m"
local NAME_MAX = 60

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

--- The bar's own words in front of it: "epoch", "". Lightning names the DataLoader once it has one.
local function name_of(record, upto)
  local bar = record:find("%|", 1, true)
  local head = record:sub(1, bar and bar < upto and bar - 1 or upto - 1)
  if bar and bar < upto then head = head:sub(1, -4) end -- "%3d"
  return (head:sub(1, NAME_MAX):match "^%s*(.*)$":gsub(": *$", ""):gsub(" DataLoader %d+$", ""))
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
    if not total and (m ~= "?" or n == "0") then return nil end -- "0/?" says nothing yet
  else
    n, n_letter = token:match "^([%d.]+)([kMGTPE]?)[%a_%-]+$"
    if not n then return nil end
    if token == n .. unit then n_letter = "" end -- "4E" of a unit "E" is no 4e18
  end
  local done = count(n, n_letter, unit, base)
  if not done then return nil end
  return { name = name_of(record, begin + offset - 1), done = done, total = total, unit = NAMES[unit] or unit }
end

--- What rich draws for Lightning.
---@return table? bar  name, done, total, unit
local function read_rich(record)
  local at = record:find(" • ", 1, true)
  if not at or not record:find("^ • [%d:-]+ +[%d.]+it/s", at) then return nil end
  local n, m = record:sub(math.max(1, at - TOKEN_MAX), at - 1):match " (%d+)/(%d+) [%d:]+$"
  local name = record:sub(1, NAME_MAX):match "^ *(%a[%w/ ]-) *[\xE2]"
  n, m = n and units.integer(n), m and units.integer(m)
  return name and n and m and { name = name, done = n, total = m, unit = "items", rich = true } or nil
end

-- ---- bars, one after the other and inside each other -------------------------------------------------

local PHASES_MAX = 999

--- "Epoch 3", "epoch 3/10: loss 0.31". Lightning counts epochs from 0, and rich tells the last one, not how many.
---@return headway.Phase?
function M:phase_of(bar)
  local name, n, behind = bar.name:match "^([Ee]poch:? *(%d+))()"
  local index = n and units.integer(n)
  if not index then return nil end
  if index == 0 or bar.rich then self.zero = 1 end
  local of = units.integer(bar.name:match("^/(%d+)", behind) or "")
  index = index + (self.zero or 0)
  if of and bar.rich then of = of + 1 end
  if index < 1 or index > PHASES_MAX or (of and (of < index or of > PHASES_MAX)) then return nil end
  return { name = name, index = index, count = of, weight = of and 1 / of }
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
  local total = not (bar.total and bar.done > bar.total) and bar.total or nil
  return { done = bar.done, total = total, unit = bar.unit, restart = restart, phase = bar.phase }
end

--- The bar counts from now on.
function M:begin(bar)
  local last = self.main and self.main.phase
  local later = bar.phase and (not last or bar.phase.index > last.index)
  local restart = self.main and not later or nil
  self.main = bar
  return sample_of(bar, restart)
end

--- Lightning's validation stands inside an epoch, although its bar is full by then.
local function is_inner(main, bar) return main.phase and bar.name == "Validation" end

function M:feed(record)
  local bar = read_bar(record, self.base) or read_rich(record)
  if not bar or bar.name == "Training" then return nil end -- Lightning's epoch, before it has its name
  bar.phase = self:phase_of(bar)
  local main = self.main
  if not main then return self:begin(bar) end
  local again = same_bar(main, bar)
  if again and bar.done >= main.done then
    self.main = bar
    return sample_of(bar)
  end
  local anew = again and bar.done == 0
  if anew and is_full(main) and bar.phase and bar.name == main.name then return nil end -- the next one has no name yet
  if anew or (is_full(main) and not is_inner(main, bar)) then return self:begin(bar) end
  local s = sample_of(main)
  if not again then
    local of = bar.total and "/" .. bar.total or ""
    s.message = ("%s %d%s"):format(bar.name ~= "" and bar.name or "inner bar", bar.done, of)
  end
  return s
end

M.finish = ends.by_status

return M
