local case = require "spec.support.parser_case"

local function bar(name, done, total) return ("%s:  42%%|████▏     | %d/%d [00:04<00:05,  9.93it/s]"):format(name, done, total) end
local function items(done, total, more)
  return case.with({ done = done, total = total, unit = "items" }, more)
end

describe("tqdm, one record:", function()
  case.rows(it, "tqdm", {
    { "a bar",                "Loading shards:  42%|████▏     | 42/100 [00:04<00:05,  9.93it/s]",       items(42, 100) },
    { "at the start",         "Loading shards:   0%|          | 0/120 [00:00<?, ?it/s]",               items(0, 120) },
    { "slow: seconds each",   "epoch: 100%|██████████| 3/3 [00:09<00:00,  3.05s/it]",                  items(3, 3) },
    { "more behind the rate", "train:  42%|####2     | 42/100 [00:04<00:05,  9.93it/s, loss=0.1]",     items(42, 100) },
    { "no name",              " 42%|####      | 42/100 [00:04<00:05,  9.93it/s]",                      items(42, 100) },
    { "no bar",               "train:  42% 42/100 [00:04<00:05,  9.93it/s]",                           items(42, 100) },
    { "hours",                "train:  42%|###| 42/100 [12:34:56<1:02:03,  9.93s/it]",                 items(42, 100) },
    { "bytes",                "m.bin:   5%|▍         | 1.12M/24.0M [00:00<00:07, 3.10MB/s]",           { done = 1174405, total = 25165824, unit = "bytes" } },
    { "bytes, none yet",      "m.bin:   0%|          | 0.00/24.0M [00:00<?, ?B/s]",                    { done = 0, total = 25165824, unit = "bytes" } },
    { "scaled items",         "x:  50%|#####     | 1.50k/3.00k [00:00<00:07, 3.10kit/s]",              items(1500, 3000) },
    { "another unit",         "x:  50%|#####     | 5/10 [00:00<00:07, 3.10row/s]",                     { done = 5, total = 10, unit = "row" } },
    { "no total",             "rows: 300row [00:08, 36.82row/s]",                                      { done = 300, unit = "row" } },
    { "no total, no name",    "300it [00:08, 36.82it/s]",                                              { done = 300, unit = "items" } },
    { "an unknown total",     "x: 300/? [00:08<?, 36.82it/s]",                                         { done = 300, unit = "items" } },
    { "over its total",       "x: 120/100 [00:08<00:00, 36.82it/s]",                                   { done = 120, unit = "items" } },
    { "a name with brackets", "a [b] [c]:  42%|###| 42/100 [00:04<00:05,  9.93it/s]",                  items(42, 100) },
    { "a name with a ratio",  "step 3/7:  42%|###| 42/100 [00:04<00:05,  9.93it/s]",                   items(42, 100) },
    { "text of the program",  "INFO converting part 0 of step 3/7 (12% of budget)" },
    { "a traceback",          "RuntimeError: shard 60 is truncated: 1024/4096 bytes" },
    { "a rate",               "downloaded 5/10 at 3 it/s" },
    { "times without counts", "x [00:04<00:05,  9.93it/s]" },
    { "nothing",              "" },
  })
end)

describe("tqdm, from bar to bar:", function()
  case.rows(it, "tqdm", {
    { "it grows",                     { bar("a", 1, 9), bar("a", 2, 9) },                             items(2, 9) },
    { "the same again",               { bar("a", 2, 9), bar("a", 2, 9) },                             items(2, 9) },
    { "a step back is none",          { bar("a", 3, 9), bar("a", 2, 9) },                             items(3, 9) },
    { "from zero again",              { bar("a", 3, 9), bar("a", 0, 9) },                             items(0, 9, { restart = true }) },
    { "the name counts too",          { bar("shard 1: loss 0.31", 1, 9), bar("shard 1: loss 0.29", 2, 9) }, items(2, 9) },
    { "an inner bar shows life",      { bar("epoch", 1, 3), bar("batch", 7, 60) },                    items(1, 3, { message = "batch 7/60" }) },
    { "an inner bar without a total", { bar("epoch", 1, 3), "rows: 300row [00:08, 36.82row/s]" },     items(1, 3, { message = "rows 300" }) },
    { "an inner bar without a name",  { bar("epoch", 1, 3), " 10%|#| 6/60 [00:01<00:09, 5.0it/s]" },  items(1, 3, { message = "inner bar 6/60" }) },
    { "the outer one goes on",        { bar("epoch", 1, 3), bar("batch", 60, 60), bar("epoch", 2, 3) }, items(2, 3) },
    { "one behind a full one",        { bar("load", 9, 9), bar("train", 1, 5) },                      items(1, 5, { restart = true }) },
    { "and it grows",                 { bar("load", 9, 9), bar("train", 1, 5), bar("train", 2, 5) },  items(2, 5) },
  })

  local function epoch(name, index, count)
    return { phase = { name = name, index = index, count = count, weight = count and 1 / count } }
  end
  local function rich(name, done, total) return ("%s ━━━━━━╺━━━━━━━━━━ %d/%d 0:00:00 • -:--:-- 15.80it/s loss: 0.137"):format(name, done, total) end

  case.rows(it, "tqdm", {
    { "an epoch is a phase",          bar("epoch 1: loss 0.31", 1, 9),                                items(1, 9, epoch("epoch 1", 1)) },
    { "the next one",                 { bar("Epoch 1", 9, 9), bar("Epoch 2", 0, 9) },                 items(0, 9, epoch("Epoch 2", 2)) },
    { "of how many",                  { bar("Epoch 1/3", 9, 9), bar("Epoch 2/3", 1, 9) },             items(1, 9, epoch("Epoch 2", 2, 3)) },
    { "they begin with 0",            { bar("Epoch 0", 9, 9), bar("Epoch 1", 1, 9) },                 items(1, 9, epoch("Epoch 1", 2)) },
    { "the first one again",          { bar("Epoch 2", 9, 9), bar("Epoch 1", 0, 9) },                 items(0, 9, case.with({ restart = true }, epoch("Epoch 1", 1))) },
    { "an epoch over its count",      bar("Epoch 4/3", 1, 9),                                         items(1, 9) },
    { "an epoch over 999",            bar("Epoch 1000", 1, 9),                                        items(1, 9) },
    { "an epoch over 63 bits",        bar("Epoch " .. ("9"):rep(30), 1, 9),                           items(1, 9) },
    { "Lightning: a bar is renamed",  { bar("Sanity Checking", 0, 2), bar("Sanity Checking DataLoader 0", 1, 2) }, items(1, 2) },
    { "Lightning: no name yet",       bar("Training", 0, 20) },
    { "Lightning: no total yet",      "Validation: |          | 0/? [00:00<?, ?it/s]" },
    { "Lightning: it validates",      { bar("Epoch 0", 20, 20), bar("Validation DataLoader 0", 2, 5) },
                                      items(20, 20, case.with({ message = "Validation 2/5" }, epoch("Epoch 0", 1))) },
    { "Lightning: validation alone",  { bar("Validation", 0, 5), bar("Validation DataLoader 0", 2, 5) }, items(2, 5) },
    { "Lightning: zero, then its name", { bar("Epoch 0", 20, 20), bar("Epoch 0", 0, 20) } },
    { "Lightning: the same epoch again", { bar("Epoch 0", 20, 20), bar("Epoch 0", 0, 20), bar("Epoch 0", 1, 20) },
                                      items(1, 20, case.with({ restart = true }, epoch("Epoch 0", 1))) },
    { "rich",                         rich("Epoch 0/2 ", 3, 20),                                      items(3, 20, epoch("Epoch 0", 1, 3)) },
    { "rich, the last one",           { rich("Epoch 1/2", 20, 20), rich("Epoch 2/2", 3, 20) },        items(3, 20, epoch("Epoch 2", 3, 3)) },
    { "rich, without an end",         rich("Epoch 1/-2", 3, 20) },
    { "rich, validation",             rich("Validation", 3, 20),                                      items(3, 20) },
    { "rich, over 63 bits",           "Epoch 0/2 ━ " .. ("9"):rep(30) .. "/9 0:00:00 • -:--:-- 15.80it/s" },
    { "rich, of another program",     "Working ━━━━ 40% • 0:00:02 • 3/9" },
  })

  it("k of bytes is 1000 where the option says so", function()
    local h = case.new("tqdm", { base = "1000" })
    assert.equal(24000000, h:feed("m:   5%|▍| 1.12M/24.0M [00:00<00:07, 3.10MB/s]").total)
  end)

  case.ends(it, "tqdm", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil }, { { bar("a", 9, 9) }, nil, nil } })
  case.quick(it, "tqdm", {
    (" ["):rep(2040) .. "it/s", (" [00:00"):rep(500) .. "it/s", " [0:" .. ("0:"):rep(2000) .. "it/s", ("1"):rep(4000) .. " [00:00, 1it/s]",
    (" "):rep(4000) .. "1/2 [00:00, 1it/s]", "1/2 [00:00, " .. ("1"):rep(3990) .. "it/s", "%|" .. ("█"):rep(1000) .. " 1/2 [00:00<00:01, 1it/s]",
    ("9"):rep(40) .. "/" .. ("9"):rep(40) .. " [00:00, 1it/s]", ("9"):rep(18) .. "E/" .. ("9"):rep(18) .. "E [00:00, 1B/s]", "..../.... [00:00, 1it/s]",
    (" • "):rep(800) .. "1it/s", "a" .. (" "):rep(4000) .. " 1/2 0:00 • 0 1it/s", "1/2 0:00 • " .. ("0"):rep(4000) .. "it/s",
    "1.2.3/4.5.6 [00:00, 1it/s]", ("a: "):rep(1000) .. "1/2 [00:00, 1it/s]",
  })
end)
