#pragma once

namespace sharedrift::testing {

/// Whether a sanitizer watches: memory and time say nothing then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace sharedrift::testing
