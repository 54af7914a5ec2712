#pragma once
// Canonical Huffman codes of bounded length, as a deflate stream wants them.

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

namespace ul::detail {

// symbol frequencies -> code lengths, 0 for a symbol that does not occur, `longest` at most. At least two symbols get
// a code, because some decoders refuse a code of one word. `longest` must leave room: 2^longest >= symbols.
inline std::vector<unsigned char> huffman_lengths(std::vector<std::uint32_t> frequency, unsigned longest) {
  const std::size_t count = frequency.size();
  for (std::size_t s = 0, used = count - static_cast<std::size_t>(std::count(frequency.begin(), frequency.end(), 0u));
       s < count && used < 2; ++s) {
    if (frequency[s] == 0) {
      frequency[s] = 1;
      ++used;
    }
  }
  for (;;) {
    // The two lightest trees become one, until a single tree is left. Ties break by number, so the result is unique.
    struct tree {
      std::uint64_t weight;
      std::size_t node;
      bool operator<(const tree& other) const {
        return weight != other.weight ? weight > other.weight : node > other.node;
      }
    };
    std::priority_queue<tree> forest;
    for (std::size_t s = 0; s < count; ++s) {
      if (frequency[s]) forest.push({frequency[s], s});
    }
    std::vector<std::size_t> parent(2 * count, 0);
    std::size_t next = count;
    while (forest.size() > 1) {
      const tree a = forest.top();
      forest.pop();
      const tree b = forest.top();
      forest.pop();
      parent[a.node] = parent[b.node] = next;
      forest.push({a.weight + b.weight, next++});
    }
    const std::size_t root = next - 1;
    std::vector<unsigned> depth(next, 0);
    for (std::size_t node = root; node-- > 0;) {
      if (node >= count || frequency[node]) depth[node] = depth[parent[node]] + 1;
    }
    std::vector<unsigned char> lengths(count);
    for (std::size_t s = 0; s < count; ++s) lengths[s] = static_cast<unsigned char>(depth[s]);
    if (*std::max_element(lengths.begin(), lengths.end()) <= longest) return lengths;
    // Too deep: flatter frequencies give a flatter tree, at the cost of a few bits.
    for (auto& f : frequency) f = (f + 1) / 2;
  }
}

// code lengths -> code words, bit-reversed, ready to be written least significant bit first. RFC 1951, section 3.2.2.
inline std::vector<std::uint16_t> huffman_codes(const std::vector<unsigned char>& lengths) {
  unsigned count[16] = {}, next[16] = {};
  for (const unsigned char length : lengths) ++count[length];
  count[0] = 0;
  for (unsigned length = 1; length < 16; ++length) next[length] = (next[length - 1] + count[length - 1]) << 1;
  std::vector<std::uint16_t> codes(lengths.size());
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    unsigned word = next[lengths[s]]++, reversed = 0;
    for (unsigned bit = 0; bit < lengths[s]; ++bit, word >>= 1) reversed = reversed << 1 | (word & 1);
    codes[s] = static_cast<std::uint16_t>(reversed);
  }
  return codes;
}

}  // namespace ul::detail
