/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tfevents.h"

#include <errno.h>

#include "check.h"
#include "events_builder.h"
#include "model/history.h"
#include "bytes_probe.h"
#include "util/cleanup.h"

#define HISTORY_CLEANUP CLEANUP(history_deinit)

static const struct history_file files[] = {{"events.1", 0}, {"train/x/events.2", 0}};

/* Rows as `session|name step value; `, `<` before one that goes back, `- step; ` for a restart. */
static char *describe(const struct history *history)
{
    struct buf out = {0};
    buf_puts(&out, "");
    for (size_t i = 0; i < history->n_rows; i++) {
        const struct history_row *row = &history->rows[i];
        buf_puts(&out, row->goes_back ? "<" : "");
        if (*row->session)
            buf_printf(&out, "%s|", row->session);
        buf_printf(&out, "%s %lld", row->name ? row->name : "-", (long long)row->step);
        if (row->name)
            buf_printf(&out, " %g", row->value);
        buf_puts(&out, "; ");
    }
    return buf_steal(&out);
}

/* What a file's bytes come to. */
static char *parse(const struct buf *file, struct probe *probe)
{
    HISTORY_CLEANUP struct history history;
    CLEANUP(cleanup_free) char *copy = malloc(file->len + !file->len); /* exact, for ASan */
    memcpy(copy, file->len ? file->data : "", file->len);
    history_init(&history, files, 2);
    CHECK_EQ(probe_parse(probe, tfevents_parse, &history, 0, copy, file->len), 0);
    return describe(&history);
}

static void check_file(const struct buf *file, const char *want)
{
    struct probe probe;
    CLEANUP(cleanup_free) char *got = parse(file, &probe);
    CHECK_STR(got, want);
}

/* Adds file number @i of @history's, out of the tests' data. */
static void parse_data(struct history *history, uint32_t i)
{
    BUF_CLEANUP struct buf path = {0};
    struct probe probe;
    size_t len;
    buf_printf(&path, "%s/tensorflow/%s", DATA_DIR, history->files[i].path);
    CLEANUP(cleanup_free) uint8_t *data = probe_load(path.data, &len);
    CHECK_EQ(probe_parse(&probe, tfevents_parse, history, i, data, len), 0);
    CHECK_EQ(probe.n_rounds, 1);
}

static void the_old_form_is_read(void)
{
    static const struct history_file data[] = {{"old/events.out.tfevents.1557442800.host", 0},
                                               {"old/events.out.tfevents.1557442900.host", 0}};
    HISTORY_CLEANUP struct history history;
    history_init(&history, data, 2);
    parse_data(&history, 0);
    parse_data(&history, 1);
    CLEANUP(cleanup_free) char *got = describe(&history);
    CHECK_STR(got, "old|- 0; old|loss 0 1; old|rate 0 0.5; old|loss 10 0.5; old|rate 10 0.5; "
                   "old|loss 20 0.333333; old|rate 20 0.5; old|loss 30 0.25; old|rate 30 0.5; "
                   "old|- 20; old|loss 20 0.25; old|loss 30 0.375; old|loss 40 0.5; ");
    CHECK_EQ(history.rows[3].wall_ns, INT64_C(1557442801000000000));
    CHECK_EQ(history.rows[3].file, 0);
    CHECK_EQ(history.rows[12].file, 1);
}

/* As TensorBoard shows them, with purge_orphaned_data. */
static void a_restart_in_real_files_is_merged(void)
{
    static const struct history_file data[] = {{"old/events.out.tfevents.1557442800.host", 0},
                                               {"old/events.out.tfevents.1557442900.host", 0}};
    HISTORY_CLEANUP struct history history;
    history_init(&history, data, 2);
    parse_data(&history, 1);
    parse_data(&history, 0);
    CHECK_EQ(history_merge(&history), 0);
    CLEANUP(cleanup_free) char *got = describe(&history);
    CHECK_STR(got, "loss 0 1; loss 10 0.5; loss 20 0.25; loss 30 0.375; loss 40 0.5; rate 0 0.5; "
                   "rate 10 0.5; ");
}

static void a_step_that_goes_back_in_a_real_old_file_is_merged(void)
{
    static const struct history_file data[] = {{"older/events.out.tfevents.1557442800.host", 0}};
    HISTORY_CLEANUP struct history history;
    history_init(&history, data, 1);
    parse_data(&history, 0);
    CHECK_EQ(history_merge(&history), 0);
    CLEANUP(cleanup_free) char *got = describe(&history);
    CHECK_STR(got, "loss 0 0; loss 10 1; <loss 20 4; loss 30 5; rate 0 0; rate 10 -1; rate 20 -2; "
                   "rate 30 -3; ");
}

static void the_new_form_is_read(void)
{
    static const struct history_file data[] = {{"new/events.out.tfevents.1557442800.host.v2", 0}};
    HISTORY_CLEANUP struct history history;
    history_init(&history, data, 1);
    parse_data(&history, 0);
    CLEANUP(cleanup_free) char *got = describe(&history);
    CHECK_STR(got, "new|epoch_loss 0 1; new|epoch_accuracy 0 0; new|epoch_loss 1 0.5; "
                   "new|epoch_accuracy 1 0.25; new|epoch_loss 2 0.333333; "
                   "new|epoch_accuracy 2 0.5; ");
}

static void a_session_is_the_directory(void)
{
    HISTORY_CLEANUP struct history history;
    BUF_CLEANUP struct buf file = {0};
    struct probe probe;
    put_version(&file, "brain.Event:2");
    put_scalar(&file, 3, "a", 1);
    history_init(&history, files, 2);
    CHECK_EQ(probe_parse(&probe, tfevents_parse, &history, 1, file.data, file.len), 0);
    CLEANUP(cleanup_free) char *got = describe(&history);
    CHECK_STR(got, "train/x|a 3 1; ");
}

/* An old version: an event with a summary goes back when its step is less than the last one's; one
 * without sets the step. */
static void restarts_are_told_by_the_version(void)
{
    static const struct {
        const char *version, *want;
    } cases[] = {
        {"brain.Event:2", "a 5 1; - 3; a 3 2; a 4 3; "},
        {"brain.Event:3.5", "a 5 1; - 3; a 3 2; a 4 3; "},
        {"brain.Event:1", "a 5 1; a 3 2; a 4 3; "},
        {"brain.Event:x", "a 5 1; a 3 2; a 4 3; "},
        {"2", "a 5 1; a 3 2; a 4 3; "},
        {"brain.Event:2 and more than a version has", "a 5 1; a 3 2; a 4 3; "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf file = {0};
        put_version(&file, cases[i].version);
        put_scalar(&file, 5, "a", 1);
        put_session(&file, 3, 1);
        put_session(&file, 2, 2); /* STOP */
        put_scalar(&file, 3, "a", 2);
        put_scalar(&file, 4, "a", 3);
        check_file(&file, cases[i].want);
    }
}

static void an_old_file_goes_back_by_steps(void)
{
    BUF_CLEANUP struct buf file = {0};
    put_scalar(&file, 5, "a", 1); /* the first may */
    put_scalar(&file, 5, "a", 2);
    put_scalar(&file, 4, "a", 3);
    put_scalar(&file, 4, "a", 4); /* still less than 5 */
    put_scalar(&file, 6, "a", 5);
    put_version(&file, "brain.Event:1"); /* step 0 */
    put_scalar(&file, 1, "a", 6);
    check_file(&file, "<a 5 1; a 5 2; <a 4 3; <a 4 4; a 6 5; a 1 6; ");
}

static void odd_values_are_passed_over(void)
{
    BUF_CLEANUP struct buf file = {0}, event = {0}, summary = {0}, value = {0};
    put_version(&file, "brain.Event:2");
    put_scalar(&file, -1, "below", 1);
    put_scalar(&file, 1, "", 1);
    put_bytes(&value, 1, "a\0b", 3);
    put_float(&value, 2, 1);
    put_message(&summary, 1, &value);
    put_text(&summary, 1, "\x0a"); /* no message */
    put_value(&summary, "good", 7);
    begin_event(&event, 1e300, 2);
    put_message(&event, 5, &summary);
    put_event(&file, &event);
    put_record(&file, "\x08", 1); /* no event */
    put_record(&file, "", 0);
    put_scalar(&file, 3, "good", 8);
    check_file(&file, "good 2 7; good 3 8; ");
}

/* Three scalars; any part of the file is its first rows. */
static void an_end_in_the_middle_is_where_the_writer_is(void)
{
    BUF_CLEANUP struct buf file = {0};
    size_t ends[4];
    static const char *const want[] = {"", "a 1 1; ", "a 1 1; a 2 2; ", "a 1 1; a 2 2; a 3 3; "};
    put_version(&file, "brain.Event:2");
    for (int i = 0; i < 4; i++) {
        ends[i] = file.len;
        put_scalar(&file, i + 1, "a", (float)(i + 1));
    }
    for (size_t n = 0; n < file.len; n++) {
        struct buf part = {file.data, n, 0};
        size_t k = 0;
        while (k < 3 && n >= ends[k + 1])
            k++;
        check_file(&part, want[k]);
    }
}

static void a_wrong_bit_ends_the_file(void)
{
    BUF_CLEANUP struct buf file = {0};
    put_version(&file, "brain.Event:2");
    put_scalar(&file, 1, "a", 1);
    size_t begin = file.len;
    put_scalar(&file, 2, "a", 2);
    size_t end = file.len;
    put_scalar(&file, 3, "a", 3);
    for (size_t bit = 8 * begin; bit < 8 * end; bit++) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        check_file(&file, "a 1 1; ");
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    check_file(&file, "a 1 1; a 2 2; a 3 3; ");
}

static void a_length_beyond_the_file_ends_it(void)
{
    static const uint64_t lengths[] = {1, 1 << 20, UINT64_C(1) << 40, UINT64_MAX, UINT64_MAX - 15};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        BUF_CLEANUP struct buf file = {0};
        uint64_t length = htole64(lengths[i]);
        put_scalar(&file, 1, "a", 1);
        put_little(&file, lengths[i], 8);
        put_little(&file, crc32c_mask(crc32c(0, &length, 8)), 4);
        put_little(&file, 0, 4);
        check_file(&file, "<a 1 1; ");
    }
}

/* An event with scalars around something large, as merged summaries are. */
static void put_long(struct buf *file, int64_t step, size_t len)
{
    BUF_CLEANUP struct buf event = {0}, summary = {0}, value = {0};
    char *large = calloc(1, len);
    put_text(&value, 1, "picture");
    put_bytes(&value, 4, large, len);
    free(large);
    put_value(&summary, "before", (float)step);
    put_message(&summary, 1, &value);
    put_value(&summary, "after", (float)step);
    put_message(&event, 5, &summary);
    begin_event(&event, 1, step); /* behind the summary: it may be */
    put_event(file, &event);
}

static void scalars_beside_something_large_are_found(void)
{
    static const size_t lengths[] = {1000, 60 << 10, 64 << 10, 70 << 10, 1 << 20, 5 << 20};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        BUF_CLEANUP struct buf file = {0};
        put_version(&file, "brain.Event:2");
        put_long(&file, 1, lengths[i]);
        put_scalar(&file, 2, "a", 2);
        check_file(&file, "before 1 1; after 1 1; a 2 2; ");
    }
}

static void a_very_large_record_is_passed_over(void)
{
    BUF_CLEANUP struct buf file = {0};
    put_version(&file, "brain.Event:2");
    put_long(&file, 1, TFEVENTS_WALKED_BYTES);
    put_scalar(&file, 2, "a", 2);
    check_file(&file, "a 2 2; ");
}

/* A step back in a long record, which is gone through several times, counts once. */
static void a_restart_in_a_long_record_counts_once(void)
{
    BUF_CLEANUP struct buf file = {0};
    put_scalar(&file, 1, "a", 1);
    put_long(&file, 5, 3 << 20);
    put_long(&file, 4, 3 << 20);
    check_file(&file, "<a 1 1; before 5 5; after 5 5; <before 4 4; <after 4 4; ");
}

/* 20 pictures of 5 MiB with a scalar each: most of it is not asked for, and little held. */
static void a_file_of_pictures_is_read_by_ranges(void)
{
    BUF_CLEANUP struct buf file = {0};
    struct probe probe;
    put_version(&file, "brain.Event:2");
    for (int64_t i = 1; i <= 20; i++) {
        put_long(&file, i, 5 << 20);
        put_scalar(&file, i, "a", (float)i);
    }
    CLEANUP(cleanup_free) char *got = parse(&file, &probe);
    CHECK(strstr(got, "before 20 20; after 20 20; a 20 20; "));
    CHECK(probe.n_rounds <= 42);
    CHECK(probe.given_bytes < file.len / 2);
    CHECK(probe.most_bytes <= 14 << 20);
}

static void a_long_file_is_held_in_parts(void)
{
    BUF_CLEANUP struct buf file = {0};
    struct probe probe;
    int64_t n = 0;
    put_version(&file, "brain.Event:2");
    while (file.len < 30 << 20)
        put_scalar(&file, ++n, "a", 1);
    HISTORY_CLEANUP struct history history;
    history_init(&history, files, 2);
    CHECK_EQ(probe_parse(&probe, tfevents_parse, &history, 0, file.data, file.len), 0);
    CHECK_EQ(history.n_rows, n);
    CHECK_EQ(history.rows[n - 1].step, n);
    CHECK(probe.n_rounds <= 10);
    CHECK_EQ(probe.given_bytes, file.len);
    CHECK(probe.most_bytes <= 5 << 20);
}

static void no_memory_is_an_error(void)
{
    BUF_CLEANUP struct buf file = {0};
    put_version(&file, "brain.Event:2");
    put_session(&file, 0, 1);
    put_long(&file, 1, 70 << 10);
    put_scalar(&file, 2, "a", 2);
    FOR_EACH_ALLOC_FAILURE
    {
        HISTORY_CLEANUP struct history history;
        struct probe probe;
        history_init(&history, files, 2);
        int r = probe_parse(&probe, tfevents_parse, &history, 1, file.data, file.len);
        CHECK(r == -ENOMEM || (r == 0 && history.n_rows == 4));
    }
}

int main(void)
{
    TEST("the old form is read", the_old_form_is_read);
    TEST("a restart in real files is merged", a_restart_in_real_files_is_merged);
    TEST("a step that goes back in a real old file is merged",
         a_step_that_goes_back_in_a_real_old_file_is_merged);
    TEST("the new form is read", the_new_form_is_read);
    TEST("a session is the directory", a_session_is_the_directory);
    TEST("restarts are told by the version", restarts_are_told_by_the_version);
    TEST("an old file goes back by steps", an_old_file_goes_back_by_steps);
    TEST("odd values are passed over", odd_values_are_passed_over);
    TEST("an end in the middle is where the writer is",
         an_end_in_the_middle_is_where_the_writer_is);
    TEST("a wrong bit ends the file", a_wrong_bit_ends_the_file);
    TEST("a length beyond the file ends it", a_length_beyond_the_file_ends_it);
    TEST("scalars beside something large are found", scalars_beside_something_large_are_found);
    TEST("a very large record is passed over", a_very_large_record_is_passed_over);
    TEST("a restart in a long record counts once", a_restart_in_a_long_record_counts_once);
    TEST("a file of pictures is read by ranges", a_file_of_pictures_is_read_by_ranges);
    TEST("a long file is held in parts", a_long_file_is_held_in_parts);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
