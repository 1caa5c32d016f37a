--- How a tool's output is cut into records (core/source/records.h).
local recording = require "spec.support.recording"
local source = require("headway_core").source

local PAUSE, GAP, KILLED = {}, {}, {} -- among the bytes fed: nothing came for a while, bytes were lost, the writer was killed

local function collect(list, records)
  for _, record in ipairs(records) do list[#list + 1] = record end
end

--- Feeds byte strings and marks, ends, and returns the records.
local function fed(parts, record_max)
  local framer, list, whole = source.records(record_max), {}, true
  for _, part in ipairs(parts) do
    if part == PAUSE then
      collect(list, framer:pause())
    elseif part == GAP then
      framer:gap()
    elseif part == KILLED then
      whole = false
    else
      collect(list, framer:feed(part))
    end
  end
  collect(list, framer:finish(whole))
  return list
end

local function texts(records)
  local list = {}
  for i, record in ipairs(records) do list[i] = record.text end
  return list
end

--- bytes in pieces of 1 to most bytes, by a seed.
local function pieces(bytes, most, seed)
  local list, at = {}, 1
  math.randomseed(seed)
  while at <= #bytes do
    local n = math.random(most)
    list[#list + 1] = bytes:sub(at, at + n - 1)
    at = at + n
  end
  return list
end

local framing = {
  -- name                          bytes                                  records
  { "nothing",                     "",                                    {} },
  { "LF",                          "a\nb\n",                              { "a", "b" } },
  { "CR",                          "\r1/3\r2/3\r3/3",                     { "1/3", "2/3", "3/3" } },
  { "CRLF is one end",             "a\r\nb\r\n",                          { "a", "b" } },
  { "CR CR LF",                    "a\r\r\nb",                            { "a", "b" } },
  { "no end at the end",           "a\nb",                                { "a", "b" } },
  { "empty and blank ones",        "\n\n  \t \r\n \n a \n",               { " a " } },
  { "form feed, vertical tab",     "a\fb\vc",                             { "a", "b", "c" } },
  { "NUL, record separator",       "a\0b\0\0\0c\x1ed",                    { "a", "b", "c", "d" } },
  { "a truncated log's hole",      ("\0"):rep(100000) .. "5/9\n",         { "5/9" } },
  { "tabs stay",                   "a\tb\n\tc\n",                         { "a\tb", "\tc" } },
  { "bell, shifts, DEL",           "a\ab\14c\15d\5e\127\n",               { "abcde\127" } },
  { "UTF-8",                       "Übertragen █▌ 5\u{a0}%\n",            { "Übertragen █▌ 5\u{a0}%" } },
  { "bytes that are no UTF-8",     "\x80\xff\xc3(\x9b1m\xe2\x82\n",       { "\x80\xff\xc3(\x9b1m\xe2\x82" } },
  -- backspaces
  { "backspaces",                  "10%\b\b\b20%\b\b\b30%\n",             { "10%", "20%", "30%" } },
  { "after a text that stays",     "copied 10%\b\b\b20%\b\b\b100%\n",     { "copied 10%", "copied 20%", "copied 100%" } },
  { "at the end",                  "10%\b\b\b\n20%\b\b\b",                { "10%", "20%" } },
  { "more than there is",          "5%\b\b\b\b\b6%\n",                    { "5%", "6%" } },
  { "a character, not a byte",     "at é█\b\bab\n",                       { "at é█", "at ab" } },
  { "wiping with blanks",          "10%\b\b\b   \b\b\b20%\n",             { "10%", "20%" } },
  { "spinner",                     "wait |\b/\b-\b\\\n",                  { "wait |", "wait /", "wait -", "wait \\" } },
  { "ESC[D",                       "copied 10%\27[3D20%\27[D9\n",         { "copied 10%", "copied 20%", "copied 209" } },
  { "ESC[D without end",           "ab\27[99999999999999999999Dc\n",      { "ab", "c" } },
  { "ESC[D by 2^32 + 1",           "ab\27[4294967297Dc\n",                { "ab", "c" } },
  -- sequences that vanish
  { "colours",                     "\27[1;32m5\27[0m/\27[38;2;1;2;3m9\27[m\n", { "5/9" } },
  { "modes, marks",                "\27[?25l5/9\27[?25h\27[>4;1m\27[!p\27=\27>\n", { "5/9" } },
  { "grep's ESC[K",                "a\27[01;31m\27[Kb\27[m\27[Kc\n",      { "abc" } },
  { "charsets",                    "\27(B5\27)0/\27%G9\27#8\n",           { "5/9" } },
  { "title with BEL",              "\27]0;1/2\a5/9\n",                    { "5/9" } },
  { "link with ST",                "\27]8;;http://h/1/2\27\\5/9\27]8;;\27\\\n", { "5/9" } },
  { "DCS, APC, PM, SOS",           "\27P1/2\27\\\27_3/4\27\\\27^5/6\27\\\27X7/8\27\\9/9\n", { "9/9" } },
  { "screen's title",              "\27kbash 1/2\27\\5/9\n",              { "5/9" } },
  { "a marked move is none",       "5\27[?2J/\27[ A9\n",                  { "5/9" } },
  { "cancelled",                   "\27[31\0245/9\27]0;x\0266/9\n",       { "5/96/9" } },
  { "ESC ESC",                     "\27\27[1m5/9\27\n",                   { "5/9" } },
  { "a sequence in a string",      "\27]0;x\27[1m5/9\n",                  { "5/9" } },
  { "no end: the line end is one", "\27]0;title\n5/9\n\27[12\n6/9\27P\r7/9", { "5/9", "6/9", "7/9" } },
  { "no end at all",               "5/9\27]0;ti",                         { "5/9" } },
  { "broken by UTF-8",             "\27é \27[1é\27(é\n",                  { "é éé" } },
  { "a column to the right",       "10\27[3C20\n",                        { "10 20" } },
  -- moves that end a record
  { "up and wipe",                 "a 1\nb 1\n\27[2A\27[Ja 2\nb 2\n",     { "a 1", "b 1", "a 2", "b 2" } },
  { "stacked bars",                "x 1\n\ry 1\27[A\rx 2\n\ry 2\27[A",    { "x 1", "y 1", "x 2", "y 2" } },
  { "CR and wipe",                 "\r\27[K1/3\r\27[K2/3\r\27[2K3/3",     { "1/3", "2/3", "3/3" } },
  { "wipe, then column 1",         "1/3\27[2K\27[1G2/3\27[1K3/3",         { "1/3", "2/3", "3/3" } },
  { "to a place",                  "1/3\27[H2/3\27[5;1H3/3\27[2;2f4/3\27[3d5/3", { "1/3", "2/3", "3/3", "4/3", "5/3" } },
  { "lines up and down",           "a\27[Fb\27[Ec\27[Bd\27Me\27Df\27Eg",  { "a", "b", "c", "d", "e", "f", "g" } },
  { "saved place",                 "\0271/3\0272/3\0278x",                { "/3/3", "x" } },
  { "ESC[s, ESC[u",                "\27[s1/3\27[u2/3",                    { "1/3", "2/3" } },
  { "reset",                       "a\27cb",                              { "a", "b" } },
}

describe("a record", function()
  for _, case in ipairs(framing) do
    it(("is framed: %s"):format(case[1]), function()
      assert.same(case[3], texts(fed { case[2] }))
    end)
    it(("is framed byte by byte: %s"):format(case[1]), function()
      assert.same(fed { case[2] }, fed(pieces(case[2], 1, 1)))
    end)
  end

  it("says where it ended and how", function()
    assert.same({
      { text = "a", offset = 2, ends = "line" },
      { text = "b", offset = 4, ends = "line" },
      { text = "c", offset = 10, ends = "line" },
      { text = "(d)", offset = 13, ends = "pause" },
      { text = "e", offset = 14, ends = "last" },
    }, fed { "a\r", "b\n", "\nc\27[2K", "(d)", PAUSE, "e" })
  end)

  it("counts its offset on over a second output", function()
    local framer = source.records()
    framer:feed "abc"
    framer:finish()
    assert.equal(6, framer:feed("de\n")[1].offset)
  end)

  for _, max in ipairs { 1, 5, 4096, 65536 } do
    it(("is cut at %d bytes"):format(max), function()
      local long, exact = ("x"):rep(max + 1), ("y"):rep(max)
      local expected = {
        { text = long:sub(1, max), offset = max + 2, ends = "line", cut = true },
        { text = exact, offset = 2 * max + 3, ends = "line" },
      }
      local bytes = long .. "\n" .. exact .. "\n"
      assert.same(expected, fed({ bytes }, max))
      assert.same(expected, fed(pieces(bytes, 1 + max // 3, max), max))
    end)
  end

  it("of any length is one, and cut once", function()
    local framer, piece = source.records(), ("7/9 "):rep(25000)
    for _ = 1, 300 do assert.same({}, framer:feed(piece)) end
    assert.same({ "7/9 " }, { framer:feed("\n")[1].text:sub(1, 4) })
    assert.same({ 1, 1, 0 }, { framer:counts() })
    assert.same({ "next" }, texts(framer:feed "next\n"))
  end)

  it("survives a sequence that never ends", function()
    for _, begin in ipairs { "\27[", "\27]0;", "\27P", "\27(" } do
      local framer = source.records()
      assert.same({}, framer:feed("1/9 " .. begin))
      for _ = 1, 100 do assert.same({}, framer:feed(("   "):rep(30000))) end
      assert.same({ { text = "1/9 ", offset = 4 + #begin + 9000001, ends = "line", cut = true } }, framer:feed "\n")
      assert.same({ "2/9" }, texts(framer:feed "2/9\n"))
    end
  end)

  it("is not made of backspaces without end", function()
    local framer = source.records()
    assert.equal(1, #framer:feed("ab" .. ("\b"):rep(1000000)))
    assert.same({ "c" }, texts(framer:feed "c\n"))
  end)
end)

local pausing = {
  -- name                           bytes and pauses                                          records
  { "nothing",                      { PAUSE, "\n", PAUSE },                                   {} },
  { "no ends, as s5cmd",            { "1% (1/3)", PAUSE, "2% (2/3)", PAUSE, "3% (3/3)" },     { "1% (1/3)", "2% (2/3)", "3% (3/3)" } },
  { "dots",                         { ".", PAUSE, ".", PAUSE, "." },                          { ".", ".", "." } },
  { "a block's last line",          { "T: 1\n a: 5%, -", PAUSE, "T: 2\n a: 7%, 3s", PAUSE, "T: 3\n" }, { "T: 1", " a: 5%, -", "T: 2", " a: 7%, 3s", "T: 3" } },
  { "given once, CR later",         { "\r1/9 [a]", PAUSE, "\r2/9 [a]", PAUSE, "\n" },         { "1/9 [a]", "2/9 [a]" } },
  { "blanks behind",                { "\r5%  eta 3s   ", PAUSE, "\r" },                       { "5%  eta 3s   " } },
  { "clock time",                   { "9 5% 0:00:08  ", PAUSE, "\r" },                        { "9 5% 0:00:08  " } },
  { "colours behind",               { "(1/9)\27[0m", PAUSE, "\27[1m(2/9)" },                  { "(1/9)", "(2/9)" } },
  { "percents",                     { "5%", PAUSE, "6%" },                                    { "5%", "6%" } },
  { "brackets",                     { "[5/9]", PAUSE, "[6/9] " , PAUSE, "done!", PAUSE, "." }, { "[5/9]", "[6/9] ", "done!", "." } },
  { "rates, seconds",               { "5 MB/s", PAUSE, "6 MB/s", PAUSE, "9s", PAUSE, "8s" },  { "5 MB/s", "6 MB/s", "9s", "8s" } },
  { "marks",                        { "##", PAUSE, "#* ", PAUSE, "##" },                      { "##", "#* ", "##" } },
  -- torn: what comes next belongs to it
  { "torn number",                  { "50/10", PAUSE, "0\n" },                                { "50/100" } },
  { "torn before the slash",        { "5", PAUSE, "0/100\n" },                                { "50/100" } },
  { "torn at the slash",            { "50/", PAUSE, "100\n" },                                { "50/100" } },
  { "torn decimals",                { "1.", PAUSE, "5 of 2,", PAUSE, "000\n" },               { "1.5 of 2,000" } },
  { "torn unit",                    { "512 K", PAUSE, "iB / 1 G", PAUSE, "B\n" },             { "512 KiB / 1 GB" } },
  { "torn before the unit",         { "512 ", PAUSE, "MiB\n" },                               { "512 MiB" } },
  { "torn name",                    { "photos/img_039.r", PAUSE, "aw\n" },                    { "photos/img_039.raw" } },
  { "torn time stamp",              { "12-31 23:59:59", PAUSE, ".5 a/s", PAUSE, "rv/b\n" },   { "12-31 23:59:59.5 a/srv/b" } },
  { "torn clock",                   { "5% 0:00", PAUSE, ":08 (1/9)", PAUSE, "\r" },           { "5% 0:00:08 (1/9)" } },
  { "minutes go on",                { "5/9 3m", PAUSE, "20s", PAUSE, "\r" },                  { "5/9 3m20s" } },
  { "torn character",               { "\xe2\x96", PAUSE, "\x88 5%", PAUSE },                  { "█ 5%" } },
  { "torn sequence",                { "(5/9)\27[", PAUSE, "0m x\n" },                         { "(5/9) x" } },
  { "torn sign",                    { "at -", PAUSE, "5\n" , "at-", PAUSE, "5\n" },           { "at -", "5", "at-5" } },
  { "blanks in front",              { "   ", PAUSE, "5/9\n" },                                { "   5/9" } },
  { "torn again and again",         { "5", PAUSE, "0", PAUSE, "/", PAUSE, "1", PAUSE, "0\n" }, { "50/10" } },
  { "a block of 4096 with dots",    { "1000K ....", PAUSE, ".. 5%\n" },                       { "1000K ...... 5%" } },
  -- a tool that always pauses at an end
  { "one step late",                { "\r1/9", PAUSE, "\r2/9", PAUSE, "\r3/9", PAUSE },       { "1/9", "2/9", "3/9" } },
  { "percents in one line",         { "10%...", PAUSE, "20%...", PAUSE, "30%" },               { "10%...", "20%...", "30%" } },
  { "killed while torn",            { "49/100\n50/10", KILLED },                              { "49/100" } },
  { "killed while closed",          { "49/100\n50/100 (50%)", KILLED },                       { "49/100", "50/100 (50%)" } },
}

describe("a pause", function()
  for _, case in ipairs(pausing) do
    it(("ends a record or not: %s"):format(case[1]), function() assert.same(case[3], texts(fed(case[2]))) end)
  end

  local function trusted(framer)
    for i = 1, source.TRUST do
      assert.same({}, framer:pause(), "not yet")
      assert.equal(i == 1 and 0 or 1, #framer:feed(("\r%d/90"):format(i)))
    end
  end

  it("is taken for an end once it was one three times in a row", function()
    local framer = source.records()
    framer:feed "\r1/90"
    for i = 2, source.TRUST + 1 do
      assert.same({}, framer:pause())
      assert.same({ ("%d/90"):format(i - 1) }, texts(framer:feed(("\r%d/90"):format(i))))
    end
    assert.same({ { text = "4/90", offset = 20, ends = "pause" } }, framer:pause())
    assert.same({}, framer:pause(), "given once")
    assert.same({}, framer:feed "\r", "and not again at its end")
    framer:feed "5/90"
    assert.same({ "5/90" }, texts(framer:pause()))
    assert.same({}, framer:finish())
  end)

  it("loses that trust with the first text that goes on, which is given whole", function()
    local framer = source.records()
    trusted(framer)
    framer:pause()
    framer:feed "\r5/10"
    assert.same({ "5/10" }, texts(framer:pause()))
    assert.same({ "5/100" }, texts(framer:feed "0\r"))
    framer:feed "6/100"
    assert.same({}, framer:pause())
  end)

  it("is not trusted with a word shorter than before", function()
    local framer = source.records()
    trusted(framer)
    framer:pause()
    assert.same({ "3/90" }, texts(framer:feed "\r5/9"))
    assert.same({}, framer:pause())
    assert.same({ "5/90" }, texts(framer:feed "0\r"))
  end)

  it("is not trusted where a block of 4096 bytes ends", function()
    for more = 0, 1 do
      local framer = source.records()
      trusted(framer)
      framer:pause()
      framer:feed("\n" .. ("x"):rep(4096 + more - 5 * source.TRUST - 6) .. "\n4/90")
      assert.equal(more, #framer:pause())
    end
  end)

  it("of a closed text counts as well", function()
    for _, after in ipairs { "\r", "\27[A", "\b" } do
      local framer = source.records()
      for _ = 1, source.TRUST do
        assert.equal(0, #framer:feed "[x]")
        assert.equal(1, #framer:pause())
        assert.equal(0, #framer:feed(after))
      end
      framer:feed "5"
      assert.equal(1, #framer:pause())
    end
  end)

  it("of a closed text that goes on ends the trust", function()
    local framer = source.records()
    trusted(framer)
    framer:pause()
    framer:feed "\r[x]"
    framer:pause()
    framer:feed "y\r5/90"
    assert.same({}, framer:pause())
  end)

  it("is not trusted after a gap, nor in another output", function()
    for _, breaks in ipairs { "gap", "finish" } do
      local framer = source.records()
      trusted(framer)
      framer:pause()
      framer:feed "\r\n"
      framer[breaks](framer)
      framer:feed "\n5/90"
      assert.same({}, framer:pause())
    end
  end)

  it("leaves no timer to be set", function()
    local framer = source.records()
    assert.is_false(framer:pending())
    framer:feed "a\n"
    assert.is_false(framer:pending())
    framer:feed "b"
    assert.is_true(framer:pending())
    framer:pause()
    assert.is_false(framer:pending())
    framer:feed "c"
    assert.is_true(framer:pending())
    framer:feed "\n"
    assert.is_false(framer:pending())
  end)

  it("looks at the end of what was cut, however it came", function()
    for at = 1, 12 do
      local records = fed({ ("aaaaaa 5MB/s"):sub(1, at), ("aaaaaa 5MB/s"):sub(at + 1), PAUSE, "(2/3)" }, 11)
      assert.same({ "aaaaaa 5MB/", "(2/3)" }, texts(records), at)
    end
  end)

  it("brings a cut record of a tool without ends to an end", function()
    local block = ("5% (1/3) "):rep(20)
    local records = fed({ block, PAUSE, "6% (2/3)" }, 64)
    assert.same({ { text = block:sub(1, 64), offset = #block, ends = "pause", cut = true },
      { text = "6% (2/3)", offset = #block + 8, ends = "last" } }, records)
  end)
end)

describe("a gap", function()
  local cases = {
    -- name                       bytes, gaps, pauses                       records
    { "in a line",                { "a\n5/", GAP, "100\nb\n" },             { "a", "b" } },
    { "between lines",            { "a\n", GAP, "b\nc\n" },                 { "a", "c" } },
    { "in a sequence",            { "a\27]0;", GAP, "x\n5/9\n" },           { "5/9" } },
    { "in a sequence, then a pause", { "a\27]0;", GAP, "(1/3)", PAUSE, "(2/3)" }, { "(2/3)" } },
    { "then nothing",             { "5/9", GAP },                           {} },
    { "then a pause",             { "5/", GAP, PAUSE, "10", PAUSE, "0\nb\n" }, { "b" } },
    { "a tool without ends",      { "(1/9)", GAP, "/9)", PAUSE, "(3/9)", PAUSE }, { "(3/9)" } },
    { "backspaces after it",      { "ab", GAP, "5\b6\n7\n" },               { "7" } },
    { "two in a row",             { "5", GAP, "/", GAP, "9\n7\n" },         { "7" } },
  }
  for _, case in ipairs(cases) do
    it(("drops what it tore: %s"):format(case[1]), function() assert.same(case[3], texts(fed(case[2]))) end)
  end

  it("moves the offset by what was lost", function()
    local framer = source.records()
    framer:feed "abc"
    framer:gap(1000)
    assert.same({ { text = "d", offset = 1007, ends = "line" } }, framer:feed "x\nd\n")
    assert.same({ 1, 0, 1 }, { framer:counts() })
  end)
end)

describe("recordings", function()
  local names = recording.names()

  it("are there", function() assert.is_true(#names >= 20) end)

  for _, name in ipairs(names) do
    local bytes = recording.bytes(name)
    local whole = fed { bytes }

    it("give the same records however they are cut: " .. name, function()
      for seed, most in ipairs { 1, 2, 7, 100, 5000 } do assert.same(whole, fed(pieces(bytes, most, seed))) end
    end)

    it("give records without controls, in order: " .. name, function()
      local before = 0
      for _, record in ipairs(whole) do
        assert.is_nil(record.text:find "[\0-\8\10-\31]")
        assert.is_true(record.offset > before and record.offset <= #bytes)
        before = record.offset
      end
    end)

    if not bytes:find "[\1-\8\14-\31]" then
      it("give their bytes and nothing else: " .. name, function()
        local lines = {}
        for line in bytes:gmatch "[^\r\n]+" do
          if line:find "[^ \t]" then lines[#lines + 1] = line:sub(1, 4096) end
        end
        assert.same(lines, texts(whole))
        for _, record in ipairs(whole) do
          if not record.cut then
            local last = record.ends == "last" and record.offset or record.offset - 1
            assert.equal(record.text, bytes:sub(last - #record.text + 1, last))
          end
        end
      end)
    end

    -- wherever a writer may stop for a while: what is given then holds no number or word that goes on (but for ids at random)
    it("give nothing torn at a pause: " .. name, function()
      for i, record in ipairs(whole) do
        local text = record.text
        for at = 1, i <= 30 and not record.cut and #text - 1 or 0 do
          local framer = source.records()
          framer:feed(text:sub(1, at))
          if #framer:pause() > 0 then
            local edge = text:sub(at, at + 1)
            local word = text:sub(1, at):match "%w*$" .. text:sub(at + 1):match "^%w*"
            assert.is_nil(#word < 32 and edge:find "^%w%w" or text:find "%w" and edge:find "^[%d.,][%d.,]",
              text:sub(1, at) .. "|" .. text:sub(at + 1))
          end
        end
      end
    end)
  end

  --- How many of a recording's records match.
  local function count(name, pattern, pauses)
    local n, last = 0, nil
    for _, record in ipairs(recording.records(name, pauses)) do
      if record.text:find(pattern) then n, last = n + 1, record end
    end
    return n, last
  end

  local known = {
    -- recording                     each record of its kind                        how many, the last one
    { "s5cmd/cp-progress-pipe",      "^[%d.]+%% .*%(%d+/%d+%)$",                    87, "%(1800/1800%)" },
    { "s5cmd/cp-progress-pty",       "^[%d.]+%% .*%(%d+/%d+%)$",                    89, "%(1800/1800%)" },
    { "rclone/copy-progress-pipe",   "^Transferred:%s+%d+ / 60, %d+%%",             23, "60 / 60" },
    { "rclone/copy-progress-pty",    "^Transferred:%s+%d+ / 60, %d+%%",             23, "60 / 60" },
    { "tar/checkpoint-dot-pipe",     "^%.$",                                        23, "%." },
    { "tar/verbose-pipe",            "^photos/",                                    65, "raw" },
    { "tqdm/nested-pty",             "^epoch: .* %d/3 %[",                          5, "3/3" },
    { "tqdm/nested-pipe",            "^epoch: .* %d/3 %[",                          5, "3/3" },
    { "juicefs/warmup-small-files-pty", "^warmup cache file: %d+",                  39, "900" },
    { "rsync/progress2-noinc-pipe",  "^ +[%d,]+ +%d+%% ",                           74, "to%-chk=0/65%)$" },
    { "aria2c/readout-pty",          "^%[#.*%]$",                                   11, "9%.0MiB/10MiB" },
    { "wget/dot-mega-pipe",          "^ +%d+K[ .]+%d+%% ",                          4, "100%%" },
    { "dd/progress-pty",             "^%d+ bytes .* copied",                        10, "^10485760" },
    { "xz/v6-pty",                   " %% ",                                        6, "100 %%" },
  }
  for _, case in ipairs(known) do
    it(("of %s are what it shows"):format(case[1]), function()
      local n, last = count(case[1], case[2])
      assert.equal(case[3], n)
      assert.truthy(last.text:find(case[4]), last.text)
    end)
  end

  it("are seen at the pause where the tool prints CR first", function()
    local pauses, late = 0, 0
    for _, record in ipairs(recording.records "aria2c/readout-pty") do
      if record.text:find "^%[#" then
        if record.ends == "pause" then pauses = pauses + 1 else late = late + 1 end
      end
    end
    assert.same({ 10, 1 }, { pauses, late })
    local n = 0
    for _, record in ipairs(recording.records "curl/meter-pty") do n = n + (record.ends == "pause" and 1 or 0) end
    assert.equal(8, n) -- the first three are held: its lines end in a digit or a K
  end)
end)
