#pragma once
// The known name somebody probably meant.

#include <algorithm>
#include <string_view>
#include <vector>

namespace ul {

// The number of letters to insert, delete, replace or swap with their neighbour to make one word of the other.
// Source: Damerau, CACM 7, 1964 (optimal string alignment).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = (std::min)({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = (std::min)(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

// The nearest of `known`, the first among equals; empty when none resembles `word`.
template <class Names>
std::string_view nearest_name(std::string_view word, const Names& known) {
  std::string_view best;
  std::size_t least = word.size() / 3 + 2;  // as many slips as a word of this length may have, plus one
  if (word.size() > 100) return best;
  for (const std::string_view name : known) {
    if (const std::size_t distance = edit_distance(word, name); distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace ul
