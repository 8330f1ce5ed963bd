/* SPDX-License-Identifier: Apache-2.0 */
/* What newlib asks of a system: a console and a heap. */
#include "board/board.h"

#include <errno.h>
#include <sys/stat.h>

extern char heap_start[], heap_end[];

int _write(int fd, const char *buf, int len);
int _read(int fd, char *buf, int len);
int _close(int fd);
int _fstat(int fd, struct stat *st);
int _isatty(int fd);
int _lseek(int fd, int offset, int whence);
void *_sbrk(ptrdiff_t more);
int _kill(int pid, int sig);
int _getpid(void);
void _exit(int status);

int _write(int fd, const char *buf, int len)
{
    (void)fd;
    for (int i = 0; i < len; i++) {
        if (buf[i] == '\n')
            uart_put('\r');
        uart_put((uint8_t)buf[i]);
    }
    return len;
}

int _read(int fd, char *buf, int len)
{
    (void)fd;
    int c = len > 0 ? uart_get() : -1;
    if (c < 0)
        return 0;
    buf[0] = (char)c;
    return 1;
}

int _close(int fd)
{
    (void)fd;
    return -1;
}

int _fstat(int fd, struct stat *st)
{
    (void)fd;
    st->st_mode = S_IFCHR;
    return 0;
}

int _isatty(int fd)
{
    (void)fd;
    return 1;
}

int _lseek(int fd, int offset, int whence)
{
    (void)fd, (void)offset, (void)whence;
    return 0;
}

void *_sbrk(ptrdiff_t more)
{
    static char *top = heap_start;
    if (more > heap_end - top) {
        errno = ENOMEM;
        return (void *)-1;
    }
    char *was = top;
    top += more;
    return was;
}

int _kill(int pid, int sig)
{
    (void)pid, (void)sig;
    errno = EINVAL;
    return -1;
}

int _getpid(void)
{
    return 1;
}

void _exit(int status)
{
    (void)status;
    for (;;)
        board_reset();
}
