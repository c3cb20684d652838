#pragma once

#include "core/time.hpp"
#include "metrics/gzip.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sharedrift {

/// The body of an answer in pieces, immutable.
struct AnswerBody {
  std::vector<std::shared_ptr<const std::string>> pieces;  ///< none of them null
  std::size_t size = 0;                                    ///< of the text, before it was zipped
  bool zipped = false;
  std::string tag;  ///< an ETag: weak, the same for both codings
};

/// Writes a body, and zips it as it grows: nobody needs room for the whole text of 100,000 images.
class AnswerWriter {
 public:
  /// `zip`: as gzip, unless it ends up too short to be worth it.
  explicit AnswerWriter(bool zip) : zip_(zip) {}

  /// What is being written. Append whole items, then cut().
  std::string& text() { return text_; }
  /// Puts away what was written, if it is enough for a piece.
  void cut() {
    if (text_.size() >= kPiece) put_away();
  }
  AnswerBody finish();

 private:
  static constexpr std::size_t kPiece = 64U << 10U;
  void put_away();

  bool zip_;
  std::vector<GzipPiece> zipped_;
  std::string text_;
  AnswerBody body_;
  std::uint64_t hash_ = 0;
};

/// Answers that are the same for all. A crowd that asks for one has it made for a small part of the time
/// only, and a large one is shared by all whom it is being sent to: four copies of a page of 50,000 images
/// would be a quarter of a gigabyte. Thread-safe.
class SharedAnswers {
 public:
  static constexpr std::size_t kMostKept = 16U
                                           << 20U;  ///< of all; what is longer is kept only while it is sent
  static constexpr int kShare = 10;                 ///< it is kept so many times as long as it took to make
  static constexpr std::size_t kLarge = 4U << 20U;  ///< of the text: shared while it is sent to somebody, too
  static constexpr Millis kFresh{10'000};           ///< an older one is made anew

  explicit SharedAnswers(std::function<WallTime()> clock) : clock_(std::move(clock)) {}

  /// The body of `what`: the one that is being made or is fresh, or else what `make` gives.
  std::shared_ptr<const AnswerBody> get(const std::string& what, const std::function<AnswerBody()>& make);

 private:
  struct Answer {
    std::mutex making;  ///< held while it is made, so that others wait for it
    // The rest is guarded by mutex_:
    std::weak_ptr<const AnswerBody> body;
    std::shared_ptr<const AnswerBody> kept;  ///< the same, or nothing
    WallTime made;                           ///< when its making began
    Millis kept_for{0};
  };
  std::shared_ptr<const AnswerBody> find(Answer& answer);
  void keep(Answer& answer, std::shared_ptr<const AnswerBody> body, WallTime made);

  const std::function<WallTime()> clock_;
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;  ///< guarded by mutex_; its entries stay
};

}  // namespace sharedrift
