#include <Eigen/Core>
#include <xtensor/xtensor_config.hpp>

#include <ul/core/extents.hpp>
#include <ul/version.hpp>

int main() {
  const Eigen::Vector2f v(1, 2);
  return ul::extents{2, 3}.size() == 6 && v.sum() == 3 && sizeof UL_VERSION > 1 ? 0 : 1;
}
