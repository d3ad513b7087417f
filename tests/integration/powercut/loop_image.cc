#include "loop_image.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pawl {

namespace {

constexpr unsigned long ext4_ioc_shutdown = 0x8004587d;
constexpr uint32_t shutdown_without_flush = 2;
constexpr int loop_attempts = 16;

Error failed(const std::string& what) {
  return Error{Code::failed_precondition, what + ": " + std::strerror(errno)};
}

Status make_file_system(const std::string& path) {
  pid_t child = ::fork();
  if (child < 0) return failed("fork");
  if (child == 0) {
    int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", path.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{Code::failed_precondition, "mkfs.ext4 does not work here (package e2fsprogs)"};
}

// Binds a free loop device to `backing`; it frees itself when its last user has gone.
Result<int> bind_loop(int backing, std::string& device) {
  int control = ::open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return failed("/dev/loop-control");
  for (int attempt = 0; attempt < loop_attempts; ++attempt) {
    int number = ::ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) break;
    device = "/dev/loop" + std::to_string(number);
    int loop = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
    if (loop < 0) break;
    loop_config config{};
    config.fd = static_cast<uint32_t>(backing);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (::ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
      ::close(control);
      return loop;
    }
    ::close(loop);
    if (errno != EBUSY) break;  // another process was quicker: the next one
  }
  Error error = failed("no loop device is to be had");
  ::close(control);
  return error;
}

}  // namespace

Result<LoopImage> LoopImage::make(const std::string& directory, uint64_t size) {
  if (::geteuid() != 0) return Error{Code::permission_denied, "this needs root"};
  if (::unshare(CLONE_NEWNS) != 0) return failed("no mount namespace is to be had");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed("cannot make mounts private");
  // In memory: what is tested is what ext4 hands down and when, and other tests need the disk.
  int backing = ::memfd_create("pawl-image", MFD_CLOEXEC);
  if (backing < 0) return failed("memfd_create");
  LoopImage image(directory + "/mnt", backing);
  if (::ftruncate(backing, static_cast<off_t>(size)) != 0) return failed("the image");
  std::string file = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(backing);
  PAWL_TRY(make_file_system(file));
  if (::mkdir(image.mount_point_.c_str(), 0700) != 0) return failed(image.mount_point_);
  return image;
}

LoopImage::LoopImage(LoopImage&& other) noexcept
    : mount_point_(std::move(other.mount_point_)),
      backing_(std::exchange(other.backing_, -1)),
      mounted_(std::exchange(other.mounted_, false)) {}

LoopImage::~LoopImage() {
  if (mounted_) ::umount2(mount_point_.c_str(), MNT_DETACH);
  if (backing_ < 0) return;
  ::close(backing_);
  ::rmdir(mount_point_.c_str());
}

Status LoopImage::mount() {
  std::string device;
  PAWL_ASSIGN(int loop, bind_loop(backing_, device));
  int result = ::mount(device.c_str(), mount_point_.c_str(), "ext4", MS_NOATIME, "");
  Status status;
  if (result != 0) status = failed("mount " + device);
  ::close(loop);
  mounted_ = status.ok();
  return status;
}

Status LoopImage::unmount() {
  if (::umount2(mount_point_.c_str(), 0) != 0) return failed("unmount " + mount_point_);
  mounted_ = false;
  return {};
}

Status LoopImage::cut_power() {
  int fd = ::open(mount_point_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed(mount_point_);
  uint32_t flag = shutdown_without_flush;
  int result = ::ioctl(fd, ext4_ioc_shutdown, &flag);
  Status status;
  if (result != 0) status = failed("EXT4_IOC_SHUTDOWN");
  ::close(fd);
  return status;
}

Status LoopImage::remount_read_only() {
  if (::mount(nullptr, mount_point_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
    return failed("remount read-only");
  return {};
}

}  // namespace pawl
