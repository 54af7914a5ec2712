#pragma once

#include <ul/backend/reference.hpp>

// The reference backend, counting the bytes in use.
class counting : public ul::reference {
 public:
  void* allocate(ul::extent bytes) {
    in_use += bytes;
    return reference::allocate(bytes);
  }
  void deallocate(void* p, ul::extent bytes) {
    in_use -= bytes;
    reference::deallocate(p, bytes);
  }
  ul::extent in_use = 0;
};
