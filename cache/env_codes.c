/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "cache/env_private.h"
#include "cache/folder.h"

int env_set_broken(struct env *env)
{
    bool before = atomic_exchange(&env->broken, true);
    if (!before && env->safety == ENV_DISPOSABLE && folder_data_id(env->dir) == env->data_id)
        folder_set_broken(env->dir);
    return -EIO;
}

bool env_is_damage(int rc)
{
    switch (rc) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE: /* a table's flags are not ours */
    case MDB_BAD_DBI:
    case GUARD_FAULT:
    case EIO:
        return true;
    default:
        return false;
    }
}

int env_errno(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_KEYEXIST:
        return -EEXIST;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return -ENOSPC;
    case MDB_READERS_FULL:
    case MDB_DBS_FULL:
        return -EAGAIN;
    case MDB_BAD_VALSIZE:
        return -EINVAL;
    case MDB_BAD_TXN:
        return -ECANCELED;
    default:
        return rc > 0 ? -rc : -EIO;
    }
}

int env_settle(struct env *env, int rc)
{
    if (!env_is_damage(rc))
        return env_errno(rc);
    return env_set_broken(env);
}

bool env_is_broken(const struct env *env)
{
    return atomic_load(&((struct env *)env)->broken);
}
