/* SPDX-License-Identifier: Apache-2.0 */
#include "model/checkpoints.h"

#include <errno.h>
#include <time.h>

#include "check.h"
#include "util/buf.h"

#define CHECKPOINTS_CLEANUP CLEANUP(checkpoints_deinit)

enum { MAX_PATHS = 16 };

/* Paths as a test writes them: `!` before one says that it is empty. */
static size_t read_files(const char *const *texts, struct checkpoint_file *out)
{
    size_t n = 0;
    for (; n < MAX_PATHS && texts[n]; n++) {
        bool is_empty = texts[n][0] == '!';
        out[n] = (struct checkpoint_file){texts[n] + is_empty, !is_empty};
    }
    return n;
}

/* One line a checkpoint: `name format:step directory files [state_prefix] [missing]`, then `rest
 * files`. Paths are numbered as given, in hexadecimal. */
static char *describe_referred(const char *const *paths, const struct reference *references,
                               size_t n_references)
{
    struct buf out = {0};
    struct checkpoint_file files[MAX_PATHS];
    CHECKPOINTS_CLEANUP struct checkpoints found = {0};
    size_t n = read_files(paths, files);
    CHECK_EQ(checkpoints_find_referred(files, n, references, n_references, &found), 0);
    for (size_t i = 0; i < found.n; i++) {
        const struct checkpoint *c = &found.items[i];
        CHECK_EQ(c->kind, strncmp(c->name, "ckpt-", 5) == 0 ? CHECKPOINT_STEP : CHECKPOINT_EXPORT);
        buf_printf(&out, "%s %s:%lld '%s' ", c->name, c->format, (long long)c->step, c->directory);
        for (size_t k = 0; k < c->n_files; k++)
            buf_printf(&out, "%x", c->files[k]);
        if (c->state_prefix)
            buf_printf(&out, " %s", c->state_prefix);
        if (c->missing)
            buf_printf(&out, " lacks %s", c->missing);
        buf_puts(&out, "\n");
    }
    for (size_t i = 0; i < found.n_rest; i++)
        buf_printf(&out, "%s%x", i ? "" : "rest ", found.rest[i]);
    return buf_steal(&out);
}

static char *describe(const char *const *paths)
{
    return describe_referred(paths, NULL, 0);
}

struct find_case {
    const char *paths[MAX_PATHS];
    const char *want;
};

static void check_cases(const struct find_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(cleanup_free) char *got = describe(cases[i].paths);
        CHECK_STR(got, cases[i].want);
    }
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void tensorflow_checkpoints_are_found(void)
{
    static const struct find_case cases[] = {
        {{NULL}, ""},
        {{"model.ckpt-600.index", "model.ckpt-600.data-00000-of-00001", "model.ckpt-600.meta"},
         "ckpt-600 TensorFlow V2:600 '' 012 model.ckpt-600\n"},
        {{"d/e/m-7.data-00001-of-00002", "x", "d/e/m-7.index", "d/e/m-7.data-00000-of-00002"},
         "ckpt-7 TensorFlow V2:7 'd/e/' 023 m-7\nrest 1"},
        {{"m-10.index", "m-9.index", "m-10.data-00000-of-00001", "m-9.data-00000-of-00001"},
         "ckpt-9 TensorFlow V2:9 '' 13 m-9\nckpt-10 TensorFlow V2:10 '' 02 m-10\n"},
        {{"a.data-x-5.index", "a.data-x-5.data-00000-of-00001"},
         "ckpt-5 TensorFlow V2:5 '' 01 a.data-x-5\n"},
        {{"m-0.index", "m-0.data-00000-of-00001"}, "ckpt-0 TensorFlow V2:0 '' 01 m-0\n"},
        {{"m-999999999999999999.meta"},
         "ckpt-999999999999999999 TensorFlow V2:999999999999999999 '' 0 m-999999999999999999 lacks "
         "m-999999999999999999.index\n"},
    };
    CHECK_CASES(cases);
}

static void what_a_checkpoint_lacks_is_named(void)
{
    static const struct find_case cases[] = {
        {{"m-1.data-00000-of-00001"}, "ckpt-1 TensorFlow V2:1 '' 0 m-1 lacks m-1.index\n"},
        {{"m-1.meta"}, "ckpt-1 TensorFlow V2:1 '' 0 m-1 lacks m-1.index\n"},
        {{"m-1.index"}, "ckpt-1 TensorFlow V2:1 '' 0 m-1 lacks m-1.data-00000-of-?\n"},
        {{"m-1.index", "m-1.data-00001-of-00003"},
         "ckpt-1 TensorFlow V2:1 '' 01 m-1 lacks m-1.data-00000-of-00003 (1 of 3)\n"},
        {{"e/5/saved_model.pb", "e/5/variables/variables.index"},
         "export-5 SavedModel:5 'e/5/' 01 lacks variables/variables.data-00000-of-?\n"},
        {{"e/5/saved_model.pb", "e/5/variables/variables.data-00000-of-00001"},
         "export-5 SavedModel:5 'e/5/' 01 lacks variables/variables.index\n"},
        {{"e/5/saved_model.pb", "e/5/variables/x"},
         "export-5 SavedModel:5 'e/5/' 01 lacks variables/variables.index\n"},
    };
    CHECK_CASES(cases);
}

static void exports_are_found(void)
{
    static const struct find_case cases[] = {
        {{"export/12/saved_model.pb", "export/12/variables/variables.index",
          "export/12/variables/variables.data-00000-of-00001", "export/x"},
         "export-12 SavedModel:12 'export/12/' 012\nrest 3"},
        {{"saved_model.pbtxt", "variables/variables.index", "assets/a", "other",
          "variables/variables.data-00000-of-00001", "saved_model.pb.bak"},
         "export-model SavedModel:-1 '' 0124\nrest 35"},
        {{"a/saved_model.pb", "a/b/saved_model.pb", "a/b/x-5.index"},
         "export-a SavedModel:-1 'a/' 012\n"},
        {{"a/saved_model.pb", "ab/x", "a-b/x", "a"}, "export-a SavedModel:-1 'a/' 0\nrest 123"},
        {{"9.onnx", "d/net.onnx", ".onnx", "net.onnx.txt"},
         "export-net ONNX:-1 'd/' 1\nexport-9 ONNX:9 '' 0\nrest 23"},
        {{"s/saved_model.pb", "s/net.onnx"}, "export-s SavedModel:-1 's/' 01\n"},
        {{"20.onnx", "3.onnx", "m-5.index", "m-5.data-00000-of-00001"},
         "ckpt-5 TensorFlow V2:5 '' 23 m-5\nexport-3 ONNX:3 '' 1\nexport-20 ONNX:20 '' 0\n"},
    };
    CHECK_CASES(cases);
}

static void tensorflow_without_steps_is_an_export(void)
{
    static const struct find_case cases[] = {
        {{"model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.ckpt.meta"},
         "export-model.ckpt TensorFlow V2:-1 '' 012\n"},
        {{"d/variables.data-00000-of-00001", "d/variables.index"},
         "export-variables TensorFlow V2:-1 'd/' 01\n"},
        {{"m.index", "m.data-00000-of-00002"},
         "export-m TensorFlow V2:-1 '' 01 lacks m.data-00001-of-00002 (1 of 2)\n"},
        {{"model.ckpt.index"},
         "export-model.ckpt TensorFlow V2:-1 '' 0 lacks model.ckpt.data-00000-of-?\n"},
        {{"m.data-00000-of-00001"}, "export-m TensorFlow V2:-1 '' 0 lacks m.index\n"},
        {{"faiss.index", "photo.meta", "x.ckpt.meta", "d/faiss.data-00000-of-00001"},
         "export-faiss TensorFlow V2:-1 'd/' 3 lacks faiss.index\nrest 012"},
        {{"ckpt-3.index", "ckpt-3.data-00000-of-00001", "checkpoint"},
         "ckpt-3 TensorFlow V2:3 '' 01 ckpt-3\nrest 2"},
    };
    CHECK_CASES(cases);
}

static void tensorflow_v1_is_one_file(void)
{
    static const struct find_case cases[] = {
        {{"model.ckpt-600", "model.ckpt-600.meta"},
         "ckpt-600 TensorFlow V1:600 '' 01 model.ckpt-600\n"},
        {{"model.ckpt-600"}, "ckpt-600 TensorFlow V1:600 '' 0 model.ckpt-600\n"},
        {{"!model.ckpt-600", "model.ckpt-600.meta"},
         "ckpt-600 TensorFlow V1:600 '' 01 model.ckpt-600 lacks model.ckpt-600 (empty)\n"},
        {{"model.ckpt", "model.ckpt.meta"}, "export-model.ckpt TensorFlow V1:-1 '' 01\n"},
        {{"model.ckpt-6", "model.ckpt-6.index", "model.ckpt-6.data-00000-of-00001"},
         "ckpt-6 TensorFlow V2:6 '' 012 model.ckpt-6\n"},
        {{".ckpt-600", "model.ckpt-", "model.ckpt-6x", "modelckpt-6", "m.ckpt-1234567890123456789"},
         "rest 01234"},
    };
    CHECK_CASES(cases);
}

static void keras_is_named_by_epoch(void)
{
    static const struct find_case cases[] = {
        {{"best.keras", "d/net.h5", "net.hdf5"},
         "export-best Keras v3:-1 '' 0\n"
         "export-net~net HDF5:-1 '' 2\n"
         "export-net~d/net HDF5:-1 'd/' 1\n"},
        {{"weights.05-0.12.h5", "weights.06-0.10.hdf5", "weights.07.h5", "08.weights.h5"},
         "ckpt-5 HDF5:5 '' 0\nckpt-6 HDF5:6 '' 1\nckpt-7 HDF5:7 '' 2\nckpt-8 HDF5:8 '' 3\n"},
        {{"epoch-3_val_loss-0.5.keras", "model-0.12.h5"},
         "ckpt-3 Keras v3:3 '' 0\nexport-model-0.12 HDF5:-1 '' 1\n"},
        {{"!net.h5", "!best.keras", ".h5"},
         "export-best Keras v3:-1 '' 1 lacks best.keras (empty)\n"
         "export-net HDF5:-1 '' 0 lacks net.h5 (empty)\nrest 2"},
    };
    CHECK_CASES(cases);
}

static void onnx_takes_its_data(void)
{
    static const struct find_case cases[] = {
        {{"net.onnx", "net.onnx.data", "net.onnx_data", "net.data", "net.onnx_data_1",
          "net.onnx_data_12"},
         "export-net ONNX:-1 '' 012345\n"},
        {{"d/net.onnx", "net.data", "d/other.data"}, "export-net ONNX:-1 'd/' 0\nrest 12"},
        {{"net.onnx.data", "b.onnx_data_0"},
         "export-b ONNX:-1 '' 1 lacks b.onnx\nexport-net ONNX:-1 '' 0 lacks net.onnx\n"},
        {{"!net.onnx"}, "export-net ONNX:-1 '' 0 lacks net.onnx (empty)\n"},
        {{"d/net.onnx", "!d/net.onnx.data"},
         "export-net ONNX:-1 'd/' 01 lacks net.onnx.data (empty)\n"},
        {{".onnx_data", ".onnx_data_1", "net.onnx_data_", "net.onnx_data_1x", "net.onnx.data.txt"},
         "rest 01234"},
    };
    CHECK_CASES(cases);
}

enum { MAX_REFERENCES = 4 };

static const struct {
    const char *paths[MAX_PATHS];
    struct reference references[MAX_REFERENCES];
    const char *want;
} referred[] = {
    {{"a/onnx__MatMul_12", "a/m.onnx", "a/sub/w.bin", "w"},
     {{"a/m.onnx", "a/onnx__MatMul_12"}, {"a/m.onnx", "a/sub/w.bin"}, {"a/m.onnx", "a/none"}},
     "export-m ONNX:-1 'a/' 012\nrest 3"},
    /* twice; of several graphs the first to say so; one without a graph of its name */
    {{"b.onnx", "a.onnx", "w", "w"},
     {{"a.onnx", "w"}, {"a.onnx", "w"}, {"b.onnx", "w"}},
     "export-a ONNX:-1 '' 12\nexport-b ONNX:-1 '' 0\nrest 3"},
    {{"m.onnx", "!w"}, {{"m.onnx", "w"}}, "export-m ONNX:-1 '' 01 lacks w (empty)\n"},
    /* what names say counts; a checkpoint has nothing outside of its directory */
    {{"m.onnx", "m.pt", "n.onnx", "n.onnx.data"},
     {{"m.onnx", "m.pt"}, {"m.onnx", "n.onnx.data"}, {"n.onnx", "m.onnx"}},
     "export-m~m.onnx ONNX:-1 '' 0\nexport-m~m.pt PyTorch:-1 '' 1\n"
     "export-n ONNX:-1 '' 23\n"},
    {{"a/m.onnx", "w", "ab", "a"},
     {{"a/m.onnx", "w"}, {"a/m.onnx", "ab"}, {"a/m.onnx", "a"}},
     "export-m ONNX:-1 'a/' 0\nrest 123"},
    /* who is nobody, or no checkpoint's, owns nothing */
    {{"m.onnx", "v", "w"},
     {{"v", "w"}, {"none", "w"}, {"w", "w"}},
     "export-m ONNX:-1 '' 0\nrest 12"},
    /* twins */
    {{"a/9.onnx", "b/9.onnx", "b/w"},
     {{"b/9.onnx", "b/w"}},
     "export-9~a/9 ONNX:9 'a/' 0\nexport-9~b/9 ONNX:9 'b/' 12\n"},
};

static void what_is_referred_to_belongs_to_who_refers(void)
{
    for (size_t i = 0; i < sizeof(referred) / sizeof(referred[0]); i++) {
        size_t n = 0;
        while (n < MAX_REFERENCES && referred[i].references[n].from)
            n++;
        CLEANUP(cleanup_free)
        char *got = describe_referred(referred[i].paths, referred[i].references, n);
        CHECK_STR(got, referred[i].want);
    }
}

static void a_trainers_checkpoint_has_all_below_it(void)
{
    static const struct find_case cases[] = {
        {{"out/checkpoint-500/model.safetensors", "out/checkpoint-500/optimizer.pt",
          "out/checkpoint-500/rng_state_0.pth", "out/checkpoint-500/trainer_state.json",
          "out/checkpoint-500/a/b/x-7.index", "out/checkpoint-500/config.json", "out/x"},
         "ckpt-500 Trainer checkpoint:500 'out/checkpoint-500/' 012345\nrest 6"},
        {{"checkpoint-5/model-00001-of-00002.safetensors",
          "checkpoint-5/model-00002-of-00002.safetensors",
          "checkpoint-5/model.safetensors.index.json"},
         "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' 012\n"},
        {{"checkpoint-5/pytorch_model.bin", "checkpoint-6/adapter_model.safetensors",
          "checkpoint-7/adapter_model.bin"},
         "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' 0\n"
         "ckpt-6 Trainer checkpoint:6 'checkpoint-6/' 1\n"
         "ckpt-7 Trainer checkpoint:7 'checkpoint-7/' 2\n"},
        {{"checkpoint-5/trainer_state.json", "checkpoint-5/global_step5/a.pt"},
         "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' 01\n"},
        {{"checkpoint-5/optimizer.pt", "checkpoint-5/pytorch_model_fsdp_0/x"},
         "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' 01\n"},
        {{"a/checkpoint-5/model.safetensors", "b/checkpoint-5/model.safetensors"},
         "ckpt-5~a/checkpoint-5 Trainer checkpoint:5 'a/checkpoint-5/' 0\n"
         "ckpt-5~b/checkpoint-5 Trainer checkpoint:5 'b/checkpoint-5/' 1\n"},
        {{"checkpoint-5/x", "checkpoint-/model.safetensors", "xcheckpoint-5/y", "checkpoint-5"},
         "export-model safetensors:-1 'checkpoint-/' 1\nrest 023"},
        {{"checkpoint-5/saved_model.pb", "checkpoint-5/model.safetensors"},
         "export-checkpoint-5 SavedModel:-1 'checkpoint-5/' 01\n"},
        {{"checkpoint-5/model.safetensors", "checkpoint-5/e/saved_model.pb"},
         "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' 01\n"},
    };
    CHECK_CASES(cases);
}

static void what_a_trainers_checkpoint_lacks_is_named(void)
{
#define D    "checkpoint-5/"
#define CKPT "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' "
    static const struct find_case cases[] = {
        {{D "trainer_state.json"}, CKPT "0 lacks model.safetensors\n"},
        {{D "optimizer.pt", "!" D "global_step5/a.pt"}, CKPT "01 lacks model.safetensors\n"},
        {{"!" D "model.safetensors"}, CKPT "0 lacks model.safetensors (empty)\n"},
        {{D "model-00001-of-00002.safetensors", D "model.safetensors.index.json"},
         CKPT "01 lacks model-00002-of-00002.safetensors (1 of 2)\n"},
        {{D "model-00001-of-00002.safetensors", D "model-00002-of-00002.safetensors"},
         CKPT "01 lacks model.safetensors.index.json\n"},
        {{D "model-00001-of-00001.safetensors", "!" D "model.safetensors.index.json"},
         CKPT "01 lacks model.safetensors.index.json (empty)\n"},
        {{D "model-00001-of-00002.safetensors", "!" D "model-00002-of-00002.safetensors",
          D "model.safetensors.index.json"},
         CKPT "012 lacks model-00002-of-00002.safetensors (empty)\n"},
        {{D "pytorch_model.bin.index.json"}, CKPT "0 lacks pytorch_model-00001-of-?.bin\n"},
        {{"!" D "model.safetensors", D "pytorch_model.bin"}, CKPT "01\n"},
    };
    CHECK_CASES(cases);
#undef CKPT
#undef D
}

static void a_model_directory_takes_its_own_files(void)
{
    static const struct find_case cases[] = {
        {{"a/bert/config.json", "a/bert/model.safetensors", "a/bert/tokenizer.json",
          "a/bert/README.md", "a/bert/training_args.bin", "a/bert/sub/x", "a/x"},
         "export-bert Transformers:-1 'a/bert/' 01234\nrest 56"},
        {{"config.json", "pytorch_model.bin", "model.safetensors", "tf_model.h5", "vocab.txt",
          "checkpoint-5/config.json", "checkpoint-5/model.safetensors"},
         "ckpt-5 Trainer checkpoint:5 'checkpoint-5/' 56\nexport-model Transformers:-1 '' 01234\n"},
        {{"config.json", "pytorch_model.bin"}, "export-pytorch_model Transformers:-1 '' 01\n"},
        {{"adapter_config.json", "adapter_model.safetensors"},
         "export-adapter_model Transformers:-1 '' 01\n"},
        {{"unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors", "model_index.json"},
         "export-unet Transformers:-1 'unet/' 01\nrest 2"},
        {{"config.json", "model.safetensors", "model.onnx", "q.gguf", "m-5.index", "epoch_3.pt",
          "e/saved_model.pb"},
         "ckpt-3 PyTorch:3 '' 5\n"
         "ckpt-5 TensorFlow V2:5 '' 4 m-5 lacks m-5.data-00000-of-?\n"
         "export-e SavedModel:-1 'e/' 6\n"
         "export-model~model ONNX:-1 '' 2\n"
         "export-model~./model Transformers:-1 '' 01\n"
         "export-q GGUF:-1 '' 3\n"},
        {{"a/config.json", "a/model_old.safetensors"},
         "export-model_old safetensors:-1 'a/' 1\nrest 0"},
        {{"a/config.json", "b/model.safetensors", "a/weights.safetensors"},
         "export-model safetensors:-1 'b/' 1\nexport-weights safetensors:-1 'a/' 2\nrest 0"},
        {{"m/config.json", "m/model-00001-of-00002.safetensors"},
         "export-m Transformers:-1 'm/' 01 lacks model.safetensors.index.json\n"},
        {{"net/config.json", "net/model.safetensors", "net.onnx", "x/net.onnx"},
         "export-net~net.onnx ONNX:-1 '' 2\n"
         "export-net~net.transformers Transformers:-1 'net/' 01\n"
         "export-net~x/net ONNX:-1 'x/' 3\n"},
        {{"config.json", "model.safetensors", "gradient-model-metadata.json"},
         "export-model Transformers:-1 '' 012\n"},
    };
    CHECK_CASES(cases);
}

static void torch_tells_steps_by_name(void)
{
    static const struct find_case cases[] = {
        {{"epoch=3-step=1200.ckpt", "epoch=3-step=1400-v1.ckpt", "last.ckpt", "hparams.yaml"},
         "ckpt-1200 Lightning:1200 '' 0\nckpt-1400 Lightning:1400 '' 1\n"
         "export-last Lightning:-1 '' 2\nrest 3"},
        {{"epoch=05-val_loss=0.12.ckpt", "!d/a.ckpt"},
         "ckpt-5 Lightning:5 '' 0\nexport-a Lightning:-1 'd/' 1 lacks a.ckpt (empty)\n"},
        {{"model_1000.pt", "step-7.pth", "Iter8_x.pt", "epoch_9.pt", "10.pt", "globalstep11.pt"},
         "ckpt-7 PyTorch:7 '' 1\nckpt-8 PyTorch:8 '' 2\nckpt-9 PyTorch:9 '' 3\n"
         "ckpt-10 PyTorch:10 '' 4\nckpt-11 PyTorch:11 '' 5\nckpt-1000 PyTorch:1000 '' 0\n"},
        {{"best.pt", "resnet50.pth", "v1.5.pt", "rng_state_0.pth", "net_0.5.pt"},
         "export-best PyTorch:-1 '' 0\nexport-net_0.5 PyTorch:-1 '' 4\n"
         "export-resnet50 PyTorch:-1 '' 1\nexport-rng_state_0 PyTorch:-1 '' 3\n"
         "export-v1.5 PyTorch:-1 '' 2\n"},
        {{"footstep5x.pt", "step=0.5.pt", "steps.pt", "net_20_0.95.pt", "step=5a.pt"},
         "ckpt-20 PyTorch:20 '' 3\n"
         "export-footstep5x PyTorch:-1 '' 0\nexport-step=0.5 PyTorch:-1 '' 1\n"
         "export-step=5a PyTorch:-1 '' 4\nexport-steps PyTorch:-1 '' 2\n"},
        {{"pytorch_model.bin", "vocab.bin", "shard-00001.bin", "step_6.bin"},
         "ckpt-6 PyTorch:6 '' 3\nexport-pytorch_model PyTorch:-1 '' 0\nrest 12"},
        {{"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin",
          "pytorch_model.bin.index.json"},
         "export-pytorch_model PyTorch:-1 '' 012\n"},
        {{"m.pt", "m.pth", "m.onnx", "m-5.pt", "m-5.pth"},
         "ckpt-5~m-5.pt PyTorch:5 '' 3\nckpt-5~m-5.pth PyTorch:5 '' 4\n"
         "export-m~m.onnx ONNX:-1 '' 2\nexport-m~m.pt PyTorch:-1 '' 0\n"
         "export-m~m.pth PyTorch:-1 '' 1\n"},
        {{"m-1234567890123456789.pt", "step=1234567890123456789.pt"},
         "export-m-1234567890123456789 PyTorch:-1 '' 0\n"
         "export-step=1234567890123456789 PyTorch:-1 '' 1\n"},
    };
    CHECK_CASES(cases);
}

static void shards_are_one_checkpoint(void)
{
    static const struct find_case cases[] = {
        {{"q.gguf", "s-00001-of-00002.gguf", "s-00002-of-00002.gguf"},
         "export-q GGUF:-1 '' 0\nexport-s GGUF:-1 '' 12\n"},
        {{"s-00002-of-00003.gguf", "!s-00003-of-00003.gguf"},
         "export-s GGUF:-1 '' 01 lacks s-00001-of-00003.gguf (1 of 3)\n"},
        {{"s-00001-of-00002.gguf", "s-00001-of-00004.gguf", "s-00002-of-00002.gguf"},
         "export-s GGUF:-1 '' 012\n"},
        {{"s-00001-of-00002.gguf", "s-00001-of-00004.gguf", "s-00002-of-00004.gguf"},
         "export-s GGUF:-1 '' 012 lacks s-00003-of-00004.gguf (2 of 4, and others of 2)\n"},
        {{"s-00001-of-00002.gguf", "s-00001-of-00002.gguf"},
         "export-s GGUF:-1 '' 01 lacks s-00002-of-00002.gguf (1 of 2)\n"},
        {{"!s-00001-of-00001.gguf", "s-00001-of-00001.gguf"}, "export-s GGUF:-1 '' 01\n"},
        {{"s-00000-of-00002.gguf", "s-00003-of-00002.gguf"},
         "export-s-00000-of-00002 GGUF:-1 '' 0\nexport-s-00003-of-00002 GGUF:-1 '' 1\n"},
        {{"w.safetensors", "d/x-00001-of-00001.safetensors", "d/x.safetensors.index.json"},
         "export-w safetensors:-1 '' 0\nexport-x safetensors:-1 'd/' 12\n"},
        {{"lora-000010.safetensors", "sd-2-1.safetensors", "step_3.safetensors"},
         "ckpt-3 safetensors:3 '' 2\nckpt-10 safetensors:10 '' 0\n"
         "export-sd-2-1 safetensors:-1 '' 1\n"},
        {{"m-1.index", "m-1.data-00000-of-00002", "!m-1.data-00001-of-00002"},
         "ckpt-1 TensorFlow V2:1 '' 012 m-1 lacks m-1.data-00001-of-00002 (empty)\n"},
        {{"!m-1.index", "m-1.data-00000-of-00001"},
         "ckpt-1 TensorFlow V2:1 '' 01 m-1 lacks m-1.index (empty)\n"},
        {{"m-1.index", "m-1.data-00000-of-00002", "m-1.data-00000-of-00001"},
         "ckpt-1 TensorFlow V2:1 '' 012 m-1\n"},
    };
    CHECK_CASES(cases);
}

static void other_files_are_exports_by_their_stem(void)
{
    static const struct find_case cases[] = {
        {{"a.npz", "b-5.npy", "step_5.npz", "!e.npy"},
         "ckpt-5 NumPy:5 '' 2\nexport-a NumPy:-1 '' 0\nexport-b-5 NumPy:-1 '' 1\n"
         "export-e NumPy:-1 '' 3 lacks e.npy (empty)\n"},
        {{"a.pkl", "b.pickle", "c.joblib", "d.sav", "m-3.pkl", "7.pkl"},
         "export-a pickle:-1 '' 0\nexport-b pickle:-1 '' 1\nexport-c joblib:-1 '' 2\n"
         "export-d pickle:-1 '' 3\nexport-m-3 pickle:-1 '' 4\nexport-7 pickle:7 '' 5\n"},
        {{"a.xgb", "m_10.ubj", "model.bst", "b.xgboost.json", "xgboost_model.json", "c.json"},
         "ckpt-10 XGBoost:10 '' 1\nexport-a XGBoost:-1 '' 0\nexport-b XGBoost:-1 '' 3\n"
         "export-model XGBoost:-1 '' 2\nexport-xgboost_model XGBoost:-1 '' 4\nrest 5"},
        {{"a.lgb", "lightgbm.txt", "lightgbm_model.txt", "b.lightgbm.txt", "c.txt"},
         "export-a LightGBM:-1 '' 0\nexport-b LightGBM:-1 '' 3\nexport-lightgbm LightGBM:-1 '' 1\n"
         "export-lightgbm_model LightGBM:-1 '' 2\nrest 4"},
        {{"a.cbm", ".cbm", "a.cbmx"}, "export-a CatBoost:-1 '' 0\nrest 12"},
        {{"gradient-model-metadata.json", "a.cbm"}, "export-a CatBoost:-1 '' 1\nrest 0"},
    };
    CHECK_CASES(cases);
}

static void an_mlflow_model_has_all_below_it(void)
{
    static const struct find_case cases[] = {
        {{"run/model/MLmodel", "run/model/model.pkl", "run/model/data/saved_model.pb",
          "run/model/checkpoint-5/model.safetensors", "run/other.pkl"},
         "export-model MLflow model:-1 'run/model/' 0123\nexport-other pickle:-1 'run/' 4\n"},
        {{"MLmodel", "m-5.index", "a/b"}, "export-model MLflow model:-1 '' 012\n"},
        {{"s/saved_model.pb", "s/m/MLmodel", "s/m/x", "s/y"},
         "export-m MLflow model:-1 's/m/' 12\nexport-s SavedModel:-1 's/' 03\n"},
        {{"a/MLmodel", "a/b/MLmodel"}, "export-a MLflow model:-1 'a/' 01\n"},
        {{"saved_model.pb", "assets/MLmodel", "assets/x", "variables/x"},
         "export-assets MLflow model:-1 'assets/' 12\n"
         "export-model SavedModel:-1 '' 03 lacks variables/variables.index\n"},
        {{"!m/MLmodel", "xMLmodel/a", "MLmodel.txt"},
         "export-m MLflow model:-1 'm/' 0 lacks MLmodel (empty)\nrest 12"},
    };
    CHECK_CASES(cases);
}

static void each_form_has_its_framework(void)
{
    static const struct {
        const char *path, *framework;
    } cases[] = {
        {"m-5.index", "TensorFlow"},
        {"d/saved_model.pb", "TensorFlow"},
        {"m.keras", "Keras"},
        {"m.h5", "Keras"},
        {"m.onnx", "ONNX"},
        {"checkpoint-5/model.safetensors", "Hugging Face"},
        {"m.ckpt", "PyTorch Lightning"},
        {"m.pt", "PyTorch"},
        {"pytorch_model.bin", "PyTorch"},
        {"m.gguf", "GGUF"},
        {"m.safetensors", "safetensors"},
        {"m.npz", "NumPy"},
        {"m.pkl", "scikit-learn"},
        {"m.joblib", "scikit-learn"},
        {"m.ubj", "XGBoost"},
        {"m.lgb", "LightGBM"},
        {"m.cbm", "CatBoost"},
        {"d/MLmodel", "MLflow"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECKPOINTS_CLEANUP struct checkpoints c = {0};
        const struct checkpoint_file file = {cases[i].path, 1};
        CHECK_EQ(checkpoints_find(&file, 1, &c), 0);
        CHECK_EQ(c.n, 1);
        if (c.n)
            CHECK_STR(c.items[0].framework, cases[i].framework);
    }
}

static void what_looks_like_one_and_is_none_is_rest(void)
{
    static const struct find_case cases[] = {
        {{"", "/", "a/", "checkpoint", "graph.pbtxt", ".index", "-5.index", "m-.index", "m5.index"},
         "rest 012345678"},
        {{"m-1234567890123456789.index", "m-5x.index", "m-5.indexx", "m-+5.index", "m- 5.index"},
         "rest 01234"},
        {{"m-5.data-00001-of-00001", "m-5.data-0-of-1", "m-5.data-00000-of-00000",
          "m-5.data-00000-of-000001", "m-5.data-000000-of-00001"},
         "rest 01234"},
        {{"m-5.data--0000-of-00001", "m-5.data- 0000-of-00001", "m-5.data-+0000-of-00001",
          "m-5.data-00000-of-+0001", "m-5.data-00000-OF-00001"},
         "rest 01234"},
        {{"m-5.data-00000-of-00001.tmp", "m-5.data-00000-of-00001/x", "x/.data-00000-of-00001"},
         "rest 012"},
        {{"saved_model", "my_saved_model.pb", "x/saved_model.pbx"}, "rest 012"},
    };
    CHECK_CASES(cases);
}

static void twins_carry_where_they_are(void)
{
    static const struct find_case cases[] = {
        {{"a/m-5.meta", "b/m-5.meta"},
         "ckpt-5~a/m-5 TensorFlow V2:5 'a/' 0 m-5 lacks m-5.index\n"
         "ckpt-5~b/m-5 TensorFlow V2:5 'b/' 1 m-5 lacks m-5.index\n"},
        {{"m-5.meta", "m-05.meta", "n-6.meta"},
         "ckpt-5~m-05 TensorFlow V2:5 '' 1 m-05 lacks m-05.index\n"
         "ckpt-5~m-5 TensorFlow V2:5 '' 0 m-5 lacks m-5.index\n"
         "ckpt-6 TensorFlow V2:6 '' 2 n-6 lacks n-6.index\n"},
        {{"x/net.onnx", "net.onnx", "y/net/saved_model.pb"},
         "export-net~net ONNX:-1 '' 1\n"
         "export-net~x/net ONNX:-1 'x/' 0\n"
         "export-net~y/net SavedModel:-1 'y/net/' 2\n"},
    };
    CHECK_CASES(cases);
}

static void no_two_have_one_name(void)
{
    static const char *const paths[] = {
        "a/m-5.meta",
        "b/m-5.meta",
        "m-5.meta",
        "m-05.meta",
        "m-5.pt",
        "m-5.pth",
        "5.onnx",
        "05.onnx",
        "x/5.onnx",
        "y/5/saved_model.pb",
        "y/5.onnx",
        "model.onnx",
        "z/model.onnx",
        "z/05/saved_model.pb",
        "b/n-5.meta",
        "c/checkpoint-5/model.safetensors",
        "d/checkpoint-5/adapter_model.bin",
        "saved_model.pb",
        "model/saved_model.pb",
        "model.pkl",
        "model.npz",
    };
    enum { N = sizeof(paths) / sizeof(paths[0]) };
    struct checkpoint_file files[N];
    CHECKPOINTS_CLEANUP struct checkpoints c = {0};
    for (size_t i = 0; i < N; i++)
        files[i] = (struct checkpoint_file){paths[i], 1};
    CHECK_EQ(checkpoints_find(files, N, &c), 0);
    CHECK_EQ(c.n, N);
    for (size_t i = 0; i < c.n; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(c.items[i].name, c.items[k].name) != 0);
}

static void the_latest_is_complete(void)
{
    static const struct {
        const char *paths[MAX_PATHS];
        const char *state;  /* what TensorFlow's state file says; NULL: there is none */
        const char *latest; /* NULL: none */
    } cases[] = {
        {{NULL}, NULL, NULL},
        {{"x"}, NULL, NULL},
        {{"m-5.index"}, NULL, NULL},
        {{"m-5.index", "m-5.data-00000-of-00001", "m-6.index", "m-4.index"}, NULL, "ckpt-5"},
        {{"m-5.index", "m-5.data-00000-of-00001", "9.onnx"}, NULL, "ckpt-5"},
        {{"m-5.index", "9.onnx", "10.onnx", "net.onnx"}, NULL, "export-10"},
        {{"m-5.index", "net.onnx"}, NULL, "export-net"},
        {{"!m-5.pt", "m-4.pt", "net.onnx"}, NULL, "ckpt-4"},
        {{"m-9.index", "m-9.data-00000-of-00001", "m-10.index", "m-10.data-00000-of-00001"},
         NULL,
         "ckpt-10"},
        {{"m-9.index", "m-9.data-00000-of-00001", "m-10.index", "m-10.data-00000-of-00001"},
         "m-9",
         "ckpt-9"},
        {{"m-9.index", "m-10.index", "m-10.data-00000-of-00001"}, "m-9", "ckpt-10"},
        {{"d/m.ckpt-9", "m.ckpt-10"}, "m.ckpt-9", "ckpt-10"},
        {{"d/m.ckpt-9", "m.ckpt-10"}, "d/m.ckpt-9", "ckpt-9"},
        {{"d/m.ckpt-9", "m.ckpt-10"}, "d/", "ckpt-10"},
        {{"d/m.ckpt-9", "m.ckpt-10"}, "", "ckpt-10"},
        {{"9.pt", "10.pt"}, "9", "ckpt-10"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECKPOINTS_CLEANUP struct checkpoints c = {0};
        struct checkpoint_file files[MAX_PATHS];
        CHECK_EQ(checkpoints_find(files, read_files(cases[i].paths, files), &c), 0);
        const struct checkpoint *latest = checkpoints_latest(&c, cases[i].state);
        CHECK_EQ(latest != NULL, cases[i].latest != NULL);
        if (latest)
            CHECK_STR(latest->name, cases[i].latest);
    }
}

static void inner_paths_begin_behind_the_directory(void)
{
    static const struct checkpoint_file files[] = {{"e/5/saved_model.pb", 1},
                                                   {"e/5/variables/x", 1}};
    CHECKPOINTS_CLEANUP struct checkpoints c = {0};
    CHECK_EQ(checkpoints_find(files, 2, &c), 0);
    CHECK_EQ(c.n, 1);
    CHECK_STR(checkpoint_inner_path(&c.items[0], files[1].path), "variables/x");
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Finds checkpoints among so many files of a kind; each belongs somewhere, once. CPU seconds. */
static double find_many(size_t n, void (*name)(size_t i, size_t n, char *out), size_t n_want)
{
    enum { BYTES = 2048 };
    CLEANUP(cleanup_free) char *texts = malloc(n * BYTES);
    CLEANUP(cleanup_free) struct checkpoint_file *files = calloc(n, sizeof(*files));
    CLEANUP(cleanup_free) unsigned char *seen = calloc(n, 1);
    CHECKPOINTS_CLEANUP struct checkpoints c = {0};
    for (size_t i = 0; i < n; i++) {
        name(i * 1009 % n, n, texts + i * BYTES);
        files[i] = (struct checkpoint_file){texts + i * BYTES, i % 11};
    }
    double start = cpu_s();
    CHECK_EQ(checkpoints_find(files, n, &c), 0);
    double took = cpu_s() - start;
    for (size_t i = 0; i < c.n; i++)
        for (size_t k = 0; k < c.items[i].n_files; k++)
            seen[c.items[i].files[k]]++;
    for (size_t i = 0; i < c.n_rest; i++)
        seen[c.rest[i]]++;
    CHECK(memchr(seen, 0, n) == NULL && memchr(seen, 2, n) == NULL);
    CHECK_EQ(c.n, n_want);
    return took;
}

static void name_steps(size_t i, size_t n, char *out)
{
    static const char *const ends[] = {".index", ".meta", ".data-00000-of-00002",
                                       ".data-00001-of-00002"};
    (void)n;
    sprintf(out, "runs/of/some/model.ckpt-%zu%s", i / 4, ends[i % 4]);
}

/* Each directory stands in the one before, and each is a model. */
static void name_nested(size_t i, size_t n, char *out)
{
    static const char *const names[] = {"config.json", "model.safetensors",
                                        "checkpoint-5/optimizer.pt", "x"};
    (void)n;
    *out = '\0';
    for (size_t depth = 0; depth < i / 4 % 500; depth++)
        strcat(out, "d/");
    sprintf(out + strlen(out), "%s%zu", i / 2000 ? "n/" : "", i / 2000);
    sprintf(out + strlen(out), "/%s", names[i % 4]);
}

/* All in one directory, half of them ask for their neighbours. */
static void name_neighbours(size_t i, size_t n, char *out)
{
    (void)n;
    sprintf(out, "data/of/one/directory/%zu.%s", i / 2, i % 2 ? "data" : "ckpt");
}

/* What looks at all others for each would take 100 times as long for 10 times as many, and many
 * seconds. */
static void time_grows_with_the_files(void)
{
    static const struct {
        void (*name)(size_t i, size_t n, char *out);
        size_t files_each; /* of a checkpoint */
    } cases[] = {{name_steps, 4}, {name_nested, 2}, {name_neighbours, 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        find_many(4000, cases[i].name, 4000 / cases[i].files_each); /* the allocator is warm now */
        double few_s = find_many(4000, cases[i].name, 4000 / cases[i].files_each);
        double many_s = find_many(40000, cases[i].name, 40000 / cases[i].files_each);
        printf("# %.3f s, %.3f s\n", few_s, many_s);
        CHECK(many_s < 60 * few_s || many_s < 0.5);
    }
}

/* Whatever the order of thousands of files, each belongs somewhere once. */
static void name_mixed(size_t i, size_t n, char *out)
{
    int d = (int)(i % 7), k = (int)(i / 5);
    (void)n;
    switch (i % 5) {
    case 0:
        sprintf(out, "d%d/m-%d.index", d, k);
        break;
    case 1:
        sprintf(out, "d%d/m-%d.data-00000-of-00001", d, k);
        break;
    case 2:
        sprintf(out, "s%d/%d/saved_model.pb", d, k);
        break;
    case 3:
        sprintf(out, "s%d/%d/variables/v", d, k);
        break;
    default:
        sprintf(out, "x%d/%d", d, k);
    }
}

static void each_file_belongs_somewhere_once(void)
{
    find_many(3000, name_mixed, 1800);
}

/* A path as deep as paths get. */
static void depth_is_no_matter(void)
{
    enum { DEPTH = 100000 };
    CLEANUP(cleanup_free) char *path = malloc(2 * DEPTH + 32);
    for (size_t i = 0; i < DEPTH; i++)
        memcpy(path + 2 * i, "d/", 2);
    strcpy(path + 2 * (size_t)DEPTH, "saved_model.pb");
    const struct checkpoint_file files[] = {{path, 1}, {"d/d/MLmodel", 1}, {"d/config.json", 1}};
    CHECKPOINTS_CLEANUP struct checkpoints alone = {0}, both = {0};
    CHECK_EQ(checkpoints_find(files, 1, &alone), 0);
    CHECK(alone.n == 1 && alone.n_rest == 0);
    CHECK_STR(alone.items[0].name, "export-d");
    CHECK_EQ(checkpoints_find(files, 3, &both), 0);
    CHECK(both.n == 1 && both.n_rest == 1);
    CHECK_STR(both.items[0].format, "MLflow model");
}

static void names_are_hostile(void)
{
    static const struct find_case cases[] = {
        {{"//MLmodel", "/x.pt", "///checkpoint-5/model.safetensors"},
         "export- MLflow model:-1 '//' 02\nexport-x PyTorch:-1 '/' 1\n"},
        {{"../m.pt", "./m.pt", "m~.pt", "%s%n.pt"},
         "export-%s%n PyTorch:-1 '' 3\n"
         "export-m~../m PyTorch:-1 '../' 0\nexport-m~./m PyTorch:-1 './' 1\n"
         "export-m~ PyTorch:-1 '' 2\n"},
        {{"\xff\n.onnx", "\xc3/\xc3-5.index", " .pt", "\t.pkl"},
         "ckpt-5 TensorFlow V2:5 '\xc3/' 1 \xc3-5 lacks \xc3-5.data-00000-of-?\n"
         "export-\t pickle:-1 '' 3\nexport-  PyTorch:-1 '' 2\nexport-\xff\n ONNX:-1 '' 0\n"},
        {{"step.pt", "step-.pt", "-5.pt", "_.pt", "....pt", "5..pt", "=5.pt"},
         "ckpt-5~-5 PyTorch:5 '' 2\nckpt-5~=5 PyTorch:5 '' 6\n"
         "export-... PyTorch:-1 '' 4\nexport-5. PyTorch:-1 '' 5\nexport-_ PyTorch:-1 '' 3\n"
         "export-step PyTorch:-1 '' 0\nexport-step- PyTorch:-1 '' 1\n"},
        {{"m.pt", "m.pt", "m.pt/x", "m.pt/m.pt"},
         "export-m~m PyTorch:-1 '' 01\nexport-m~m.pt/m PyTorch:-1 'm.pt/' 3\nrest 2"},
    };
    CHECK_CASES(cases);
}

static void no_memory_is_an_error(void)
{
    static const struct checkpoint_file files[] = {
        {"m-5.index", 1},
        {"e/saved_model.pb", 1},
        {"e/variables/x", 1},
        {"9.onnx", 1},
        {"x", 1},
        {"y/9.onnx", 0},
        {"h/config.json", 1},
        {"h/model.safetensors", 1},
        {"h/checkpoint-7/trainer_state.json", 1},
        {"q.onnx.data", 1},
        {"r/MLmodel", 0},
    };
    static const struct reference reference = {"9.onnx", "x"};
    enum { N = sizeof(files) / sizeof(files[0]) };
    FOR_EACH_ALLOC_FAILURE
    {
        CHECKPOINTS_CLEANUP struct checkpoints c = {0};
        int r = checkpoints_find_referred(files, N, &reference, 1, &c);
        CHECK(r == 0 ? c.n == 8 && !c.n_rest : r == -ENOMEM && !c.items && !c.rest);
    }
}

int main(void)
{
    TEST("TensorFlow's checkpoints are found", tensorflow_checkpoints_are_found);
    TEST("what a checkpoint lacks is named", what_a_checkpoint_lacks_is_named);
    TEST("exports are found", exports_are_found);
    TEST("TensorFlow without steps is an export", tensorflow_without_steps_is_an_export);
    TEST("TensorFlow V1 is one file", tensorflow_v1_is_one_file);
    TEST("Keras is named by epoch", keras_is_named_by_epoch);
    TEST("ONNX takes its data", onnx_takes_its_data);
    TEST("what is referred to belongs to who refers", what_is_referred_to_belongs_to_who_refers);
    TEST("a Trainer's checkpoint has all below it", a_trainers_checkpoint_has_all_below_it);
    TEST("what a Trainer's checkpoint lacks is named", what_a_trainers_checkpoint_lacks_is_named);
    TEST("a model directory takes its own files", a_model_directory_takes_its_own_files);
    TEST("torch tells steps by name", torch_tells_steps_by_name);
    TEST("shards are one checkpoint", shards_are_one_checkpoint);
    TEST("other files are exports by their stem", other_files_are_exports_by_their_stem);
    TEST("an MLflow model has all below it", an_mlflow_model_has_all_below_it);
    TEST("each form has its framework", each_form_has_its_framework);
    TEST("what looks like one and is none is rest", what_looks_like_one_and_is_none_is_rest);
    TEST("twins carry where they are", twins_carry_where_they_are);
    TEST("no two have one name", no_two_have_one_name);
    TEST("the latest is complete, a step before an export", the_latest_is_complete);
    TEST("inner paths begin behind the directory", inner_paths_begin_behind_the_directory);
    TEST("depth is no matter", depth_is_no_matter);
    TEST("names are hostile", names_are_hostile);
    TEST("each file belongs somewhere, once", each_file_belongs_somewhere_once);
    TEST("time grows with the files", time_grows_with_the_files);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
