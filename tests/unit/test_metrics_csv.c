/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics_csv.h"

#include "source_probe.h"

static void lightning_s_is_read(void)
{
    source_check_file(metrics_csv_parse, CORPUS_DIR "/metrics_csv/lightning.csv",
                      "logs/version_0/metrics.csv",
                      "logs/version_0:train_loss 9 0.5\n"
                      "logs/version_0:val_acc 9 0.5\n"
                      "logs/version_0:val_loss 9 0.75\n"
                      "logs/version_0:train_loss 19 0.25\n"
                      "logs/version_0:val_acc 19 0.625\n"
                      "logs/version_0:val_loss 19 NaN\n");
}

static const struct source_case cases[] = {
    {"m.csv", "step,loss\n0,2.5\n600,0.25\n", 0, ":loss 0 2.5\n:loss 600 0.25\n"},
    {"m.csv", "\xef\xbb\xbfStep, \"loss\" \r\n0.0, 2.5\r\n\r\n600,0.25", 0,
     ":loss 0 2.5\n:loss 600 0.25\n"},
    {"m.csv", "\"a,b\",step,\"c \"\"d\"\"\"\n\"1\",2,3\n", 0, ":a,b 2 1\n:c \"d\" 2 3\n"},
    {"m.csv", "a,note,step\n1,\"x\ny,\n\",2\n3,z,4\n", 0, ":a 2 1\n:a 4 3\n"},
    {"m.csv", "a,step\n1\n,2\n1,2,3\n", 0, ":a 2 1\n"},
    {"m.csv", "step,wall_time,a\n1,1557442800.5,2\n2,,3\n3,1557442800500,4\n4,-1,5\n", 0,
     ":a 1 2@1557442800500000000\n:a 2 3\n:a 3 4@1557442800500000000\n:a 4 5\n"},
    {"m.csv", "global_step,a,step\n5,6,7\n", 0, ":a 7 6\n"},
    {"m.csv", "step,a,global_step\n5,6,7\n", 0, ":a 5 6\n"},
    {"m.csv", "_step,a\n5,6\n", 0, ":a 5 6\n"},
    {"m.csv", "step,a,b\nx,1,2\n-1,1,2\n1.5,1,2\n,1,2\n3,inf,1e400\n", 0,
     ":a 3 Infinity\n:b 3 Infinity\n"},
    {"m.csv", "step,a,\n1,2,3\n", 0, ":a 1 2\n"},
    {"m.csv", "step,a\n1,2x\n1,0x10\n", 0, ":a 1 16\n"},
    {"m.csv", "a,b\n1,2\n", 0, ""},
    {"m.csv", "", 0, ""},
    {"m.csv", "\n\n", 0, ""},
    {"m.csv", "step", 0, ""},
    {"m.csv", "step,a\n1,\"2\n", -EBADMSG, ""},
    {"m.csv", "step,a\n1,2\n2,\"3", -EBADMSG, ""},
};

static void each_column_is_a_metric(void)
{
    source_check(metrics_csv_parse, cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_nul_does_not_count(void)
{
    source_check_text(metrics_csv_parse, "m.csv", "step,\0a\n1,2\0\0\n", 13, 0, ":a 1 2\n");
}

static void survives_each_allocation_failure(void)
{
    source_check_alloc(metrics_csv_parse, "logs/m.csv", "step,a,b\n1,2,3\n2,\"4\",5\n", 4);
}

int main(void)
{
    TEST("Lightning's is read", lightning_s_is_read);
    TEST("each column but the axes is a metric", each_column_is_a_metric);
    TEST("a NUL does not count", a_nul_does_not_count);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
