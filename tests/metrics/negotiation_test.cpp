#include "metrics/negotiation.hpp"

#include <gtest/gtest.h>

namespace sharedrift {
namespace {

TEST(Negotiation, OpenMetricsOnlyForThoseWhoNameIt) {
  // What Prometheus 2.42 and 3.x send.
  EXPECT_EQ(negotiate_format(
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
                "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            TextFormat::openmetrics);
  EXPECT_EQ(
      negotiate_format(
          "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
          "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
      TextFormat::openmetrics);
  for (const char* accept :
       {"", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "text/plain", "application/json",
        "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=0.4,text/plain;q=0.5", "application/openmetrics-text;q=high",
        "application/openmetrics-text;q=1.5", "xapplication/openmetrics-text", ";;;,,,;q=1",
        "application/openmetrics"}) {
    EXPECT_EQ(negotiate_format(accept), TextFormat::prometheus) << accept;
  }
  for (const char* accept :
       {"application/openmetrics-text", "APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"",
        "text/plain;q=0.5, application/openmetrics-text;q=0.5",
        "text/plain;version=1.0.0,application/openmetrics-text;q=0.1"}) {
    EXPECT_EQ(negotiate_format(accept), TextFormat::openmetrics) << accept;
  }
}

TEST(Negotiation, GzipOnlyForThoseWhoTakeIt) {
  for (const char* accept :
       {"gzip", "GZip", "deflate, gzip;q=0.5", "*", "x-gzip", "br;q=1, *;q=0.1", "gzip;q=0.001"}) {
    EXPECT_EQ(negotiate_encoding(accept), Encoding::gzip) << accept;
  }
  for (const char* accept : {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "gzip;q=0, *", "*;q=0",
                             "gzipped", "gzip;q=0.1, identity;q=0.9", "gzip;q=x", "gzip;q="}) {
    EXPECT_EQ(negotiate_encoding(accept), Encoding::identity) << accept;
  }
}

}  // namespace
}  // namespace sharedrift
