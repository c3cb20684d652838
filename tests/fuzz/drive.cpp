/// Runs a target without libFuzzer, with any compiler: TARGET SECONDS [FILE|FOLDER...]
///
/// Every kept input first, then mutations of them for that long. The dice are always the same, so that a
/// failure comes again; the input that broke something is written to ./crash-input.
#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes* current = nullptr;

extern "C" void keep_input(int signal) {
  const int fd = ::open("crash-input", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0 && current != nullptr && ::write(fd, current->data(), current->size()) >= 0) ::close(fd);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const Bytes& input) {
  current = &input;
  const Bytes copy(input);  // exact in size: a sanitizer sees a read past its end
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

std::vector<Bytes> load(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 2; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      files.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
      if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> out;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Bytes>& kept) : kept_(kept) {}

  Bytes next() {
    Bytes out = pick();
    for (std::size_t i = 1 + below(4); i > 0; --i)
      change(out);
    return out;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : dice_() % n; }
  const Bytes& pick() { return kept_[below(kept_.size())]; }

  void change(Bytes& bytes) {
    static constexpr std::array<std::uint8_t, 16> kOdd{0,    1,    '\n', '\r', '"',  '\\', '{', '}',
                                                       0x7f, 0x80, 0xc3, 0xe2, 0xff, ' ',  ':', '<'};
    const std::size_t at = below(bytes.size() + 1);
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t length = std::min(below(bytes.size() - at + 1), below(64));
    switch (below(6)) {
      case 0: bytes.insert(place, kOdd.at(below(kOdd.size()))); break;
      case 1: bytes.insert(place, static_cast<std::uint8_t>(below(256))); break;
      case 2: bytes.erase(place, place + static_cast<std::ptrdiff_t>(length)); break;
      case 3:
        if (place != bytes.end()) *place ^= static_cast<std::uint8_t>(1U << below(8));
        break;
      case 4: {  // once more
        const Bytes piece(place, place + static_cast<std::ptrdiff_t>(length));
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)), piece.begin(),
                     piece.end());
        break;
      }
      default: {  // a piece of another
        const Bytes& other = pick();
        const std::size_t from = below(other.size() + 1);
        const auto begin = other.begin() + static_cast<std::ptrdiff_t>(from);
        const std::size_t size = std::min(other.size() - from, 1 + below(200));
        bytes.insert(place, begin, begin + static_cast<std::ptrdiff_t>(size));
      }
    }
  }

  const std::vector<Bytes>& kept_;
  std::mt19937_64 dice_{20261124};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: TARGET SECONDS FILE|FOLDER...\n", stderr);
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL})
    std::signal(signal, keep_input);
  const std::vector<Bytes> kept = load(argc, argv);
  if (kept.empty()) {
    std::fputs("no input was kept\n", stderr);
    return 2;
  }
  for (const Bytes& input : kept)
    run(input);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[1]));
  Mutator mutator(kept);
  std::size_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs)
    run(mutator.next());
  std::printf("%zu kept inputs, %zu mutations\n", kept.size(), runs);
  return 0;
}
