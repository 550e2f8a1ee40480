/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.h"

#include <string.h>

void block_key_format(const struct blob_id *blob, uint32_t block, uint8_t out[BLOCK_KEY_BYTES])
{
    memcpy(out, blob->bytes, BLOB_ID_BYTES);
    for (int i = 0; i < 4; i++)
        out[BLOB_ID_BYTES + i] = (uint8_t)(block >> (24 - 8 * i));
}

void block_key_parse(const uint8_t key[BLOCK_KEY_BYTES], struct blob_id *out_blob,
                     uint32_t *out_block)
{
    memcpy(out_blob->bytes, key, BLOB_ID_BYTES);
    uint32_t block = 0;
    for (int i = 0; i < 4; i++)
        block = block << 8 | key[BLOB_ID_BYTES + i];
    *out_block = block;
}
