#include "web/password_check.hpp"

#include "wire/digest.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace sharedrift {

namespace {

struct WipeCryptData {
  void operator()(crypt_data* data) const {
    OPENSSL_cleanse(data, sizeof *data);  // holds the password
    delete data;
  }
};

bool bcrypt_matches(const Secret& password, const std::string& hash) {
  const std::unique_ptr<crypt_data, WipeCryptData> data(new crypt_data{});
  std::string phrase(password.reveal());
  const char* made = crypt_r(phrase.c_str(), hash.c_str(), data.get());
  wipe(phrase);
  if (made == nullptr) return false;
  const std::string_view result(made);  // "*0" if the hash is none
  return result.size() == hash.size() && CRYPTO_memcmp(result.data(), hash.data(), hash.size()) == 0;
}

/// Of "$2y$10$...": the logarithm of its work.
int cost_of(const std::string& hash) {
  constexpr std::size_t kCostAt = 4;
  int cost = 0;
  std::from_chars(hash.data() + std::min(kCostAt, hash.size()), hash.data() + hash.size(), cost);
  return cost;
}

/// Works for as long as `dear` takes more than `cheap`: 2^c + ... + 2^(d-1) is what lacks from 2^c to 2^d.
void work_for_the_difference(const Secret& password, const std::string& cheap, std::string dear) {
  const int most = cost_of(dear);
  for (int cost = cost_of(cheap); cost < most; ++cost) {
    dear.replace(4, 2, (cost < 10 ? "0" : "") + std::to_string(cost));
    static_cast<void>(bcrypt_matches(password, dear));
  }
}

}  // namespace

PasswordCheck::PasswordCheck() : key_(32, '\0') {
  auto* bytes = reinterpret_cast<unsigned char*>(key_.data());
  if (RAND_bytes(bytes, static_cast<int>(key_.size())) != 1) throw std::bad_alloc();
}

PasswordCheck::Verdict PasswordCheck::check(std::string_view user, const Secret& password,
                                            const std::optional<std::string>& hash, const std::string& decoy,
                                            bool may_take_long) {
  // crypt() ends at a NUL: "right\0anything" would do.
  const bool whole = password.reveal().find('\0') == std::string_view::npos;
  const std::string& used = hash ? *hash : decoy;
  const Digest wanted = digest(user, used, password);
  const bool may_match = hash.has_value() && whole;
  if (may_match && is_kept(wanted)) return Verdict::right;
  if (!may_take_long) return Verdict::unknown;
  if (!bcrypt_matches(password, used) || !may_match) {
    work_for_the_difference(password, used, decoy);
    return Verdict::wrong;
  }
  keep(wanted);
  return Verdict::right;
}

PasswordCheck::Digest PasswordCheck::digest(std::string_view user, std::string_view hash,
                                            const Secret& password) const {
  // With the lengths in front no two triples give one text.
  std::string text;
  text.reserve(user.size() + hash.size() + password.reveal().size() + 40);
  text.append(std::to_string(user.size())).append("\n").append(user);
  text.append(std::to_string(hash.size())).append("\n").append(hash).append(password.reveal());
  Digest out = hmac_sha256(key_, text);
  wipe(text);
  if (out.empty()) throw std::bad_alloc();
  return out;
}

bool PasswordCheck::is_kept(const Digest& wanted) {
  const std::lock_guard lock(kept_mutex_);
  return std::find(kept_.begin(), kept_.end(), wanted) != kept_.end();
}

void PasswordCheck::keep(const Digest& verified) {
  const std::lock_guard lock(kept_mutex_);
  if (kept_.size() == kMostKept) kept_.pop_front();
  kept_.push_back(verified);
}

}  // namespace sharedrift
