#include <Eigen/Core>

#include "peer.hpp"

namespace benchmark {

peer_work eigen_gemm(const gemm_case& c, int threads) {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const std::string name = "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
                           "." + std::to_string(EIGEN_MINOR_VERSION);
  return here(name, threads, [=] {
    Eigen::setNbThreads(threads);
    Eigen::Map<matrix>(c.c, c.m, c.n).noalias() =
        Eigen::Map<const matrix>(c.a, c.m, c.k) * Eigen::Map<const matrix>(c.b, c.k, c.n);
  });
}

}  // namespace benchmark
