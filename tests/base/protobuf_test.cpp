// ProtobufMessage against the bytes of the encoding guide and of IEEE 754.
#include <posemachine/base/protobuf.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace protobuf_test {

using namespace posemachine;

TEST_CASE("ProtobufMessage: numbers, texts and messages are the encoding guide's examples") {
  CHECK(detail::ProtobufMessage().integer(1, 150).bytes() == "\x08\x96\x01");
  CHECK(detail::ProtobufMessage().text(2, "testing").bytes() == "\x12\x07testing");
  const detail::ProtobufMessage inner = detail::ProtobufMessage().integer(1, 150);
  CHECK(detail::ProtobufMessage().message(3, inner).bytes() == "\x1a\x03\x08\x96\x01");
  CHECK(detail::ProtobufMessage().integer(1, -2).bytes() == "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST_CASE("ProtobufMessage: a float takes 4 bytes and a double 8, the lowest first") {
  using namespace std::string_literals;
  CHECK(detail::ProtobufMessage().real(2, -2.5f).bytes() == "\x15\x00\x00\x20\xc0"s);
  CHECK(detail::ProtobufMessage().double_real(1, -2.5).bytes() == "\x09\x00\x00\x00\x00\x00\x00\x04\xc0"s);
  std::string bytes;
  detail::append_little_endian(bytes, std::uint64_t{0x0807060504030201});
  CHECK(bytes == "\x01\x02\x03\x04\x05\x06\x07\x08");
}

}  // namespace protobuf_test
