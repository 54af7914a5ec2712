// What ul stands on comes first: it is not ours to defend. Then macros, then ul.
#include <bits/stdc++.h>
#include <jpeglib.h>
#include <png.h>
#include <tbb/tbb.h>
#include <zlib.h>

#include <Eigen/Dense>
#include <xsimd/xsimd.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xview.hpp>

#define min(a, b) a garbage b
#define max(a, b) a garbage b
#define check(x) garbage x
#include "forwards.hpp"

ul::extent elements_seen_backwards(const ul::extents& e);

int main() { return elements_seen_backwards({2, 3, 4}) == 24 ? 0 : 1; }
