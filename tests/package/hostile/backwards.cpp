#include "backwards.hpp"

ul::extent elements_seen_backwards(const ul::extents& e) { return e.size(); }
