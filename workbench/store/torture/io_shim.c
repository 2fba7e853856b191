/* Stands before the C library and fails one chosen call (or all from then on) that touches files below one folder.
 *
 * Kinds: 0 write (write, pwrite, writev, pwritev, copy_file_range, ftruncate), 1 fsync (fsync, fdatasync), 2 rename (rename, renameat, link).
 * A failing write first writes half of its bytes, as a full disk does. Loaded by LD_PRELOAD; armed by `workbench_arm`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_long counts[3];
static atomic_long chosen, fired;
static atomic_int kind_chosen = -1, number, lasting;

void workbench_arm(const char *below, int kind, long nth, int error, int from_then_on) {
    strncpy(folder, below, sizeof folder - 1);
    for (int kind_ = 0; kind_ < 3; kind_++) atomic_store(&counts[kind_], 0);
    atomic_store(&fired, 0);
    atomic_store(&chosen, nth);
    atomic_store(&number, error);
    atomic_store(&lasting, from_then_on);
    atomic_store(&kind_chosen, kind);
}

long workbench_count(int kind) { return atomic_load(&counts[kind]); }
long workbench_fired(void) { return atomic_load(&fired); }

static int below(const char *path) { return folder[0] && path && strncmp(path, folder, strlen(folder)) == 0; }

static int is_below(int descriptor) {
    char link[64], path[PATH_MAX];
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (size <= 0) return 0;
    path[size] = 0;
    return below(path);
}

/* Whether this call is to fail; errno is set then. */
static int fails(int kind) {
    long here = atomic_fetch_add(&counts[kind], 1) + 1;
    if (kind != atomic_load(&kind_chosen)) return 0;
    long nth = atomic_load(&chosen);
    if (here != nth && !(atomic_load(&lasting) && here > nth)) return 0;
    atomic_fetch_add(&fired, 1);
    errno = atomic_load(&number);
    return 1;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (is_below(fd) && fails(0)) { int e = errno; real(fd, data, size / 2); errno = e; return -1; }
    return real(fd, data, size);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        if (is_below(fd) && fails(0)) { int e = errno; real(fd, data, size / 2, offset); errno = e; return -1; } \
        return real(fd, data, size, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    if (is_below(fd) && fails(0)) return -1;
    return real(fd, parts, count);
}

#define PWRITEV(name, offset_type) \
    ssize_t name(int fd, const struct iovec *parts, int count, offset_type offset) { \
        REAL(ssize_t, name, int, const struct iovec *, int, offset_type); \
        if (is_below(fd) && fails(0)) return -1; \
        return real(fd, parts, count, offset); \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned int flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned int);
    if (is_below(out) && fails(0)) return -1;
    return real(in, from, out, to, size, flags);
}

#define TRUNCATE(name, offset_type) \
    int name(int fd, offset_type size) { \
        REAL(int, name, int, offset_type); \
        if (is_below(fd) && fails(0)) return -1; \
        return real(fd, size); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int fsync(int fd) {
    REAL(int, fsync, int);
    if (is_below(fd) && fails(1)) return -1;
    return real(fd);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    if (is_below(fd) && fails(1)) return -1;
    return real(fd);
}

int rename(const char *old, const char *new) {
    REAL(int, rename, const char *, const char *);
    if (below(new) && fails(2)) return -1;
    return real(old, new);
}

int renameat(int old_folder, const char *old, int new_folder, const char *new) {
    REAL(int, renameat, int, const char *, int, const char *);
    if (below(new) && fails(2)) return -1;
    return real(old_folder, old, new_folder, new);
}

int link(const char *old, const char *new) {
    REAL(int, link, const char *, const char *);
    if (below(new) && fails(2)) return -1;
    return real(old, new);
}
