#pragma once
// Lossless compression in the zlib format: matches found through hash chains, dynamic Huffman codes. Deterministic.
// Source: RFC 1950 (zlib), RFC 1951 (deflate).

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <ul/io/bytes.hpp>
#include <ul/io/checksum.hpp>
#include <ul/io/huffman.hpp>

namespace ul {
namespace detail {

// Length and distance ranges of RFC 1951, section 3.2.5: entry i covers first[i] ... first[i] + 2^extra[i] - 1.
struct deflate_ranges {
  std::uint16_t first[30];
  unsigned char extra[30];
  unsigned count;

  // The entry that covers `value`.
  unsigned find(unsigned value) const {
    return static_cast<unsigned>(std::upper_bound(first, first + count, value) - first) - 1;
  }
};
inline constexpr deflate_ranges deflate_lengths{
    {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258},
    {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0},
    29};
inline constexpr deflate_ranges deflate_distances{
    {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
     193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577},
    {0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13},
    30};

class bit_writer {
 public:
  explicit bit_writer(byte_vector& out) : out_(out) {}

  void put(std::uint32_t bits, unsigned count) {
    pending_ |= std::uint64_t{bits} << held_;
    for (held_ += count; held_ >= 8; held_ -= 8, pending_ >>= 8) out_.push_back(static_cast<unsigned char>(pending_));
  }
  void finish() {
    if (held_ != 0) put(0, 8 - held_);
  }

 private:
  byte_vector& out_;
  std::uint64_t pending_ = 0;
  unsigned held_ = 0;
};

// A literal byte (distance 0) or a match.
struct deflate_token {
  std::uint16_t value;  // the byte, or the length 3 ... 258
  std::uint16_t distance;
};

// Finds earlier occurrences of the bytes at a position, at most 32 KiB back.
class match_finder {
 public:
  explicit match_finder(byte_view bytes) : bytes_(bytes), head_(1u << 15, none), chain_(window, none) {}

  // The longest match of at least 4 bytes at `at` among the latest candidates, as a token; length 0 without one.
  deflate_token find(std::size_t at) const {
    deflate_token best{0, 0};
    if (bytes_.size() - at < 4) return best;
    const std::size_t longest = (std::min)(bytes_.size() - at, std::size_t{258});
    std::size_t candidate = head_[hash(at)];
    for (int tries = 64; candidate != none && at - candidate <= window && tries-- > 0;
         candidate = chain_[candidate % window]) {
      const unsigned char *a = bytes_.data() + at, *b = bytes_.data() + candidate;
      std::size_t length = 0;
      while (length < longest && a[length] == b[length]) ++length;
      if (length > (std::max)(std::size_t{3}, std::size_t{best.value})) {
        best = {static_cast<std::uint16_t>(length), static_cast<std::uint16_t>(at - candidate)};
        if (length == longest) break;
      }
    }
    return best;
  }

  void insert(std::size_t at) {
    if (bytes_.size() - at < 4) return;
    chain_[at % window] = std::exchange(head_[hash(at)], at);
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0}, window = std::size_t{1} << 15;

  std::size_t hash(std::size_t at) const {
    std::uint32_t word;
    std::memcpy(&word, bytes_.data() + at, 4);
    return word * 2654435761u >> 17;
  }

  byte_view bytes_;
  std::vector<std::size_t> head_, chain_;  // the last position of each hash; the one before each in the window
};

// Code lengths in the run-length form of RFC 1951, section 3.2.7: symbol, and the value of its extra bits.
inline std::vector<std::pair<unsigned char, unsigned char>> code_length_runs(
    const std::vector<unsigned char>& lengths) {
  std::vector<std::pair<unsigned char, unsigned char>> runs;
  for (std::size_t i = 0; i < lengths.size();) {
    std::size_t run = 1;
    while (i + run < lengths.size() && lengths[i + run] == lengths[i]) ++run;
    i += run;
    const unsigned char length = lengths[i - 1];
    const auto emit = [&](int symbol, std::size_t extra) {
      runs.push_back({static_cast<unsigned char>(symbol), static_cast<unsigned char>(extra)});
    };
    if (length != 0) {
      emit(length, 0);
      --run;
    }
    while (run > 0) {
      const std::size_t part = (std::min)(run, std::size_t{length == 0 ? 138u : 6u});
      if (part < 3) {
        emit(length, 0);
        --run;
        continue;
      }
      if (length != 0) {
        emit(16, part - 3);
      } else if (part < 11) {
        emit(17, part - 3);
      } else {
        emit(18, part - 11);
      }
      run -= part;
    }
  }
  return runs;
}

inline void write_block(bit_writer& out, const std::vector<deflate_token>& tokens, bool last) {
  std::vector<std::uint32_t> literal_count(286), distance_count(30);
  literal_count[256] = 1;  // end of block
  for (const deflate_token t : tokens) {
    ++literal_count[t.distance == 0 ? t.value : 257 + deflate_lengths.find(t.value)];
    if (t.distance != 0) ++distance_count[deflate_distances.find(t.distance)];
  }
  const auto literal_lengths = huffman_lengths(literal_count, 15),
             distance_lengths = huffman_lengths(distance_count, 15);
  const auto literal_codes = huffman_codes(literal_lengths), distance_codes = huffman_codes(distance_lengths);

  std::vector<unsigned char> both = literal_lengths;
  both.insert(both.end(), distance_lengths.begin(), distance_lengths.end());
  const auto runs = code_length_runs(both);
  std::vector<std::uint32_t> run_count(19);
  for (const auto& [symbol, extra] : runs) ++run_count[symbol];
  const auto run_lengths = huffman_lengths(run_count, 7);
  const auto run_codes = huffman_codes(run_lengths);

  out.put(last, 1);
  out.put(2, 2);  // dynamic codes
  out.put(286 - 257, 5);
  out.put(30 - 1, 5);
  out.put(19 - 4, 4);
  for (const int symbol : {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}) {
    out.put(run_lengths[static_cast<std::size_t>(symbol)], 3);
  }
  for (const auto& [symbol, extra] : runs) {
    out.put(run_codes[symbol], run_lengths[symbol]);
    if (symbol >= 16) out.put(extra, symbol == 16 ? 2 : symbol == 17 ? 3 : 7);
  }

  for (const deflate_token t : tokens) {
    if (t.distance == 0) {
      out.put(literal_codes[t.value], literal_lengths[t.value]);
      continue;
    }
    const unsigned l = deflate_lengths.find(t.value), d = deflate_distances.find(t.distance);
    out.put(literal_codes[257 + l], literal_lengths[257 + l]);
    out.put(t.value - deflate_lengths.first[l], deflate_lengths.extra[l]);
    out.put(distance_codes[d], distance_lengths[d]);
    out.put(t.distance - deflate_distances.first[d], deflate_distances.extra[d]);
  }
  out.put(literal_codes[256], literal_lengths[256]);
}

}  // namespace detail

// bytes -> the zlib stream that inflates to them.
inline byte_vector zlib_compress(byte_view bytes) {
  byte_vector stream{0x78, 0x9c};  // deflate, 32 KiB window, default level
  detail::bit_writer out(stream);
  detail::match_finder matches(bytes);
  std::vector<detail::deflate_token> tokens;
  for (std::size_t at = 0; at < bytes.size();) {
    detail::deflate_token token = matches.find(at);
    matches.insert(at);
    // Where the next position matches longer, a literal first is the better bargain.
    if (token.value != 0 && token.value < 32 && at + 1 < bytes.size() && matches.find(at + 1).value > token.value) {
      token.value = 0;
    }
    if (token.value == 0) token = {bytes[at], 0};
    const std::size_t end = at + (token.distance == 0 ? 1 : token.value);
    while (++at < end) matches.insert(at);
    tokens.push_back(token);
    if (tokens.size() == 1u << 15 && at < bytes.size()) {
      detail::write_block(out, tokens, false);
      tokens.clear();
    }
  }
  detail::write_block(out, tokens, true);
  out.finish();
  append_big(stream, adler32(bytes));
  return stream;
}

}  // namespace ul
