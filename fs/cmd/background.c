/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static void be_child(struct background *b, const int pipe_fds[2])
{
    close(pipe_fds[0]);
    b->to_parent = pipe_fds[1];
}

static int wait_for_child(const int pipe_fds[2])
{
    unsigned char code = EX_OSERR;
    close(pipe_fds[1]);
    ssize_t n;
    while ((n = read(pipe_fds[0], &code, 1)) < 0 && errno == EINTR)
        ;
    close(pipe_fds[0]);
    return n == 1 ? code : EX_OSERR;
}

int background_fork(struct background *b, int *out_code)
{
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -errno;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        int r = -errno;
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        return r;
    }
    if (pid == 0) {
        be_child(b, pipe_fds);
        return 1;
    }
    *out_code = wait_for_child(pipe_fds);
    return 0;
}

static void leave_terminal(void)
{
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (chdir("/") < 0 || null < 0)
        return;
    for (int fd = 0; fd <= 2; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
}

static void tell(struct background *b, int code)
{
    unsigned char byte = (unsigned char)code;
    if (b->to_parent < 0)
        return;
    while (write(b->to_parent, &byte, 1) < 0 && errno == EINTR)
        ;
    close(b->to_parent);
    b->to_parent = -1;
}

void background_ready(struct background *b)
{
    if (b->to_parent < 0)
        return;
    leave_terminal();
    tell(b, EX_OK);
}

void background_failed(struct background *b, int code)
{
    tell(b, code);
}
