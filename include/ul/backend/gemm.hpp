#pragma once
// The arguments of the verb every backend must have: a (batched) product of row-major matrices with an epilogue.

#include <ul/backend/epilogue.hpp>
#include <ul/backend/space.hpp>
#include <ul/core/checked.hpp>

namespace ul {

enum class transpose { no, yes };

// C = act( alpha * op(A) op(B) + bias ) or, with store_mode::add and no epilogue, C += alpha * op(A) op(B).
// op(A) is (m, k), op(B) is (k, n), C is (m, n); `lda`, `ldb`, `ldc` are the distances between stored rows, so A is
// stored (m, k) or, transposed, (k, m). Sums run in compute_t<In>. The same bits for any number of threads.
template <class In, class Out = In>
struct gemm_args {
  extent m = 0, n = 0, k = 0;
  const In* a = nullptr;
  extent lda = 0;
  transpose a_layout = transpose::no;
  const In* b = nullptr;
  extent ldb = 0;
  transpose b_layout = transpose::no;
  Out* c = nullptr;
  extent ldc = 0;
  double alpha = 1;
  store_mode mode = store_mode::replace;
  const In* bias = nullptr;  // one for each column, or none
  activation act = activation::none;
  extent batch = 1;  // independent products, `stride_*` elements apart
  extent stride_a = 0, stride_b = 0, stride_c = 0;
};

}  // namespace ul
