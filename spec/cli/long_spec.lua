--- Memory does not depend on how long a log is, nor on how long one line is. 10 GB: ./dev bench long 10.
local memory = require "spec.support.memory"

local lines = os.getenv "HEADWAY_BUILD" .. "/bench_parsers"
local sanitized = os.getenv "HEADWAY_PRESET" == "dev" -- it keeps what was freed, and is slow
local LONG = sanitized and 3e7 or 1e9

local function log(kind, bytes) return ("%s %s 0 | head -c %d"):format(lines, kind, bytes // 1 | 0) end
local function line(bytes) return ("head -c %d /dev/zero | tr '\\0' x"):format(bytes // 1 | 0) end

describe("as much memory for a long one as for a short one:", function()
  local cases = {
    { "a log of rsync's, the newest", log, "rsync", "rsync", "newest", 1 },
    { "a log of rsync's, every record", log, "rsync", "rsync", "all", 10 },
    { "a log without any hint", log, "log", "rsync", "newest", 1 },
    { "one line", line, nil, "auto", "newest", 1 },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local dir = os.tmpname()
      local function most(bytes)
        local producer = case[3] and case[2](case[3], bytes) or case[2](bytes)
        local kib, out = memory.follow(producer,
          { "replay", "--parser", case[4], "--samples", case[5], "--plot", dir, "@" }, 240)
        assert.matches("^ *end ", out)
        return kib
      end
      local long = LONG / case[6]
      local short_most, long_most = most(long / 4), most(long)
      os.remove(dir)
      if not sanitized then
        assert.is_true(short_most > 300, short_most .. " KiB: nothing was seen")
        assert.is_true(long_most < short_most + 1024, ("%d KiB, and %d KiB for a quarter"):format(long_most, short_most))
      end
    end)
  end
end)
