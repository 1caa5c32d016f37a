/* fuzz_nm.c - any bytes as an N/M line: what is accepted obeys the rules, and is accepted again as it is printed. */
#include <stdlib.h>
#include <string.h>

#include "progress/nm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_err err = { 0 };
    struct hw_nm nm = { -1, -1, { NULL, 0 } }, again;
    struct hw_str line = { (const char *)data, size };
    if (size > 4096)
        return 0;
    if (hw_nm_parse(line, &nm, &err) < 0) {
        if (err.code != HW_EINPUT || !err.msg[0] || nm.done != -1)
            abort();
        return 0;
    }
    if (nm.done < 0 || nm.done > nm.total)
        abort();
    if (nm.message.len &&
        (nm.message.ptr < line.ptr || nm.message.ptr + nm.message.len > line.ptr + line.len))
        abort();
    char text[HW_NM_SIZE];
    hw_nm_format(nm.done, nm.total, text);
    if (hw_nm_parse(hw_str(text), &again, &err) < 0 || again.done != nm.done ||
        again.total != nm.total || again.message.len)
        abort();
    return 0;
}
