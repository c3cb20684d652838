#pragma once

namespace sharedrift::testing {

/// While it lives, names below `.test` are not looked up: `hangs.test` answers only when it ends,
/// `absent.test` does not exist, `origin.test` is 127.0.0.1, and `twin.test` is ::1 and 127.0.0.1, in this
/// order. Other names go to the system. One at a time. It takes getaddrinfo's place in the whole test binary.
class FakeDns {
 public:
  FakeDns();
  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;
  ~FakeDns();
};

}  // namespace sharedrift::testing
