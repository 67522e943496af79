/*
 * A disk that misbehaves, for LD_PRELOAD. What it does is decided by files in $STUDS_FAULTS, looked at on every call:
 *   delay     fdatasync and fsync take so many milliseconds longer
 *   hang      fdatasync and fsync never return
 *   eio       the next fdatasync or fsync fails with EIO (the file is removed)
 *   eio-meta  the next write to a file opened with O_DSYNC fails with EIO (the file is removed)
 * Every delayed, hung or failed call adds a line to the file `hits`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *path_of(char *path, size_t size, const char *name) {
    const char *directory = getenv("STUDS_FAULTS");
    if (directory == NULL) return NULL;
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

static int is_there(const char *name) {
    char path[512];
    return path_of(path, sizeof path, name) != NULL && access(path, F_OK) == 0;
}

static int take(const char *name) {
    char path[512];
    return path_of(path, sizeof path, name) != NULL && unlink(path) == 0;
}

static void hit(const char *what) {
    char path[512];
    if (path_of(path, sizeof path, "hits") == NULL) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0) return;
    if (write(fd, what, strlen(what)) < 0) perror("hits");
    close(fd);
}

static long delay_ms(void) {
    char path[512], text[32] = "";
    if (path_of(path, sizeof path, "delay") == NULL) return 0;
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    close(fd);
    return atol(text);
}

static int flush(const char *name, int fd) {
    if (is_there("hang")) {
        hit("hang\n");
        for (;;) pause();
    }
    if (take("eio")) {
        hit("eio\n");
        errno = EIO;
        return -1;
    }
    long ms = delay_ms();
    if (ms > 0) {
        hit("delay\n");
        usleep((useconds_t)ms * 1000);
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fdatasync(int fd) { return flush("fdatasync", fd); }
int fsync(int fd) { return flush("fsync", fd); }

static ssize_t meta_write(const char *name, int fd, const void *bytes, size_t count, off64_t offset) {
    if ((fcntl(fd, F_GETFL) & O_DSYNC) != 0 && take("eio-meta")) {
        hit("eio-meta\n");
        errno = EIO;
        return -1;
    }
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, name);
    return real(fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return meta_write("pwrite", fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return meta_write("pwrite64", fd, bytes, count, offset);
}
