std = "lua54"
max_line_length = 120
cache = false
exclude_files = { "build" }
files["spec"] = { std = "+busted" }
files["scripts/headway/meta"] = { ignore = { "2../.*", "1../.*" } } -- declarations only, for LuaLS
files["spec"].max_line_length = 170 -- a row of cases stays on its line
