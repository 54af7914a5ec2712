#pragma once
// The memory of a device. The system is asked for large regions on 2 MiB pages (page faults make large tensors three
// times slower otherwise); blocks are cut from them in size classes an eighth of an octave apart, kept when freed, and
// handed out again last in, first out, while they are still in a cache: to the thread that freed them, if it asks, or
// else to any. A large request may borrow a block of up to a quarter more than it needs before new memory is cut for
// it. Everything goes back with the pool.
// Under AddressSanitizer whatever is not allocated is poisoned.

#include <bit>
#include <mutex>
#include <new>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <ul/backend/cpu/poison.hpp>
#include <ul/core/checked.hpp>

namespace ul {
inline namespace UL_ISA {

class memory_pool {
 public:
  // At most `limit` bytes in use at once; 0: as many as the system has.
  explicit memory_pool(extent limit = 0) : limit_(limit) {
    if (limit < 0) fail("cpu: the memory limit is ", limit, ", expected at least 0");
  }
  memory_pool(const memory_pool&) = delete;
  memory_pool& operator=(const memory_pool&) = delete;
  ~memory_pool() {
    for (const region& r : regions_) {
      simd::unpoison(r.data, r.size);
      ::operator delete(r.data, page);
    }
  }

  // 64-byte aligned. Throws ul::error, and changes nothing, when there is no memory.
  void* allocate(extent bytes) {
    if (bytes < 0) fail("cpu: ", bytes, " bytes wanted");
    const std::lock_guard lock(mutex_);
    if (limit_ != 0 && bytes > limit_ - in_use_)
      fail_as(error_kind::system, "cpu: out of memory, ", bytes, " bytes wanted, ", in_use_, " of ", limit_, " in use");
    const size_class c = class_of(bytes);
    const unsigned from = c.size < smallest_lent ? c.number : lender(c.number);
    void* block = nullptr;
    if (free_[from] != nullptr) {
      if (from != c.number) lent_.reserve(lent_.size() + 1);
      block = take_from(free_[from]);
      if (from != c.number) lent_.push_back({block, from});
    } else {
      block = cut(c.size, bytes);
    }
    simd::unpoison(block, static_cast<std::size_t>(bytes));
    in_use_ += bytes;
    if (in_use_ > peak_) peak_ = in_use_;
    return block;
  }

  // `bytes` as it was allocated.
  void deallocate(void* p, extent bytes) noexcept {
    const std::lock_guard lock(mutex_);
    const size_class c = class_of(bytes);
    const unsigned to = c.size < smallest_lent ? c.number : lender_of(p, c.number);
    simd::poison(p, c.size);
    write(p, {free_[to], this_thread()});
    free_[to] = static_cast<free_block*>(p);
    in_use_ -= bytes;
  }

  // Bytes allocated now, the most there ever were, and those held from the system.
  extent bytes_in_use() const { return locked(in_use_); }
  extent peak() const { return locked(peak_); }
  extent bytes_held() const { return locked(held_); }

  // Lets the peak start again from what is in use.
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = in_use_;
  }

 private:
  static constexpr std::align_val_t page{std::size_t{2} << 20};
  static constexpr std::size_t unit = 64, page_size = std::size_t{2} << 20;
  static constexpr std::size_t region_size = 16 * page_size, largest_cut = 4 * page_size, smallest_lent = page_size / 8;

  // What stands in a block that is free.
  struct free_block {
    free_block* next;
    const void* last_user;
  };
  struct size_class {
    std::size_t size;
    unsigned number;
  };
  struct loan {
    const void* block;
    unsigned number;
  };
  struct region {
    std::byte* data;
    std::size_t size, used;
  };

  // The least (8 + j) 2^s units, 0 < j <= 8, that hold the bytes; up to 16 units, exactly as many as needed.
  static size_class class_of(extent bytes) {
    std::size_t units = (static_cast<std::size_t>(bytes) + simd::redzone + unit - 1) / unit;
    if (units == 0) units = 1;
    if (units <= 16) return {units * unit, static_cast<unsigned>(units)};
    const auto shift = static_cast<unsigned>(std::bit_width(units - 1)) - 4;
    const std::size_t steps = ((units - 1) >> shift) + 1;
    return {(steps << shift) * unit, shift * 8 + static_cast<unsigned>(steps)};
  }

  // An address that no other running thread has.
  static const void* this_thread() {
    thread_local const char mark = 0;
    return &mark;
  }

  static free_block read(const free_block* at) {
    simd::unpoison(at, sizeof(free_block));
    const free_block b = *at;
    simd::poison(at, sizeof(free_block));
    return b;
  }
  static void write(void* at, const free_block& b) {
    simd::unpoison(at, sizeof(free_block));
    new (at) free_block(b);
    simd::poison(at, sizeof(free_block));
  }

  // Takes the block this thread freed last, if it is among the first of a list, or else the first: where threads share
  // no cache, memory that another one has just written is dear.
  static free_block* take_from(free_block*& list) {
    free_block *before = nullptr, *block = list;
    for (int i = 0; i < 16 && block != nullptr; ++i) {
      const free_block b = read(block);
      if (b.last_user == this_thread()) {
        if (before == nullptr) break;
        write(before, {b.next, read(before).last_user});
        return block;
      }
      before = block;
      block = b.next;
    }
    return std::exchange(list, read(list).next);
  }

  // The least class that has a free block, not more than two above; the class itself if none has.
  unsigned lender(unsigned number) const {
    for (unsigned n = number; n <= number + 2; ++n)
      if (free_[n] != nullptr) return n;
    return number;
  }
  // The class a block was borrowed from and now goes back to; `own` if it was not borrowed.
  unsigned lender_of(const void* block, unsigned own) noexcept {
    for (auto& l : lent_)
      if (l.block == block) {
        const unsigned number = l.number;
        l = lent_.back();
        lent_.pop_back();
        return number;
      }
    return own;
  }

  std::byte* cut(std::size_t size, extent bytes) {
    if (size <= largest_cut)
      for (region& r : regions_)
        if (r.size - r.used >= size) return take(r, size);
    const std::size_t whole = size <= largest_cut ? region_size : (size + page_size - 1) / page_size * page_size;
    regions_.reserve(regions_.size() + 1);
    const auto data = static_cast<std::byte*>(::operator new(whole, page, std::nothrow));
    if (data == nullptr)
      fail_as(error_kind::system, "cpu: out of memory, ", bytes, " bytes wanted beside ", in_use_, " in use");
#if defined(__linux__)
    madvise(data, whole, MADV_HUGEPAGE);
#endif
    simd::poison(data, whole);
    held_ += static_cast<extent>(whole);
    regions_.push_back({data, whole, 0});
    return take(regions_.back(), size);
  }
  static std::byte* take(region& r, std::size_t size) {
    r.used += size;
    return r.data + (r.used - size);
  }

  extent locked(const extent& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  extent limit_, in_use_ = 0, peak_ = 0, held_ = 0;
  std::vector<region> regions_;
  std::vector<loan> lent_;
  free_block* free_[8 * 64] = {};
};

}  // namespace UL_ISA
}  // namespace ul
