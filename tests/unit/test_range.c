/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/range.h"

#include "check.h"

#define ETAG  "\"abc\""
#define OTHER "\"abd\""
#define DATE  "Tue, 24 Nov 2026 01:48:16 GMT"
#define HUGE  "99999999999999999999999"

static const struct {
    const char *range;
    uint64_t size;
    enum range_verdict verdict;
    uint64_t off, len;
} ranges[] = {
    {NULL, 100, RANGE_WHOLE, 0, 100},
    {"bytes=0-9", 100, RANGE_PART, 0, 10},
    {"bytes=0-0", 100, RANGE_PART, 0, 1},
    {"bytes=99-99", 100, RANGE_PART, 99, 1},
    {"bytes=10-", 100, RANGE_PART, 10, 90},
    {"bytes=0-", 100, RANGE_PART, 0, 100},
    {"bytes=-10", 100, RANGE_PART, 90, 10},
    {"bytes=-100", 100, RANGE_PART, 0, 100},
    {"bytes=-1000", 100, RANGE_PART, 0, 100},
    {"bytes=90-1000", 100, RANGE_PART, 90, 10},
    {"bytes=90-" HUGE, 100, RANGE_PART, 90, 10},
    {"bytes=-" HUGE, 100, RANGE_PART, 0, 100},
    {"BYTES=0-9", 100, RANGE_PART, 0, 10},
    {"bytes= 0-9 ", 100, RANGE_PART, 0, 10},
    {"bytes=100-", 100, RANGE_OUTSIDE, 0, 0},
    {"bytes=100-200", 100, RANGE_OUTSIDE, 0, 0},
    {"bytes=" HUGE "-", 100, RANGE_OUTSIDE, 0, 0},
    {"bytes=" HUGE "-" HUGE, 100, RANGE_OUTSIDE, 0, 0},
    {"bytes=-0", 100, RANGE_OUTSIDE, 0, 0},
    {"bytes=0-", 0, RANGE_OUTSIDE, 0, 0},
    {"bytes=-1", 0, RANGE_OUTSIDE, 0, 0},
    {"bytes=9-0", 100, RANGE_WHOLE, 0, 100},
    {"bytes=", 100, RANGE_WHOLE, 0, 100},
    {"bytes=-", 100, RANGE_WHOLE, 0, 100},
    {"bytes=a-b", 100, RANGE_WHOLE, 0, 100},
    {"bytes=1-2x", 100, RANGE_WHOLE, 0, 100},
    {"bytes=0-1,3-4", 100, RANGE_WHOLE, 0, 100},
    {"bytes=--1", 100, RANGE_WHOLE, 0, 100},
    {"items=0-1", 100, RANGE_WHOLE, 0, 100},
    {"", 100, RANGE_WHOLE, 0, 100},
};

static void finds_the_bytes_that_are_asked_for(void)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        struct range_request request = {.range = ranges[i].range};
        struct range_file file = {ranges[i].size, ETAG, DATE};
        uint64_t off = 0, len = 0;
        enum range_verdict verdict = range_decide(&request, &file, &off, &len);
        if (verdict != ranges[i].verdict)
            printf("# %s\n", ranges[i].range);
        CHECK_EQ(verdict, ranges[i].verdict);
        if (verdict == RANGE_OUTSIDE)
            continue;
        CHECK_EQ(off, ranges[i].off);
        CHECK_EQ(len, ranges[i].len);
    }
}

static const struct {
    struct range_request request;
    enum range_verdict verdict;
} conditions[] = {
    {{.range = "bytes=1-", .if_range = ETAG}, RANGE_PART},
    {{.range = "bytes=1-", .if_range = DATE}, RANGE_PART},
    {{.range = "bytes=1-", .if_range = OTHER}, RANGE_WHOLE},
    {{.range = "bytes=1-", .if_range = "W/" ETAG}, RANGE_WHOLE},
    {{.range = "bytes=1-", .if_range = "Tue, 24 Nov 2026 01:48:17 GMT"}, RANGE_WHOLE},
    {{.range = "bytes=1-", .if_range = ""}, RANGE_WHOLE},
    {{.range = "bytes=1000-", .if_range = OTHER}, RANGE_WHOLE},
    {{.if_range = ETAG}, RANGE_WHOLE},
    {{.range = "bytes=1-", .if_match = ETAG}, RANGE_PART},
    {{.range = "bytes=1-", .if_match = "*"}, RANGE_PART},
    {{.if_match = OTHER ", " ETAG}, RANGE_WHOLE},
    {{.if_match = OTHER "," ETAG}, RANGE_WHOLE},
    {{.range = "bytes=1-", .if_match = OTHER}, RANGE_CHANGED},
    {{.range = "bytes=1000-", .if_match = OTHER}, RANGE_CHANGED},
    {{.if_match = "W/" ETAG}, RANGE_CHANGED},
    {{.if_match = "abc"}, RANGE_CHANGED},
    {{.if_match = "\"abc"}, RANGE_CHANGED},
    {{.if_match = "\"ab\""}, RANGE_CHANGED},
    {{.if_match = "\"abcd\""}, RANGE_CHANGED},
    {{.if_match = ""}, RANGE_CHANGED},
    {{.if_none_match = ETAG}, RANGE_NOT_MODIFIED},
    {{.if_none_match = "W/" ETAG}, RANGE_NOT_MODIFIED},
    {{.if_none_match = "*"}, RANGE_NOT_MODIFIED},
    {{.if_none_match = OTHER ", " ETAG}, RANGE_NOT_MODIFIED},
    {{.if_none_match = OTHER}, RANGE_WHOLE},
    {{.if_none_match = ETAG, .if_match = OTHER}, RANGE_CHANGED},
};

static void conditions_go_before_ranges(void)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
        struct range_file file = {100, ETAG, DATE};
        uint64_t off, len;
        enum range_verdict verdict = range_decide(&conditions[i].request, &file, &off, &len);
        if (verdict != conditions[i].verdict)
            printf("# condition %zu\n", i);
        CHECK_EQ(verdict, conditions[i].verdict);
    }
}

int main(void)
{
    TEST("finds the bytes that are asked for", finds_the_bytes_that_are_asked_for);
    TEST("conditions go before ranges", conditions_go_before_ranges);
    return check_done();
}
