#include "web/password_check.hpp"

#include "wire/digest.hpp"

#include <algorithm>
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
  if (!bcrypt_matches(password, used) || !may_match) return Verdict::wrong;
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
