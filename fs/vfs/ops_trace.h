/* SPDX-License-Identifier: Apache-2.0 */
/* `.modelfs/trace`: while somebody has it open, reads of the registry's files are noted, and it
 * gives them as a stream (read/trace.h). One recorder at a time. Any thread may call. */
#pragma once

#include "read/answer.h"
#include "vfs/ops_ticket.h"

struct ops_trace;

/* NULL when memory is short. @tree is borrowed. */
struct ops_trace *ops_trace_new(struct tree *tree);
/* When no handler runs any more. NULL is fine. */
void ops_trace_free(struct ops_trace *trace);

/* A read ends: before its answer, so that who got it finds it in the stream. Costs one relaxed load
 * while nobody records. */
void ops_trace_note(const struct read_ticket *ticket, const struct read_answer *answer);

/* Begins to record: 0, -EBUSY when somebody does, -EACCES for who neither mounted nor is root,
 * -ENOMEM. */
int ops_trace_open(struct ops_trace *trace, fuse_req_t req);
/* Ends it, and forgets what was not read. */
void ops_trace_close(struct ops_trace *trace);
/* Answers with what there is of the stream, wherever in it @req thinks it stands. While there is
 * nothing it is parked, until the next read is noted, the caller is interrupted, or the mount ends;
 * with O_NONBLOCK it is EAGAIN at once. One at a time: another one meanwhile is EBUSY. */
void ops_trace_read(struct ops_trace *trace, fuse_req_t req, size_t size,
                    const struct fuse_file_info *fi);

/* The mount ends: who waits gets the end of the stream. */
void ops_trace_end(struct ops_trace *trace);
