// The head of an AppImage (type 2): mounts the squashfs that lies behind this program, or unpacks it
// where FUSE is not there, runs AppRun in it, and leaves nothing behind.
// https://github.com/AppImage/AppImageSpec/blob/master/draft.md
// Built by appimage.sh with Debian's libsquashfuse-dev and libfuse3-dev.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <squashfuse/ll.h>

enum { FAILED = 127, CHUNK = 1 << 20 };
static char self[PATH_MAX], place[PATH_MAX];

static int fail(const char *what) {
    fprintf(stderr, "stylizer: the AppImage cannot be opened: %s: %s\n", what, strerror(errno));
    return FAILED;
}

// Where the program ends and the squashfs begins: its table of sections is the last part of it.
static size_t end_of_program(void) {
    Elf64_Ehdr head;
    int file = open(self, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, &head, sizeof head) != sizeof head) return 0;
    close(file);
    return head.e_shoff + (size_t)head.e_shentsize * head.e_shnum;
}

static int write_file(sqfs *image, sqfs_inode *inode, const char *path, mode_t mode) {
    static char part[CHUNK];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
    if (file < 0) return -1;
    for (sqfs_off_t at = 0;;) {
        sqfs_off_t size = CHUNK;
        if (sqfs_read_range(image, inode, at, &size, part)) break;
        if (size == 0) return close(file);
        if (write(file, part, size) != size) break;
        at += size;
    }
    close(file);
    return -1;
}

static int unpack_one(sqfs *image, sqfs_traverse *walk, const char *folder) {
    char path[PATH_MAX], target[PATH_MAX];
    size_t size = sizeof target;
    sqfs_inode inode;
    if (snprintf(path, sizeof path, "%s/%s", folder, walk->path) >= (int)sizeof path) return -1;
    if (sqfs_inode_get(image, &inode, sqfs_dentry_inode(&walk->entry))) return -1;
    if (S_ISDIR(inode.base.mode)) return mkdir(path, 0755);
    if (S_ISREG(inode.base.mode)) return write_file(image, &inode, path, inode.base.mode);
    if (!S_ISLNK(inode.base.mode)) return 0;
    return sqfs_readlink(image, &inode, target, &size) ? -1 : symlink(target, path);
}

static int unpack(size_t offset, const char *folder) {
    sqfs image;
    sqfs_traverse walk;
    sqfs_err error = SQFS_OK;
    if (sqfs_open_image(&image, self, offset)) return -1;
    if (sqfs_traverse_open(&walk, &image, sqfs_inode_root(&image))) return -1;
    while (sqfs_traverse_next(&walk, &error))
        if (!walk.dir_end && unpack_one(&image, &walk, folder)) return -1;
    sqfs_traverse_close(&walk);
    return error ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *what, int kind, struct FTW *at) {
    (void)what, (void)kind, (void)at;
    return remove(path);
}

static pid_t start(char **arguments, const sigset_t *signals) {
    pid_t child = fork();
    if (child) return child;
    char program[PATH_MAX + 16];
    sigprocmask(SIG_UNBLOCK, signals, NULL);
    snprintf(program, sizeof program, "%s/AppRun", place);
    setenv("APPIMAGE", self, 1);
    setenv("APPDIR", place, 1);
    arguments[0] = program;
    execv(program, arguments);
    _exit(fail(program));
}

// Until the child ends; its exit status. session: what reads for it, NULL where nothing is mounted.
static int serve(pid_t child, struct fuse_session *session, int signals) {
    struct pollfd waited[] = {{signals, POLLIN, 0},
                              {session ? fuse_session_fd(session) : -1, POLLIN, 0}};
    struct fuse_buf buffer = {0};
    for (int status;;) {
        if (poll(waited, 2, -1) < 0 && errno != EINTR) return fail("poll");
        if (waited[1].revents) {
            int size = fuse_session_receive_buf(session, &buffer);
            if (size > 0) fuse_session_process_buf(session, &buffer);
            else if (size != -EINTR && size != -EAGAIN) waited[1].fd = -1;
        }
        struct signalfd_siginfo came;
        if (!waited[0].revents || read(signals, &came, sizeof came) != sizeof came) continue;
        if (came.ssi_signo != SIGCHLD) { // what the terminal sent, all of its group have got
            if (came.ssi_code != SI_KERNEL) kill(child, came.ssi_signo);
        } else if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

static struct fuse_session *mount_at(sqfs_ll_chan *channel, size_t offset) {
    static struct fuse_lowlevel_ops operations = {
        .getattr = sqfs_ll_op_getattr, .opendir = sqfs_ll_op_opendir,
        .releasedir = sqfs_ll_op_releasedir, .readdir = sqfs_ll_op_readdir,
        .lookup = sqfs_ll_op_lookup, .open = sqfs_ll_op_open, .release = sqfs_ll_op_release,
        .read = sqfs_ll_op_read, .readlink = sqfs_ll_op_readlink, .forget = sqfs_ll_op_forget,
    };
    static char *words[] = {"stylizer", "-o", "ro,nosuid,nodev,fsname=stylizer"};
    struct fuse_args arguments = FUSE_ARGS_INIT(3, words);
    sqfs_ll *image = sqfs_ll_open(self, offset);
    if (!image) return NULL;
    int failed = sqfs_ll_mount(channel, place, &arguments, &operations, sizeof operations, image);
    return failed ? NULL : channel->session;
}

int main(int count, char **arguments) {
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    size_t offset = length > 0 ? end_of_program() : 0;
    const char *first = count > 1 ? arguments[1] : "", *temporary = getenv("TMPDIR");
    if (!offset) return fail("/proc/self/exe");
    if (!strcmp(first, "--appimage-offset")) return printf("%zu\n", offset) < 0;
    if (!strcmp(first, "--appimage-extract")) {
        if (mkdir("squashfs-root", 0755) || unpack(offset, "squashfs-root")) return fail(first);
        return 0;
    }
    snprintf(place, sizeof place, "%s/.mount_stylizerXXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(place)) return fail(place);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int *each = (int[]){SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0}; *each; each++)
        sigaddset(&signals, *each);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    sqfs_ll_chan channel;
    bool asked = getenv("APPIMAGE_EXTRACT_AND_RUN") != NULL;
    struct fuse_session *session = asked ? NULL : mount_at(&channel, offset);
    if (!session && unpack(offset, place)) {
        fail(place);
        nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        return FAILED;
    }
    pid_t child = start(arguments, &signals);
    int status = child < 0 ? fail("fork") : serve(child, session, signalfd(-1, &signals, SFD_CLOEXEC));
    if (session) sqfs_ll_unmount(&channel, place);
    nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return status;
}
