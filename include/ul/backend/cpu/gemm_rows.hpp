#pragma once
// The packed rows of A that the tiles of a product read: those of a group at once or, where they need only be copied,
// those of two tiles in turn: while one multiplies, the other is filled.

#include <algorithm>
#include <utility>

#include <ul/backend/concept.hpp>
#include <ul/backend/cpu/gemm_beside.hpp>
#include <ul/backend/cpu/gemm_matrix.hpp>
#include <ul/backend/cpu/gemm_tile.hpp>
#include <ul/backend/cpu/pool.hpp>

namespace ul {
inline namespace UL_ISA {
namespace simd {

// Rows [first, last) and columns [0, k) of A. Tiles come group by group, in a group piece by piece of k.
template <class A, class T>
class packed_rows {
 public:
  packed_rows(memory_pool& memory, const A& a, extent first, extent last, extent k)
      : a_(a),
        last_(last),
        k_(k),
        pieces_(a.pieces(k)),
        copied_(a.template in_place<T>(0, 0) != nullptr),
        group_(copied_ && pieces_ == 1 ? last - first
                                       : (std::min)(last - first, a.rows_at_once(last - first, pieces_))),
        memory_(memory, copied_ ? 2 * tile : (std::max)(group_, extent{tile_rows}) * long_stride),
        now_(memory_.data()),
        other_(now_ + tile) {}

  extent group() const { return group_; }
  bool copied() const { return copied_; }

  // A piece of the group of rows that begins at `row` comes next.
  void start(extent row, extent piece) {
    row_ = row, piece_ = piece;
    if (!copied_) pack({row, end(row) - row, depth(piece), depth(piece + 1) - depth(piece)});
  }

  // The rows of the tile from r on, long_stride apart; if they stand across, the columns, across_stride apart.
  const T* tile_at(extent r) {
    if (!copied_) return now_ + (r - row_) * long_stride;
    const place here = at(r, row_, piece_);
    filled_ ? std::swap(now_, other_) : pack(here);
    filled_ = false;
    next_ = r + here.rows < end(row_) ? at(r + here.rows, row_, piece_)
            : piece_ + 1 < pieces_    ? at(row_, row_, piece_ + 1)
            : r + here.rows < last_   ? at(r + here.rows, r + here.rows, 0)
                                      : place{};
    return now_;
  }

  // Asks, evenly over so many times, for what the tile after this one reads, if it need only be copied.
  asking_for_rows ask_for_next(extent times) const {
    if (!copied_ || next_.rows == 0) return {};
    const extent lines = a_.across() ? next_.k : next_.rows, run = (std::max)(extent{1}, times / lines);
    const extent bytes = (a_.across() ? across_stride<T> : next_.k) * extent{sizeof(T)};
    const extent step = (std::min)(extent{64}, ceil_div(bytes, run));
    return {
        {reinterpret_cast<const char*>(from_next()), step}, run, a_.stride_in_place() * extent{sizeof(T)} - run * step};
  }

  // How to fill that in while this tile multiplies: as rows or as columns. There are none if there is nothing to do.
  copying_rows<T, long_stride> filling_of_rows() const {
    if (!copied_ || next_.rows == 0) return {};
    return {from_next(), a_.stride_in_place(), next_.rows, next_.k, other_};
  }
  copying_columns<T, across_stride<T>> filling_of_columns() const {
    if (!copied_ || next_.rows == 0 || last_ < next_.row + across_stride<T>) return {};
    return {from_next(), a_.stride_in_place(), next_.k, across_stride<T>, other_};
  }
  void set_filled(bool filled) { filled_ = filled; }

 private:
  static constexpr extent tile = (std::max)(tile_rows * long_stride, across_depth* across_stride<T>);

  // Rows of a tile and columns of a piece.
  struct place {
    extent row = 0, rows = 0, column = 0, k = 0;
  };

  extent end(extent group) const { return (std::min)(group + group_, last_); }
  extent depth(extent piece) const { return k_ * piece / pieces_; }
  place at(extent row, extent group, extent piece) const {
    return {row, tile_height(end(group) - row), depth(piece), depth(piece + 1) - depth(piece)};
  }
  void pack(const place& p) {
    a_.pack_rows(p.row, p.rows, p.column, p.k, now_, a_.across() ? across_stride<T> : long_stride);
  }
  const T* from_next() const { return a_.template in_place<T>(next_.row, next_.column); }

  const A& a_;
  extent last_, k_, pieces_;
  bool copied_, filled_ = false;
  extent group_, row_ = 0, piece_ = 0;
  scratch<memory_pool, T> memory_;
  T *now_, *other_;
  place next_;
};

}  // namespace simd
}  // namespace UL_ISA
}  // namespace ul
