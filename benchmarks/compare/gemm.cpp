// Products of matrices: plain ones, and with bias and GELU in their epilogue.

#include "cases.hpp"

namespace benchmark {

namespace {

std::string sizes(long m, long n, long k) {
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

void plain(const contest& o, long m, long n, long k) {
  const std::string name = "gemm " + sizes(m, n, k);
  if (!o.all.wants(name)) return;
  arrays array(o.device);
  const gemm_case c{m, n, k, array(m * k), array(k * n), array(m * n)};
  const auto ours = [&] {
    o.device.gemm(ul::gemm_args<float>{
        .m = c.m, .n = c.n, .k = c.k, .a = c.a, .lda = c.k, .b = c.b, .ldb = c.n, .c = c.c, .ldc = c.n});
  };
  o.all.run(name, o.threads, {0.85, 0.95}, ours, {onednn_gemm(c, o.threads)});
  o.all.run(name, o.threads, o.held_to({1.05, 1.15}, {}), ours, {eigen_gemm(c, o.threads)});
  o.against_torch(name, o.held_to({}, {0.85, 0.95}), {0.85}, ours);
}

void bias_and_gelu(const contest& o, long m, long n, long k) {
  const std::string name = "gemm+bias+gelu " + sizes(m, n, k);
  if (!o.all.wants(name)) return;
  arrays array(o.device);
  const float *a = array(m * k), *b = array(k * n), *bias = array(n);
  float* const c = array(m * n);
  o.against_torch(name, o.held_to({1.1, 1.3}, {}), {1.0}, [&] {
    o.device.gemm(ul::gemm_args<float>{.m = m,
                                       .n = n,
                                       .k = k,
                                       .a = a,
                                       .lda = k,
                                       .b = b,
                                       .ldb = n,
                                       .c = c,
                                       .ldc = n,
                                       .bias = bias,
                                       .act = ul::activation::gelu});
  });
}

}  // namespace

void compare_gemm(const contest& o) {
  const long products[][3] = {{256, 256, 256},  {512, 512, 512},   {1024, 1024, 1024}, {2048, 2048, 2048},
                              {4096, 256, 256}, {1024, 1536, 384}, {256, 2304, 576},   {16384, 64, 576}};
  for (const auto& [m, n, k] : products) plain(o, m, n, k);
  const long layers[][3] = {{1024, 1024, 1024}, {1024, 1536, 384}, {4096, 1536, 384}};
  for (const auto& [m, n, k] : layers) bias_and_gelu(o, m, n, k);
}

}  // namespace benchmark
