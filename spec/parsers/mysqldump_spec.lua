local case = require "spec.support.parser_case"

local function table_of(name) return "-- Retrieving table structure for table " .. name .. "..." end
local BYE = "-- Disconnecting from localhost..."

describe("mysqldump:", function()
  case.rows(it, "mysqldump", {
    { "the first table",  table_of "a",                         { done = 0, unit = "tables" } },
    { "the next",         { table_of "a", table_of "b" },       { done = 1, unit = "tables" } },
    { "the end",          { table_of "a", table_of "b", BYE },  { done = 2, unit = "tables", ended = "complete" } },
    { "an error",         "mysqldump: Couldn't find table: \"none\"", { ended = "failed", message = "Couldn't find table: \"none\"" } },
    { "with its folder",  "/usr/bin/mysqldump: Got error: 1045", { ended = "failed", message = "Got error: 1045" } },
    { "of another",       "/usr/bin/xmysqldump: Got error: 1045" },
    { "its end",          { table_of "a", "mysqldump: Got error: 2013", BYE }, { done = 0, unit = "tables", ended = "failed" } },
    { "a warning",        "mysqldump: [Warning] Using a password on the command line interface can be insecure." },
    { "a view",           "-- Retrieving view structure for table v1..." },
    { "rows",             "-- Retrieving rows..." },
    { "nothing",          "" },
  })
  case.rows(it, "mysqldump", {
    { "of a total that is told", { table_of "a", table_of "b" },                 { done = 1, total = 2, unit = "tables" } },
    { "of more than was told",   { table_of "a", table_of "b", table_of "c", BYE }, { done = 3, total = 3, unit = "tables", ended = "complete" } },
  }, { tables = "2" })
  case.ends(it, "mysqldump", { { {}, 0, "complete" }, { {}, 6, "failed" }, { {}, nil, nil }, { { BYE }, nil, "complete" } })
  case.quick(it, "mysqldump", { ("-- Retrieving table structure "):rep(130), table_of(("a"):rep(4000)), ("mysqldump: "):rep(370), ("a/"):rep(2000) .. "mysqldump: " })
end)
