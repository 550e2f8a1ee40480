/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include "cmd/table.h"

#include "check.h"

#define MIB (UINT64_C(1) << 20)

static const struct {
    struct progress progress; /* started at 0 ms */
    uint64_t now_ms;
    unsigned columns;
    const char *line;
} cases[] = {
    {{.total_bytes = 8 * MIB}, 0, 80, "[>                       ]   0% 0 B of 8.0 MiB"},
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB},
     0,
     80,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB"},
    {{.total_bytes = 8 * MIB, .done_bytes = 8 * MIB},
     0,
     80,
     "[========================] 100% 8.0 MiB of 8.0 MiB"},
    {{.total_bytes = 0}, 0, 80, "[========================] 100% 0 B of 0 B"},
    /* how fast, and how long yet */
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB},
     2000,
     80,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB 2.0 MiB/s 0:02"},
    /* what was there already says nothing of the speed */
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB, .skipped_bytes = 2 * MIB},
     2000,
     80,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB 1.0 MiB/s 0:04"},
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB, .what = "sub/w.bin"},
     0,
     80,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB sub/w.bin"},
    /* a long name shows its end, and the last column stays free */
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB, .what = "a/very/long/way/down/to/w.bin"},
     0,
     62,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB n/to/w.bin"},
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB, .what = "sub/w.bin"},
     0,
     52,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB"},
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB}, 0, 30, "  50% 4.0 MiB of 8.0 MiB"},
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB}, 0, 20, ""},
    {{.total_bytes = 8 * MIB, .done_bytes = 4 * MIB, .what = "w\x1b[2J"},
     0,
     80,
     "[============>           ]  50% 4.0 MiB of 8.0 MiB w?[2J"},
};

static void the_line_says_how_far_it_is(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf line BUF_CLEANUP = {0};
        CHECK_EQ(progress_format(&cases[i].progress, cases[i].now_ms, cases[i].columns, &line), 0);
        CHECK_STR(line.data, cases[i].line);
        CHECK(table_text_width(line.data) < cases[i].columns);
    }
}

int main(void)
{
    TEST("the line says how far it is", the_line_says_how_far_it_is);
    return check_done();
}
