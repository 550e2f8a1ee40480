/* SPDX-License-Identifier: Apache-2.0 */
/* Without keys the server listens on the loopback address only, and any program of this machine may
 * call. A browser is such a program, and runs what strangers wrote: a page from anywhere can send
 * requests to 127.0.0.1, or have its own name point there. So a call without a key must not come
 * from a page of another origin, and must call this machine by a name that only this machine
 * has. */
#include "serve/access.h"

#include <string.h>
#include <strings.h>

#include "serve/keys.h"

static int refuse(int r)
{
    return r < 0 ? r : ACCESS_REFUSED;
}

/* X-API-Key before `Authorization: Bearer`; NULL where there is neither. */
static const char *find_key(const struct request *request)
{
    const char *key = request_header(request, "X-API-Key");
    const char *bearer = request_header(request, "Authorization");
    if (key && *key)
        return key;
    if (!bearer || strncasecmp(bearer, "Bearer ", 7) != 0)
        return NULL;
    return bearer + 7 + strspn(bearer + 7, " ");
}

/* An address, or localhost and what is below it: nobody else's name server answers for those. */
static bool is_local_name(const char *host)
{
    size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (host[0] == '[' || strspn(host, "0123456789.") == len)
        return true;
    if (len == 9)
        return strncasecmp(host, "localhost", 9) == 0;
    return len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0;
}

static bool is_foreign(const struct request *request)
{
    const char *host = request_header(request, "Host");
    const char *origin = request_header(request, "Origin");
    if (host && !is_local_name(host))
        return true;
    if (!origin)
        return false;
    const char *from = strstr(origin, "://");
    return !from || !host || strcasecmp(from + 3, host) != 0;
}

int access_check_call(struct store *store, bool key_required, const struct request *request,
                      struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    int r = store_begin(store, false, &txn);
    if (r < 0)
        return r;
    if (keys_accept(txn, find_key(request)))
        return 0;
    r = key_required ? 1 : keys_exist(txn);
    if (r != 0)
        return r < 0 ? r : refuse(reply_no_key(reply));
    if (is_foreign(request))
        return refuse(reply_error(reply, 403, "A registry without keys serves this machine only"));
    return 0;
}

int access_check_signed(struct store *store, const struct request *request, int64_t now_s,
                        struct reply *reply)
{
    switch (sign_check(store_sign_secret(store), request->method, request->path,
                       request_query(request, "expires"), request_query(request, "signature"),
                       now_s)) {
    case SIGN_EXPIRED:
        return refuse(reply_error(reply, 403, "This link has expired"));
    case SIGN_FORGED:
        return refuse(reply_error(reply, 403, "This link's signature is not valid"));
    case SIGN_GOOD:
        break;
    }
    return 0;
}
