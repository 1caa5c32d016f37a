local case = require "spec.support.parser_case"

local NOTICE = "11/25 04:50:36 [NOTICE] "
local ONE = "[#3b2f64 1.0MiB/10MiB(10%) CN:1 DL:514KiB ETA:17s]"
local TWO = "[DL:15KiB][#f1965f 1.0MiB/5.0MiB(20%)][#22a55f 512KiB/2.0MiB(25%)]"
local function bytes(done, total, files) return { done = done, total = total, unit = "bytes", also = files and { files } } end
local function files(done, total, more)
  return case.with({ done = done, total = total, unit = "files" }, more)
end
local function row(stat, gid) return (gid or "22a55f") .. "|" .. stat .. "|   483KiB/s|out/part-b.bin" end
local MIB = 1 << 20

describe("aria2c, one record:", function()
  case.rows(it, "aria2c", {
    { "a readout",            ONE,                                                                    bytes(MIB, 10 * MIB) },
    { "nothing yet",          "[#3b2f64 0B/0B CN:1 DL:0B]",                                           bytes(0) },
    { "no length",            "[#8305b5 1.0MiB/0B CN:1 DL:0.9MiB]",                                   bytes(MIB) },
    { "two at once",          TWO,                                                                    bytes(MIB + MIB // 2, 7 * MIB, files(0, 2)) },
    { "seeds",                "[#3b2f64 SEED(0.1) CN:1]" },
    { "disk space is made",   "[FileAlloc:#3b2f64 1.0MiB/10MiB(10%)]" },
    { "how many there are",   NOTICE .. "Downloading 3 item(s)" },
    { "it is not complete",   NOTICE .. "Download GID#4433c11168de8585 not complete: /out/model.bin" },
    { "it is stopped",        NOTICE .. "Shutdown sequence commencing... Press Ctrl-C again for emergency shutdown." },
    { "it listens",           NOTICE .. "IPv4 RPC: listening on TCP port 6800" },
    { "an error",             "  -> [HttpSkipResponseCommand.cc:218] errorCode=3 Resource not found", { message = "Resource not found" } },
    { "of an error",          "Exception: [AbstractCommand.cc:351] errorCode=3 URI=http://127.0.0.1/none.bin" },
    { "a legend",             "(OK):download completed." },
    { "a head",               "gid   |stat|avg speed  |path/URI" },
    { "a summary begins",     " *** Download Progress Summary as of Mon Nov 23 19:06:58 2026 *** " },
  })
end)

describe("aria2c, from line to line:", function()
  local THREE = NOTICE .. "Downloading 3 item(s)"
  case.rows(it, "aria2c", {
    { "never less",                   { ONE, "[#3b2f64 0.9MiB/10MiB(9%) CN:1 DL:514KiB ETA:17s]" },              bytes(MIB, 10 * MIB) },
    { "complete",                     { ONE, NOTICE .. "Download complete: out/model.bin" },                      bytes(10 * MIB, 10 * MIB) },
    { "complete, in German",          { ONE, NOTICE .. "Übertragung vollständig: out/model.bin" },                bytes(10 * MIB, 10 * MIB) },
    { "not all were seen: files",     { THREE, TWO },                                                             files(0, 3, { also = { bytes(MIB + MIB // 2) } }) },
    { "the rest was seen: bytes",     { THREE, TWO, "[#aaaaaa 1.0MiB/1.0MiB(99%) CN:1]" },                        bytes(2 * MIB + MIB // 2, 8 * MIB, files(0, 3)) },
    { "the summary names the file",
        { "[#f1965f 1.0MiB/5.0MiB(20%) CN:1]", "FILE: out/a", "[#22a55f 1.0MiB/2.0MiB(50%) CN:1]", "FILE: out/b", NOTICE .. "Download complete: out/a" },
                                      bytes(6 * MIB, 7 * MIB, files(1, 2)) },
    { "else it is the furthest",      { TWO, NOTICE .. "Download complete: out/a" },                              bytes(3 * MIB, 7 * MIB, files(1, 2)) },
    { "what is over stays so",        { TWO, NOTICE .. "Download complete: out/a", TWO },                         bytes(3 * MIB, 7 * MIB, files(1, 2)) },
    { "complete without a readout",   { NOTICE .. "Downloading 2 item(s)", NOTICE .. "Download complete: out/a" }, files(1, 2, { also = { bytes(0) } }) },
    { "results: not the last row",    { TWO, row "OK  " } },
    { "results: the last row",        { TWO, row "OK  ", row("OK  ", "f1965f") },                                 files(2, 2, { ended = "complete" }) },
    { "results: one failed",          { TWO, row "OK  ", row("ERR ", "f1965f") },                                 files(1, 2, { ended = "partial" }) },
    { "results: one, it failed",      { ONE, row "ERR " },                                                        { ended = "failed" } },
    { "results: one, it is unfinished", { ONE, row "INPR" },                                                      { ended = "failed" } },
  })

  case.ends(it, "aria2c", {
    { {}, 0, "complete" }, { {}, 3, "failed" }, { {}, nil, nil }, { { TWO, row "OK  ", row "ERR " }, 3, "partial" }, { { ONE, row "ERR " }, nil, "failed" },
    { { row "ERR " }, nil, "failed" }, { { row "OK  " }, nil, "complete" }, -- the log begins late
    { { TWO, NOTICE .. "Download complete: a" }, 7, "failed" }, { { TWO, NOTICE .. "Download complete: a" }, 137, "failed" },
    { { TWO, row "OK  ", row "OK  " }, nil, "complete" },
  })

  it("takes more downloads than it keeps", function()
    local h, sample = case.new "aria2c", nil
    for i = 1, 300 do sample = h:feed(("[#%06x 1.0MiB/2.0MiB(50%%) CN:1 DL:1B]"):format(i)) end
    assert.same(bytes(256 * MIB, 512 * MIB, files(0, 256)), sample)
  end)

  local many = {}
  for i = 1, 100 do many[i] = ("[#%06x 1.0MiB/2.0MiB(50%%)]"):format(i) end
  case.quick(it, "aria2c", {
    table.concat(many), ("[#"):rep(2000), ("[#aaaaaa 1"):rep(400), "[#aaaaaa " .. ("1"):rep(4000), "[#aaaaaa 1" .. ("B"):rep(4000),
    "[#aaaaaa " .. ("9"):rep(30) .. "B/" .. ("9"):rep(30) .. "B(",
    "[#aaaaaa " .. ("9"):rep(18) .. "GiB/1GiB(", NOTICE .. (" "):rep(4000) .. "1 x", NOTICE .. ("a "):rep(2000) .. "1 x", NOTICE .. ("a"):rep(4000) .. ":",
    NOTICE .. "a " .. ("9"):rep(30) .. " x",
    "  -> [" .. ("]"):rep(4000), "  -> " .. ("["):rep(4000) .. " errorCode=3 x", "FILE: " .. ("a"):rep(4000), (" "):rep(4000) .. "-> errorCode=",
  })
end)
