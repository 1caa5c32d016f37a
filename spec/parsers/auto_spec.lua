local case = require "spec.support.parser_case"

local function items(done, total) return { done = done, total = total, unit = "items" } end
local function bytes(done, total) return { done = done, total = total, unit = "bytes" } end
local MIB, GIB = 1 << 20, 1 << 30

--- A form with %s in the place of the number that grows.
local function growing(form, ...)
  local list = {}
  for i, n in ipairs { ... } do list[i] = (form:gsub("@", tostring(n))) end
  return list
end

describe("auto, taken:", function()
  case.rows(it, "auto", {
    { "N/M alone, at once",        "40/100",                                                    items(40, 100) },
    { "N/M alone, spaced",         "  040 / 100 ",                                              items(40, 100) },
    { "a pair",                    growing("Copied @/10", 3, 4),                                items(4, 10) },
    { "a pair in brackets",        growing("[@/10] built x.o", 3, 4),                           items(4, 10) },
    { "in parentheses",            growing("loading (@/10)", 3, 4),                             items(4, 10) },
    { "in parentheses, in front",  growing("(@/10) file foo", 3, 4),                            items(4, 10) },
    { "behind a name",             growing("done=@/10 lr=0.1", 3, 4),                           items(4, 10) },
    { "with spaces",               growing("Completed: @ / 10", 3, 4),                          items(4, 10) },
    { "x of y",                    growing("Copied @ of 10 files", 3, 4),                       { done = 4, total = 10, unit = "files" } },
    { "x out of y",                growing("Copied @ out of 10 objects.", 3, 4),                { done = 4, total = 10, unit = "objects" } },
    { "in front of the words",     growing("@/10 files copied", 3, 4),                          { done = 4, total = 10, unit = "files" } },
    { "the end of a sentence",     growing("Copied @ of 10.", 3, 4),                            items(4, 10) },
    { "grouped",                   growing("@,000/10,000 rows", 3, 4),                          { done = 4000, total = 10000, unit = "rows" } },
    { "bytes of bytes",            growing("@ MiB / 4 GiB", 1, 2),                              bytes(2 * MIB, 4 * GIB) },
    { "one unit for both",         growing("@/10MiB", 1, 2),                                    bytes(2 * MIB, 10 * MIB) },
    { "decimals, and the percent", { "[#1 1.5MiB/10MiB(15%) CN:1]", "[#1 2.5MiB/10MiB(25%) CN:1]" }, bytes(2 * MIB + MIB // 2, 10 * MIB) },
    { "bytes of bytes in words",   growing("@.0 KiB of 2 MiB downloaded", 1, 2),                bytes(2048, 2 * MIB) },
    { "decimal commas",            growing("copied @,5 MB of 10,0 MB", 1, 2),                   bytes(2500000, 10000000) },
    { "a decimal comma in one",    growing("copied @,5 MB of 1.000 MB", 1, 2),                  bytes(2500000, 1000000000) },
    { "groups and decimal commas", growing("copied 1.@34,5 MB of 2.000,0 MB", 1, 2),            bytes(1234500000, 2000000000) },
    { "spaces that don't break",   growing("copied 1\u{A0}@34,5\u{A0}MB of 2\u{A0}000,0\u{A0}MB", 1, 2), bytes(1234500000, 2000000000) },
    { "narrow ones, of files",     growing("copied @\u{202F}234 of 2\u{202F}000\u{202F}000 files", 1, 2), { done = 2234, total = 2000000, unit = "files" } },
    { "plain spaces, by the total", growing("2026-11-23 19:05:10 copied 1 @34,5 MB of 2 000,0 MB", 1, 2), bytes(1234500000, 2000000000) },
    { "under a thousand of more",  growing("copied @34,5 MB of 2 000,0 MB", 1, 2),              bytes(234500000, 2000000000) },
    { "a percent and such a space", growing("@,5\u{A0}%", 1, 2, 3),                             { fraction = 0.035 } },
    { "alone, behind date and time", growing("2026-11-25 10:00:0@ @/100", 1, 2),                items(2, 100) },
    { "a few, behind date and time", growing("2026-11-25T10:00:0@.123Z @/10", 1, 2),            items(2, 10) },
    { "in brackets, with a zone",  growing("[2026/11/25 10:00:0@,123 +0000] @/10", 1, 2),       items(2, 10) },
    { "behind syslog's time",      growing("Nov 25 10:00:0@ @/10", 1, 2),                       items(2, 10) },
    { "behind a time",             growing("[10:00:0@] @/100", 1, 2),                           items(2, 100) },
    { "an estimate",               growing("Completed @ MiB/~10 MiB (1 MiB/s)", 1, 2),          { done = 2 * MIB, total = 10 * MIB, unit = "bytes", scanning = true } },
    { "a layer of an image",       growing("a1b2c3d4: Downloading [==>   ]  @MB/45MB", 1, 2),   bytes(2000000, 45000000) },
    { "a date in front",           growing("2026-11-23 19:05:10 copied @/10", 3, 4),            items(4, 10) },
    { "in a log",                  growing("2026-11-23 19:05:10,123 INFO [main] c.e.Job - Processed @/90 records", 3, 4), { done = 4, total = 90, unit = "records" } },
    { "behind the name of a worker", growing("[worker-3] INFO pod copier: Processed @ of 90 files", 3, 4), { done = 4, total = 90, unit = "files" } },
    { "in logfmt",                 growing('time="2026-11-23T19:05:10Z" level=info msg="copied @/10 files"', 3, 4), { done = 4, total = 10, unit = "files" } },
    { "in JSON",                   growing('{"level":"info","msg":"copied @ of 10 files","errors":3}', 3, 4), { done = 4, total = 10, unit = "files" } },
    { "the rate behind it",        growing("@/10 (5.0 MB/s)", 3, 4),                            items(4, 10) },
    { "what is left, beside it",   growing("Copied @/10 (5 remaining)", 3, 4),                  items(4, 10) },
    { "a percent",                 growing("downloading @%", 1, 2, 3),                          { fraction = 0.03 } },
    { "a percent in brackets",     growing("[ @%] Building CXX object x.o", 1, 2, 3),           { fraction = 0.03 } },
    { "a percent with decimals",   growing("@.5% done", 1, 2, 3),                               { fraction = 0.035 } },
    { "a decimal comma",           growing("@,5 %", 1, 2, 3),                                   { fraction = 0.035 } },
    { "one line of percents",      "0%...10%...20%...35%",                                      { fraction = 0.35 } },
    { "with equal steps",          "10% 20% 30% 40%",                                           { fraction = 0.4 } },
    { "its pieces",                growing("@0%...", 1, 2, 3),                                  { fraction = 0.3 } },
    { "its pieces, dots in front", growing("...@0%", 1, 2, 3),                                  { fraction = 0.3 } },
    { "its pieces, behind a word", { "copying: 10%, ", "20%, ", "30%, ", "40%, " },             { fraction = 0.4 } },
    { "a percent of a size",       growing("@% of 10.00MiB at 1MiB/s", 1, 2, 3),                { fraction = 0.03 } },
    { "a percent and a time left", growing("data.bin   @%   43MB  10.2MB/s   00:05 ETA", 1, 2, 3), { fraction = 0.03 } },
    { "a warm-up",                 growing("Warmup: @.00%", 1, 2, 3),                           { fraction = 0.03 } },
    { "behind a bar",              { "[=>   ] 1%", "[==>  ] 2%", "[===> ] 3%" },                { fraction = 0.03 } },
    { "behind a bar of blocks",    growing("██▌     @%", 1, 2, 3),                              { fraction = 0.03 } },
    { "behind dots",               growing("(Reading database ... @%", 5, 10, 15),              { fraction = 0.15 } },
    { "git",                       growing("Receiving objects:  @% (7/16)", 43, 44, 45),        { fraction = 0.45 } },
    { "pip",                       growing("   ━━━━━━╸━━━ @.0/45.5 MB 10.1 MB/s eta 0:00:01", 1, 2), bytes(2000000, 45500000) },
    { "a bar of tqdm",             "x:  42%|████▏     | 42/100 [00:04<00:05,  9.93it/s]",       items(42, 100) },
    { "rsync",                     "  164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=62/65)",
      { done = 3, total = 65, unit = "entries", also = { { done = 164981, unit = "bytes" }, { done = 1, unit = "files" } } } },
    { "rsync behind a bar of tqdm", { "x:  42%|████▏     | 42/100 [00:04<00:05,  9.93it/s]", "  164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=62/65)" } },
    { "from the end to the begin", growing("copied @/10", 9, 10, 1),                            { done = 1, total = 10, unit = "items", restart = true } },
    { "a step back is none",       growing("copied @/10", 7, 8, 6),                             items(8, 10) },
    { "a total that grows later",  { "copied 1/10", "copied 2/10", "copied 3/20" },             items(3, 20) },
    { "a smaller total is another thing's", { "copied 1/30", "copied 2/30", "copied 3/20" },    items(2, 30) },
    { "between other lines",       { "copied 1/10", "GET /a/b 1/2", "copied 2/10" },            items(2, 10) },
  })
end)

describe("auto, what is worked on:", function()
  case.rows(it, "auto", {
    { "one less is done",          growing("Epoch @/3", 1, 2),                                  items(1, 3) },
    { "the last one is begun",     growing("Epoch @/3", 1, 2, 3),                               items(2, 3) },
    { "with its loss",             growing("Epoch @/3 - loss: 0.31 - acc: 0.9", 2, 3),          items(2, 3) },
    { "with its loss, bare",       growing("train: step @/900 loss 0.31", 2, 3),                items(2, 900) },
    { "a step of a build",         growing("Step @/12 : RUN apt-get update", 11, 12),           items(11, 12) },
    { "in brackets",               growing("[STEP @/12]", 11, 12),                              items(11, 12) },
    { "a step that begins",        growing("[@/3] copying a.bin", 2, 3),                        items(2, 3) },
    { "behind a time",             growing("2026-11-25 10:00:00 INFO [@/3] Copying a.bin", 2, 3), items(2, 3) },
    { "in parentheses",            growing("(@/10) Installing foo", 3, 4),                      items(3, 10) },
    { "as an order",               growing("[@/4] Fetch packages", 3, 4),                       items(3, 4) },
    { "and is done",               growing("[@/3] copying a.bin: done", 2, 3),                  items(3, 3) },
    { "what counts inside a step is not all", { "[1/3] copying", "copied 1/60", "copied 2/60", "copied 60/60" } },
    { "in words",                  growing("Stage @ of 3: sort", 2, 3),                         items(2, 3) },
    { "of files",                  growing("Copying file @ of 10", 9, 10),                      items(9, 10) },
    { "how far inside, behind it", { "shard 1/3: copied 100%", "shard 2/3: copied 10%", "shard 3/3: copied 10%" }, items(2, 3) },
    { "how many inside, behind it", { "shard 1/3: copied 5 of 100 files", "shard 2/3: copied 5 of 100 files" }, items(1, 3) },
    { "it is done",                growing("Epoch @/3 done", 2, 3),                             items(3, 3) },
    { "done in front",             growing("Completed step @/3", 2, 3),                         items(3, 3) },
    { "begun, then done",          { "Epoch 1/3", "Epoch 2/3", "Epoch 3/3", "Epoch 3/3 done" }, items(3, 3) },
    { "what counts inside is not all", { "Epoch 1/3", "[=>  ] 1/60", "[=>  ] 2/60", "[====] 60/60" } },
    { "nor is a bar inside",       { "Epoch 1/3", "x: 100%|██| 60/60 [00:04<00:00,  9.93it/s]" } },
    { "percents inside",           { "Epoch 1/3", "loaded 50%", "loaded 75%", "loaded 100%", "Epoch 2/3" }, items(1, 3) },
    { "known later than what is inside", { "copied 1/60", "copied 2/60", "Epoch 1/3", "Epoch 2/3" }, { done = 1, total = 3, unit = "items", restart = true } },
    { "begins anew",               growing("Epoch @/3", 2, 3, 1),                               { done = 0, total = 3, unit = "items", restart = true } },
  })
end)

--- All the numbers from 1 on: whatever grows for long enough is taken for progress by what only looks for growth.
local function climbing(form)
  return growing(form, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
end

describe("auto, not fooled by what grows:", function()
  for _, form in ipairs {
    -- dates and times
    "11/@ run backup", "@/12 run backup", "cron: @/12 run backup", "INFO 11/@ backup", "@/12 08:15:00 backup of files done", "backup on @/12",
    "copied from @/12", "[@/12 08:15:00] copy", "eta @/12 min",
    "took @/12 hours", "day @/12", "@/12h copied", "@m/12m copied", "2026/11/@", "Nov @/12", "today @/12",
    -- what is left
    "@ of 12 remaining", "@ of 12 files remaining", "@/12 files left", "pending @/12", "queue: @/12 messages", "remaining: @%", "@% left",
    -- what is wrong, or as it was
    "@ of 100 files corrupt", "@ of 100 files unreadable", "@/100 blocks damaged", "missing @ of 100 files", "@/100 files ignored", "@/100 files unchanged",
    -- rates
    "copied at @/100 files/s", "read @/100 req/s",
    -- what is used
    "@ of 100 connections in use", "heap @00MB of 4096MB", "disk used @ GiB / 12 GiB", "memory: @ GiB/12 GiB", "mem @%", "cpu @%", "CPU usage: @%", "swap @/12",
    "threads @/12", "open files @/1024", "pool @/12 busy", "battery @%", "quota @ GB of 12 GB", "fds: @/1024", "RSS @MB/512MB", "web-1  0.50%  @MiB / 1.9GiB  5.1%",
    "/dev/sda1  12G  @% /data", "tmpfs  @%  /run", "Mem: @% used", "swap: @.5% free", "buffer pool @MB/128MB", "capacity @%", "load @%",
    -- counts that are no work
    "pod web-1 @/12 Running", "copy-job-1   @/12   Running   0   4d", "deployment.apps/files  @/12  12  @  5m", "uid @/1000 gid", "[GC @/12 pause 3ms]", "rank @/12",
    "node @/12 ready", "retry @ of 12", "Attempt @/12 failed", "attempt (@/12)", "page @ of 12", "line @/12", "col @/80", "version @/12", "@/12 tests passed",
    "PASS: @/12", "Test @/12 ok", "worker @/12", "thread @/12 started", "priority @/12", "level @/12", "score @/12", "score: @/12 files",
    "@/12 stars", "rated @/12", "thread-@/12",
    "@ of 12 users online", "@/12 replicas available", "Ready: @/12", "@/12 nodes", "seat @/12", "gear @/12", "x @/12", "the @ of 12",
    "=== uid @/1000 ===", "| uid | @/1000 |", "│ web │ @/12 │",
    -- percents that are no work
    "cache hit rate @%", "hit rate: @.5%", "@% off today", "@% of budget", "@% of files are old", "save @% now", "get @% off", "index @% full",
    "@% faster", "downloads @% faster", "copied files: @% compressed", "humidity @%",
    "temperature @% up", "accuracy: @%", "loss @%", "coverage: @.5%", "@% packet loss", "5 received, @% packet loss, time 4003ms", "similarity index @%", "ratio @%",
    "x ==> @%", "battery: @%, charging", "grew by @%", "interest @%", "CPU@ 12%", "x @%", "fee @%", "vat @%", "cpu=@%", "usage=@% done=no", "error rate @%",
    "rename {a => b}/c.c (@%)", "%Cpu(s): @.0 us, 12% sy", "confidence @%", "Pause Young @% done", "eta @%",
    -- parts of something else
    "GET /download/@/12 HTTP/1.1", "bytes @-99/200", "Content-Range: bytes 0-@/200", "10.0.0.@/24", "192.168.100.@/24", "fe80::@/64", "HTTP/@.0",
    "Mozilla/5.@", "part-@/12.bin",
    "@/12.bin", "aspect @/9", "copied -@/12", "copied 1+@/12", "copied @/12/2026", "0:@/1:30", "0:@/12 copied", "/a%20@%21", "copied @%d",
    "(xfr#@, ir-chk=107@/1121)", "@ MB/s", "in @ MB/s out 12 MB/s",
    "copied @/1", "copied 1@/10", "copied 10@%",
  } do
    it(form, function()
      local h = case.new "auto"
      for _, record in ipairs(climbing(form)) do assert.is_nil((h:feed(record)), record) end
    end)
  end
end)

--- Whole logs: nothing in them is progress.
local logs = {
  ["nginx"] = [[
10.0.0.1 - - [25/Nov/2026:04:36:40 +0000] "GET /download/1/10 HTTP/1.1" 200 1024 "-" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"
10.0.0.1 - - [25/Nov/2026:04:36:41 +0000] "GET /download/2/10 HTTP/1.1" 206 2048 "https://a.example/x?done=50%25" "curl/7.88.1"
10.0.0.2 - - [26/Nov/2026:04:36:42 +0000] "GET /files/3/10?p=50%20of%2010 HTTP/2.0" 304 0 "-" "Wget/1.21.3"
2026/11/25 04:36:43 [warn] 7#7: *12 a client request body is buffered to a temporary file /var/cache/nginx/0000000001, 3/10 connections]],
  ["dmesg"] = [[
[    0.000000] Linux version 6.1.0-13-amd64 (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP 6.1.55-1
[    0.004000] Memory: 1023456K/2097152K available (14342K kernel code, 2332K rwdata, 9056K rodata)
[    0.104000] Memory: 1123456K/2097152K available (14342K kernel code, 2332K rwdata, 9056K rodata)
[    0.204000] rcu: Adjusting geometry for rcu_fanout_leaf=16, nr_cpu_ids=2
[    1.300000] smpboot: CPU 1/2 has started
[    1.400000] smpboot: CPU 2/2 has started
[    2.100000] EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: 1/2
[    3.100000] thermal: temperature 45% of the critical one
[    4.100000] thermal: temperature 47% of the critical one
[    5.100000] thermal: temperature 49% of the critical one]],
  ["kubelet"] = [[
I1125 04:36:40.123456    1234 kubelet.go:2345] "SyncLoop (PLEG): event for pod" pod="default/copy-1" event={"ID":"1/12"}
I1125 04:36:41.123456    1234 image_gc_manager.go:310] "Disk usage on image filesystem is over the high threshold, trying to free bytes" usage=86 highThreshold=85
I1125 04:36:42.123456    1234 prober.go:107] "Probe failed" probeType="Readiness" pod="default/web-1" output="1/3 ready"
I1125 04:36:43.123456    1234 prober.go:107] "Probe failed" probeType="Readiness" pod="default/web-1" output="2/3 ready"
I1125 04:36:44.123456    1234 eviction_manager.go:1] "imagefs usage" percent=86% of=100
I1125 04:36:45.123456    1234 eviction_manager.go:1] "imagefs usage" percent=87% of=100
I1125 04:36:46.123456    1234 eviction_manager.go:1] "imagefs usage" percent=88% of=100]],
  ["garbage collection"] = [[
[0.012s][info][gc] Using G1
[0.112s][info][gc] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 24M->3M(128M) 5.202ms
[0.212s][info][gc,heap] GC(0) Eden regions: 24->0(21) 10%
[0.312s][info][gc,heap] GC(1) Eden regions: 25->0(21) 12%
[0.412s][info][gc,heap] GC(2) Eden regions: 26->0(21) 14%
[0.512s][info][gc] Heap: 100M/4096M (2%)
[0.612s][info][gc] Heap: 200M/4096M (4%)
[GC (Allocation Failure) [PSYoungGen: 65536K->10748K(76288K)] 65536K->10756K(251392K), 0.0089 secs] [Times: user=0.02 sys=0.00]
Heap after GC: 1024K/4096K, 25% used
Heap after GC: 2048K/4096K, 50% used
Heap after GC: 3072K/4096K, 75% used]],
  ["tests"] = [[
tests/test_a.py ........                                                 [ 12%]
tests/test_b.py ..........                                               [ 50%]
tests/test_c.py ..............                                           [100%]
 1/12 Test  #1: unit_a ...................   Passed    0.01 sec
 2/12 Test  #2: unit_b ...................   Passed    0.02 sec
 3/12 Test  #3: unit_c ...................***Failed    0.03 sec
92% tests passed, 1 tests failed out of 12
Tests: 3 failed, 10 passed, 13 total
ok 1 - 3/12 of them
ok 2 - 4/12 of them]],
  ["apt"] = [[
Get:1 http://mirror.example/debian bookworm/main amd64 libuv1 amd64 1.44.2-1 [136 kB]
Get:2 http://mirror.example/debian bookworm/main amd64 libuv1-dev amd64 1.44.2-1 [151 kB]
Fetched 287 kB in 1s (312 kB/s)
Selecting previously unselected package libuv1:amd64.
Preparing to unpack .../libuv1_1.44.2-1_amd64.deb ...
0 upgraded, 12 newly installed, 0 to remove and 3 not upgraded.
After this operation, 12.3 MB of additional disk space will be used.]],
  ["npm"] = [[
npm WARN deprecated uuid@3.4.0: see 1/2
added 1211 packages, and audited 1212 packages in 12s
147 packages are looking for funding
6 vulnerabilities (1 low, 3/6 moderate)]],
  ["df"] = [[
Filesystem      Size  Used Avail Use% Mounted on
udev            1.9G     0  1.9G   0% /dev
/dev/sda1        50G   12G   38G  25% /
/dev/sdb1       100G   50G   50G  50% /data
/dev/sdc1       100G   75G   25G  75% /backup]],
  ["top"] = [[
top - 04:36:40 up 3 days,  1:02,  1 user,  load average: 0.14, 0.12, 0.35
%Cpu(s):  3.2 us,  1.1 sy,  0.0 ni, 95.2 id,  0.3 wa
MiB Mem :   3919.2 total,    512.3 free,   1200.1 used,   2206.8 buff/cache
   1234 root      20   0  123456   4567   1234 S  10.0%  0.5%   0:01.23 rsync
   1234 root      20   0  123456   4567   1234 S  20.0%  0.6%   0:01.33 rsync
   1234 root      20   0  123456   4567   1234 S  30.0%  0.7%   0:01.43 rsync]],
  ["git"] = [[
 core/a.c | 12 ++++++------
 core/b.c |  2 +-
 rename {spec => test}/a.lua (85%)
 rename {spec => test}/b.lua (90%)
 rename {spec => test}/c.lua (95%)
 3 files changed, 10 insertions(+), 4 deletions(-)
similarity index 91%
similarity index 92%
similarity index 93%]],
  ["ping"] = [[
64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.052 ms
64 bytes from 10.0.0.1: icmp_seq=2 ttl=64 time=0.053 ms
3 packets transmitted, 2 received, 33% packet loss, time 2003ms
3 packets transmitted, 2 received, 34% packet loss, time 2003ms
3 packets transmitted, 2 received, 35% packet loss, time 2003ms
rtt min/avg/max/mdev = 0.052/0.053/0.054/0.001 ms]],
  ["pods"] = [[
NAME                      READY   STATUS    RESTARTS   AGE
web-7d4b9c6f5-abcde       0/3     Running   0          4s
web-7d4b9c6f5-abcde       1/3     Running   0          8s
web-7d4b9c6f5-abcde       2/3     Running   0          9s
copy-files-x7k2p          0/1     Completed 0          4d
Waiting for deployment "web" rollout to finish: 1 of 3 updated replicas are available...
Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...]],
  ["dates"] = [[
11/23/2026 04:36:40 copied a
23.11.2026 04:36:40 copied a
2026/11/23 04:36:40 copied a
11/23 04:36:40 copied a
11/24 04:36:40 copied a
11/25 04:36:40 copied a
23/11 copied a
24/11 copied a
Mon 11/23 copied
Mon 11/30 copied
Mon Nov 23 04:36:40 UTC 2026
[23/Nov/2026:04:36:40 +0000] copied a
due 3/12, 4/12 and 5/12]],
}

describe("auto, not fooled by the log of", function()
  for name, text in pairs(logs) do
    it(name, function()
      local h = case.new "auto"
      for line in text:gmatch "[^\n]+" do assert.is_nil((h:feed(line)), line) end
    end)
  end

  it("anything", function()
    math.randomseed(20)
    for _ = 1, 40 do
      local h = case.new "auto"
      for _ = 1, 200 do
        local list = {}
        for i = 1, math.random(60) do list[i] = string.char(math.random(0, 255)) end
        assert.is_nil((h:feed(table.concat(list))))
      end
    end
  end)

  it("marks and digits at random, with words in between", function()
    math.randomseed(21)
    local parts = { "1", "2", "3", "12", "/", "%", " of ", " ", " ", ".", "(", ")", "[", "]", ":", "-", "x", "uid", "GC", "web", "min", "used", "\xC3" }
    for _ = 1, 40 do
      local h = case.new "auto"
      for _ = 1, 400 do
        local text = { "pod" }
        for i = 2, math.random(3, 12) do text[i] = parts[math.random(#parts)] end
        local record = table.concat(text)
        assert.is_nil((h:feed(record)), record)
      end
    end
  end)
end)

describe("auto, not fooled:", function()
  case.rows(it, "auto", {
    { "one pair is none",          "Copied 3/10" },
    { "a pair that stays",         growing("Copied 3/10", 1, 1, 1) },
    { "a pair that falls",         growing("Copied @/10", 9, 8, 7, 6) },
    { "a total that changes",      { "Copied 1/10", "Copied 2/11", "Copied 3/12", "Copied 4/13" } },
    { "a compression ratio",       { "0.4 MiB / 1.2 MiB = 0.330", "0.6 MiB / 1.9 MiB = 0.316", "0.9 MiB / 2.6 MiB = 0.341" } },
    { "a percent that grew once",  growing("copied @%", 1, 2) },
    { "a percent that goes up and down", growing("copied @%", 10, 20, 10, 20, 10, 20) },
    { "a percent that falls",      growing("copied @%", 3, 2, 1) },
    { "a percent that stays",      growing("copied @%", 100, 100, 100) },
    { "a row of percents",         { "1% 2% 97%", "10.0% 20.0% 30.0%", "1.5% 2.5% 3.5%" } },
    { "percents that fall in a line", "30%...20%...10%" },
    { "different words",           { "copied a 1/10", "copied b 2/10", "copied c 3/10" } },
    { "over 63 bits",              growing("copied @99999999999999999999/99999999999999999999999", 1, 2, 3) },
    { "nothing",                   "" },
  })

  it("once a line was N/M and nothing else, only those count", function()
    local h = case.new "auto"
    h:feed "1/10"
    for _, record in ipairs(growing("file @/20", 1, 2, 3)) do assert.is_nil((h:feed(record))) end
    assert.same(items(2, 10), h:feed "2/10")
  end)

  case.ends(it, "auto", { { {}, 0, "complete" }, { {}, 1, "failed" }, { {}, nil, nil },
    { { "  164,981   1%    1.01MB/s    0:00:00 (xfr#1, to-chk=62/65)" }, 23, "partial" } })
  case.quick(it, "auto", {
    ("/"):rep(4096), ("1/"):rep(2048), ("1/2 "):rep(1024), ("%"):rep(4096), ("1%"):rep(2048), (" of "):rep(1024), ("1 of 2 "):rep(585), ("1"):rep(4000) .. "/1",
    "1/" .. ("1"):rep(4000), (" "):rep(4000) .. "/1", ("a1 "):rep(1300) .. "1/2", ("=> "):rep(1300) .. "1%", ("\xff"):rep(4000) .. "1/2", (" [00:00"):rep(580) .. "it/s",
    ("[="):rep(2040) .. "] 1%", ("[=="):rep(1300) .. "1%", ("|="):rep(2040) .. "| 1%", "1% [" .. ("="):rep(4000), "1% " .. (" ["):rep(2040), ("#"):rep(4000) .. " 1%",
    ("1/2 (50%) "):rep(409), ("50% (1/2) "):rep(409), ("1/2 eta "):rep(500), "1/2 " .. (" "):rep(4000), "1/2 " .. (":"):rep(4000), ("step "):rep(800) .. "1/2",
    ("1/2 loss: 0.1 "):rep(290), ("(xfr#1, to-chk="):rep(270), "(xfr#" .. ("1"):rep(4000), "1% of " .. ("a"):rep(4000), ("%([=|"):rep(800) .. "1%",
    "1/2" .. ("a"):rep(4000), ("1,"):rep(2000) .. "/1", ("1 "):rep(2000) .. "of 2 000,0 MB", ("1 111 "):rep(80) .. "of 2 000,0 MB", ("1\u{A0}111"):rep(580) .. "/2",
    ("1%."):rep(1300), ("1%"):rep(500), ("1% 2% "):rep(160), ("."):rep(4000) .. "1%",
    ("1_"):rep(2000) .. "/1", "copied 1/" .. ("2 000"):rep(800) .. ",0 MB", ("[1/2] copying "):rep(290), ("1."):rep(2000) .. "%",
  })

  it("watches so many series and no more", function()
    local h = case.new "auto"
    for i = 1, 5000 do
      local word = ""
      for _, digit in utf8.codes(tostring(i)) do word = word .. string.char(digit + 49) end
      h:feed(word .. " 1/10")
    end
    assert.is_true(h:memory() < 1 << 20)
  end)
end)
