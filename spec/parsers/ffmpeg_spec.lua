local case = require "spec.support.parser_case"

local LENGTH = "  Duration: 00:00:20.00, start: 0.000000, bitrate: 393 kb/s"
local function line(time) return "frame=  338 fps=334 q=28.0 size=       0kB time=" .. time .. " bitrate=   0.0kbits/s speed=13.4x    " end
local function of(done, total, frames, more)
  return case.with({ done = done, total = total, unit = "ms", also = frames and { { done = frames, unit = "frames" } } }, more)
end

describe("ffmpeg:", function()
  case.rows(it, "ffmpeg", {
    { "no length is known",    line "00:00:13.53",                                    of(13530, nil, 338) },
    { "of the input's length", { LENGTH, line "00:00:13.53" },                        of(13530, 20000, 338) },
    { "of the longest input",  { LENGTH, "  Duration: 00:01:00.00, start: 0", line "00:00:13.53" }, of(13530, 60000, 338) },
    { "a frame too long",      { LENGTH, line "00:00:20.01" },                        of(20000, 20000, 338) },
    { "longer by much",        { LENGTH, line "00:00:30.00" },                        of(30000, nil, 338) },
    { "sound alone",           { LENGTH, "size=     256kB time=00:00:04.80 bitrate= 436.9kbits/s speed=1.2x" }, of(4800, 20000) },
    { "-progress",             { LENGTH, "out_time_us=13351474" },                    of(13351, 20000) },
    { "with frames",           { LENGTH, "frame=390", "out_time_us=13351474" },       of(13351, 20000, 390) },
    { "it does not go back",   { LENGTH, line "00:00:13.53", "out_time_us=5000000" }, of(13530, 20000, 338) },
    { "no time yet",           "out_time_us=N/A" },
    { "no time, statistics",   line "N/A" },
    { "the end",               "progress=end",                                        { ended = "complete" } },
    { "stopped",               { "progress=end", "Exiting normally, received signal 2." }, { ended = "failed", message = "Exiting normally, received signal 2." } },
    { "failed",                { "Conversion failed!", "progress=end" },              { ended = "failed" } },
    { "over 63 bits",          "out_time_us=" .. ("9"):rep(30) },
    { "a length of none",      "  Duration: N/A, start: 0.000000, bitrate: N/A" },
    { "nothing",               "" },
  })

  it("the option tells the length", function()
    local h = case.new("ffmpeg", { duration = "30" })
    h:feed(LENGTH)
    assert.same(of(13530, 30000, 338), h:feed(line "00:00:13.53"))
  end)

  case.ends(it, "ffmpeg", {
    { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, 255, "failed" }, { {}, nil, nil }, { { "progress=end" }, nil, "complete" },
    { { "progress=end" }, 255, "failed" },
  })
  case.quick(it, "ffmpeg", {
    "frame=" .. (" "):rep(4000), "frame=" .. ("1"):rep(4000), "frame=1 time=" .. ("1:"):rep(2000), "frame=" .. (" time="):rep(700),
    (" "):rep(4000) .. "Duration: ", "Duration: " .. ("0:"):rep(2000), "out_time_us=" .. ("1"):rep(4000),
  })
end)
