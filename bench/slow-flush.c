/*
 * A disk whose flush takes longer, for LD_PRELOAD: fsync, fdatasync, and writes to a file opened with O_DSYNC or O_SYNC
 * return $STUDS_BENCH_FLUSH_US microseconds later. Flushes of different processes do not wait for each other, as with a
 * volume over the network; a single spinning disk would do them one by one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

static void wait_for_disk(void) {
    static long micros = -1;
    if (micros < 0) {
        const char *text = getenv("STUDS_BENCH_FLUSH_US");
        micros = text == NULL ? 0 : atol(text);
    }
    struct timespec left = {micros / 1000000, micros % 1000000 * 1000};
    while (micros > 0 && nanosleep(&left, &left) != 0);
}

static int flush(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(fd);
    wait_for_disk();
    return result;
}

int fdatasync(int fd) { return flush("fdatasync", fd); }
int fsync(int fd) { return flush("fsync", fd); }

static ssize_t synchronous(const char *name, int fd, const void *bytes, size_t count, off64_t offset) {
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, name);
    ssize_t result = real(fd, bytes, count, offset);
    if ((fcntl(fd, F_GETFL) & O_DSYNC) != 0) wait_for_disk();
    return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return synchronous("pwrite", fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return synchronous("pwrite64", fd, bytes, count, offset);
}
