#pragma once
// Rows of a table: table (K, D), ids (...) -> (..., D). An id outside [0, K) gives a row of NaN and no gradient: what
// runs on a device cannot throw.

#include <cmath>

#include <ul/op/op.hpp>

namespace ul {

namespace detail {

template <class T>
struct embedded_row {
  extent rows, width;
  const T* table;
  const std::int32_t* ids;
  T* y;
  UL_HD void operator()(extent n) const {
    const extent id = ids[n];
    const bool known = id >= 0 && id < rows;
    for (extent i = 0; i < width; ++i)
      y[n * width + i] = known ? table[id * width + i] : static_cast<T>(static_cast<compute_t<T>>(NAN));
  }
};

// Some columns of the table's gradient, over all ids in their order, so that the sums are the same every time.
template <class T, class G>
struct embedded_columns_adjoint {
  static constexpr extent block = 16;
  extent rows, width, count;
  const std::int32_t* ids;
  const T* dy;
  G* dtable;
  UL_HD void operator()(extent i) const {
    const extent first = i * block, last = first + block < width ? first + block : width;
    for (extent n = 0; n < count; ++n) {
      const extent id = ids[n];
      if (id < 0 || id >= rows) continue;
      for (extent c = first; c < last; ++c)
        store(dtable[id * width + c], static_cast<compute_t<G>>(static_cast<compute_t<T>>(dy[n * width + c])),
              store_mode::add);
    }
  }
};

}  // namespace detail

namespace op {

struct embedding {
  static constexpr const char* name = "embedding";

  template <backend B, element T>
  struct saved {
    extents table;
    tensor<B, std::int32_t> ids;
  };

  template <backend B, element T>
  tensor<B, T> forward(saved<B, T>* keep, const tensor<B, T>& table, const tensor<B, std::int32_t>& ids) const {
    if (table.rank() != 2) fail(name, ": the table is ", table.shape(), ", expected (K, D)");
    extent axes[extents::max_rank] = {};
    if (ids.rank() == extents::max_rank) fail(name, ": ids are ", ids.shape(), ", expected at most 4 axes");
    for (extent i = 0; i < ids.rank(); ++i) axes[i] = ids.shape()[i];
    axes[ids.rank()] = table.shape()[1];
    if (keep) *keep = {table.shape(), ids};
    tensor<B, T> y(table.device(), extents(axes, ids.rank() + 1));
    table.device().for_each(
        ids.size(), table.shape()[1],
        detail::embedded_row<T>{table.shape()[0], table.shape()[1], table.data(), ids.data(), y.data()});
    return y;
  }

  template <backend B, element T, element G>
  void adjoint(const saved<B, T>& kept, const tensor<B, T>& dy, gradient<B, G>& dtable,
               gradient<B, std::int32_t>&) const {
    using columns = detail::embedded_columns_adjoint<T, G>;
    const extent K = kept.table[0], D = kept.table[1], count = kept.ids.size();
    if (G* to = dtable.adding(dy.device(), kept.table))
      dy.device().for_each(ceil_div(D, columns::block), columns::block * count,
                           columns{K, D, count, kept.ids.data(), dy.data(), to});
  }
};

}  // namespace op

// embedding(table, ids); to record it, `ids` is a variable of the tape: tape.constant(ids).
template <tensor_like W, tensor_like I>
auto embedding(const W& table, const I& ids) {
  return apply(op::embedding{}, table, ids);
}

}  // namespace ul
