/* SPDX-License-Identifier: Apache-2.0 */
#include "model/formats.h"

#include <string.h>

#include "model/bundle.h"
#include "model/gguf.h"
#include "model/gradient_metadata.h"
#include "model/hf_config.h"
#include "model/metrics_csv.h"
#include "model/metrics_json.h"
#include "model/mlmodel.h"
#include "model/model_card.h"
#include "model/npy.h"
#include "model/npz.h"
#include "model/onnx.h"
#include "model/onnx_references.h"
#include "model/safetensors.h"
#include "model/state_file.h"
#include "model/tfevents.h"
#include "model/trainer_state.h"

/* A file's name: whole, a part of it, or how it ends. */
struct format {
    enum { NAME_IS, NAME_HAS, NAME_ENDS } how;
    const char *text;
    inquiry_parse_fn *parse;
    bool has_tensors;
};

static const struct format contents_formats[] = {
    {NAME_ENDS, ".safetensors", safetensors_parse, true},
    {NAME_ENDS, ".gguf", gguf_parse, true},
    {NAME_ENDS, ".npz", npz_parse, true},
    {NAME_ENDS, ".npy", npy_parse, true},
    {NAME_ENDS, ".onnx", onnx_parse, true},
    {NAME_ENDS, ".index", bundle_parse, true},
    {NAME_IS, "MLmodel", mlmodel_parse, false},
    {NAME_IS, "config.json", hf_config_parse, false},
    {0},
};

static const struct format history_formats[] = {
    {NAME_HAS, ".tfevents.", tfevents_parse, false},
    {NAME_IS, "checkpoint", state_file_parse, false},
    {NAME_IS, "trainer_state.json", trainer_state_parse, false},
    {NAME_IS, "metrics.csv", metrics_csv_parse, false},
    {NAME_IS, "metrics.json", metrics_json_parse, false},
    {NAME_IS, "metrics.jsonl", metrics_json_parse, false},
    {NAME_IS, "gradient-model-metadata.json", gradient_metadata_parse, false},
    {NAME_IS, "README.md", model_card_parse, false},
    {0},
};

static const struct format reference_formats[] = {
    {NAME_ENDS, ".onnx", onnx_references_parse, false},
    {0},
};

static bool matches(const struct format *format, const char *name)
{
    size_t len = strlen(name), n = strlen(format->text);
    switch (format->how) {
    case NAME_IS:
        return strcmp(name, format->text) == 0;
    case NAME_HAS:
        return strstr(name, format->text) != NULL;
    case NAME_ENDS:
        return len > n && strcmp(name + len - n, format->text) == 0;
    }
    return false;
}

static const struct format *find(const struct format *formats, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (; formats->text; formats++)
        if (matches(formats, name))
            return formats;
    return NULL;
}

inquiry_parse_fn *format_contents_parser(const char *path)
{
    const struct format *format = find(contents_formats, path);
    return format ? format->parse : NULL;
}

inquiry_parse_fn *format_history_parser(const char *path)
{
    const struct format *format = find(history_formats, path);
    return format ? format->parse : NULL;
}

inquiry_parse_fn *format_reference_parser(const char *path)
{
    const struct format *format = find(reference_formats, path);
    return format ? format->parse : NULL;
}

bool format_has_tensors(const char *path)
{
    const struct format *format = find(contents_formats, path);
    return format && format->has_tensors;
}
