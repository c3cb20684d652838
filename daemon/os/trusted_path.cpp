#include "os/trusted_path.hpp"

#include <deque>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace sharedrift {

namespace {

std::optional<PathWeakness> weakness_of(const std::string& path, const struct stat& info, bool is_end) {
  struct statvfs mount {};
  if (::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0) return std::nullopt;
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) return PathWeakness{path, "belongs to another user"};
  const bool is_sticky_folder = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  const bool others_may_write = !S_ISLNK(info.st_mode) && (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (others_may_write && !is_sticky_folder)
    return PathWeakness{path, "can be changed by others than its owner", is_end};
  return std::nullopt;
}

/// Puts the parts of `path` in front of those that are left to walk.
void put_in_front(const std::filesystem::path& path, std::deque<std::string>& left) {
  std::deque<std::string> parts;
  for (const auto& part : path.relative_path()) {
    if (!part.empty() && part != ".") parts.push_back(part.string());
  }
  left.insert(left.begin(), parts.begin(), parts.end());
}

}  // namespace

std::optional<PathWeakness> weakness_of_path(const std::string& path) {
  constexpr int kMostLinks = 40;  // as the kernel
  std::error_code error;
  std::deque<std::string> left;
  put_in_front(std::filesystem::absolute(path, error), left);
  std::filesystem::path at = "/";
  std::optional<PathWeakness> found;
  for (int links = 0; !error;) {
    struct stat info {};
    if (::lstat(at.c_str(), &info) != 0) return std::nullopt;
    if (auto weakness = weakness_of(at.string(), info, left.empty())) found = std::move(weakness);
    if (S_ISLNK(info.st_mode)) {
      if (++links > kMostLinks) return PathWeakness{path, "is a circle of symbolic links"};
      const std::filesystem::path target = std::filesystem::read_symlink(at, error);
      put_in_front(target, left);
      at = target.is_absolute() ? "/" : at.parent_path();
      continue;
    }
    if (left.empty()) break;
    at = left.front() == ".." ? at.parent_path() : at / left.front();
    left.pop_front();
  }
  return found;
}

}  // namespace sharedrift
