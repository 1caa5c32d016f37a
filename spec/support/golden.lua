--- Goldens: what a recording's parser says, line by line, beside the recording as .jsonl. Made by the real worker and
--- parser; `HEADWAY_GOLDEN=write ./dev specs plain spec/parsers/golden_spec.lua` writes them anew, a person reads the diff.
---   {"offset":164,"done":3,"total":65,"unit":"entries","also":[...]}     a sample; one that repeats the last is left out
---   {"offset":164,"refused":"..."}                                       the parser's word against a record
---   {"finish":0,"ended":"complete"}                                      the last line: what it made of the exit status
local core = require "headway_core"
local recording = require "spec.support.recording"

local M = {}

--- spec/recordings/MANIFEST.tsv: name -> what is true of the run, known from the data and not from the log.
function M.manifest()
  local list, keys = {}, nil
  for line in io.lines(recording.dir .. "MANIFEST.tsv") do
    local row = {}
    for field in (line .. "\t"):gmatch "([^\t]*)\t" do row[#row + 1] = field end
    if keys then
      local entry = {}
      for i, key in ipairs(keys) do entry[key] = row[i] end
      list[entry.path:gsub("%.cast$", "")] = entry
    else
      keys = row
    end
  end
  return list
end

--- The parser that the recording's own command would get; a program of one's own is told by its folder.
function M.parser_of(name, entry)
  local parser = core.parsers.choose(entry.command)
  local folder = name:match "^[^/]+":gsub("-", "_")
  return parser == "auto" and core.parsers.find(folder) and folder or parser
end

--- ---- text ---------------------------------------------------------------------------------------

local ORDER = { "done", "total", "unit", "fraction", "scanning", "restart", "phase", "also", "ended", "message" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

local encode

local function fields(t, order)
  local list = {}
  for _, key in ipairs(order) do
    if t[key] ~= nil then list[#list + 1] = quote(key) .. ":" .. encode(t[key]) end
  end
  return list
end

function encode(v)
  if type(v) == "string" then return quote(v) end
  if math.type(v) == "float" then return ("%.4f"):format(v) end
  if type(v) ~= "table" then return tostring(v) end
  if #v == 0 then return "{" .. table.concat(fields(v, { "name", "index", "count", "weight", table.unpack(ORDER) }), ",") .. "}" end
  local list = {}
  for i, item in ipairs(v) do list[i] = encode(item) end
  return "[" .. table.concat(list, ",") .. "]"
end

local function line(first, value, sample)
  return "{" .. table.concat({ ('"%s":%s'):format(first, value), table.unpack(fields(sample, ORDER)) }, ",") .. "}"
end

--- ---- running ------------------------------------------------------------------------------------

local function events_of(worker, id)
  local list = {}
  for _, event in ipairs(worker:run(20000)) do
    assert(event.kind ~= "load_failed" and event.kind ~= "set_aside", event.why)
    if event.id == id and (event.kind == "sample" or event.kind == "refused") then list[#list + 1] = event end
  end
  return list
end

--- The text of a golden, from the worker.
function M.make(name, parser, exit)
  local worker = assert(core.worker.new { exe = os.getenv "HEADWAY_BIN" })
  local id = assert(worker:load_named(parser))
  local texts, offsets, out, last = {}, {}, {}, nil
  for i, record in ipairs(recording.records(name, true, M.record_max(parser))) do texts[i], offsets[i] = record.text, record.offset end
  assert(worker:feed(id, texts))
  for _, event in ipairs(events_of(worker, id)) do
    local offset = offsets[event.index + 1]
    if event.kind == "refused" then
      out[#out + 1] = ('{"offset":%d,"refused":%s}'):format(offset, quote(event.why))
    else
      local text = line("offset", offset, event.sample)
      local said = text:match "^[^,]*,(.*)$"
      if said ~= last then out[#out + 1] = text end
      last = said
    end
  end
  worker:finish(id, exit)
  local ended = events_of(worker, id)[1]
  out[#out + 1] = line("finish", exit, ended and ended.sample or {})
  worker:unload(id)
  worker:close()
  return table.concat(out, "\n") .. "\n"
end

local record_max = {} -- by parser; false: it says nothing

---@param parser string
---@return integer?
function M.record_max(parser)
  if record_max[parser] == nil then
    record_max[parser] = core.host.new(core.parsers.find(parser).text, parser):meta().record_max or false
  end
  return record_max[parser] or nil
end

--- Records through a parser in this process: the samples, and the tracker that took them.
---@param records table  of recording.records, or of a framer
function M.follow(parser, records, rules)
  local h = assert(core.host.new(core.parsers.find(parser).text, parser))
  local tracker, samples = core.progress.tracker(rules), {}
  for i, record in ipairs(records) do
    local sample, why, code = h:feed(record.text)
    assert(not why or code == "input", why)
    if sample then
      samples[#samples + 1] = sample
      local says = sample.done or sample.fraction or sample.also or sample.phase or sample.message or sample.scanning
      if says then tracker:sample(sample, i) end
    end
  end
  return samples, tracker, h
end

return M
