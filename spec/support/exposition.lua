--- Reads metrics as strictly as Prometheus' text format 0.0.4 and its naming rules allow; fails with the line that is wrong.
local M = {}

local SUFFIXES = { histogram = { _bucket = true, _sum = true, _count = true } }

local function read_labels(text, line)
  local labels, at = {}, 1
  while at <= #text do
    local name, from = text:match('^([%a_][%w_]*)="()', at)
    assert(name, "no label: " .. line)
    assert(labels[name] == nil, "a label twice: " .. line)
    local value, i = {}, from
    while true do
      local c = text:sub(i, i)
      if c == "\\" then
        local escaped = ({ ["\\"] = "\\", ['"'] = '"', n = "\n" })[text:sub(i + 1, i + 1)]
        value[#value + 1] = assert(escaped, "no escape: " .. line)
        i = i + 2
      elseif c == '"' then break
      else
        assert(c ~= "" and c ~= "\n", "no end of a label: " .. line)
        value[#value + 1] = c
        i = i + 1
      end
    end
    labels[name] = table.concat(value)
    assert(utf8.len(labels[name]), "no UTF-8: " .. line)
    at = i + 1
    if at <= #text then
      assert(text:sub(at, at) == ",", "no comma: " .. line)
      at = at + 1
    end
  end
  return labels
end

--- What a name and its type owe each other.
local function judge_name(name, type)
  assert(type == "gauge" or type == "counter" or type == "histogram", "type of " .. name)
  assert((type == "counter") == (name:find "_total$" ~= nil), "counters alone end in _total: " .. name)
  assert(not name:find "_ms$" and not name:find "millis" and not name:find "_percent", "base units: " .. name)
end

---@class headway.spec.Family
---@field type string
---@field help string
---@field samples { name: string, labels: table<string, string>, value: number }[]

---@param text string
---@return table<string, headway.spec.Family>
function M.parse(text)
  assert(text == "" or text:sub(-1) == "\n", "the last line has no end")
  local families, seen, family, name = {}, {}, nil, nil
  local help
  for line in text:gmatch "([^\n]*)\n" do
    local word, of, rest = line:match "^# (%u+) ([%a_:][%w_:]*) (.+)$"
    if word == "HELP" then
      assert(not families[of], "a family twice: " .. of)
      help = { of, rest }
    elseif word == "TYPE" then
      assert(help and help[1] == of, "a type without a help: " .. of)
      judge_name(of, rest)
      family, name = { type = rest, help = help[2], samples = {} }, of
      families[of] = family
    else
      local sample, labels, value = line:match "^([%a_:][%w_:]*)(%b{}) (%S+)$"
      if not sample then sample, value = line:match "^([%a_:][%w_:]*) (%S+)$" end
      if not sample then sample, labels, value = line:match "^([%a_:][%w_:]*)({.*}) (%S+)$" end
      assert(sample, "no sample: " .. line)
      local suffix = sample ~= name and sample:sub(#name + 1) or nil
      assert(family and (not suffix or (SUFFIXES[family.type] or {})[suffix]), "not of its family: " .. line)
      local key = sample .. (labels or "")
      assert(not seen[key], "a series twice: " .. line)
      seen[key] = true
      family.samples[#family.samples + 1] = { name = sample, labels = labels and read_labels(labels:sub(2, -2), line) or {},
        value = assert(tonumber(value), "no value: " .. line) }
    end
  end
  return families
end

--- The value of the one sample of a family, or of the one with these labels; nil: there is none.
---@param families table<string, headway.spec.Family>
---@param name string
---@param labels? table<string, string>
function M.value(families, name, labels)
  local family = assert(families[name] or families[name:gsub("_%l+$", "")], name)
  local found
  for _, sample in ipairs(family.samples) do
    local fits = sample.name == name
    for key, value in pairs(labels or {}) do fits = fits and sample.labels[key] == value end
    if fits then
      assert(found == nil, "several of " .. name)
      found = sample.value
    end
  end
  return found
end

return M
