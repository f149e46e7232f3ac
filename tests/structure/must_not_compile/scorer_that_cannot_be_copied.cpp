// SPDX-License-Identifier: MIT
// What is kept by copy must be copyable, or handed over by std::cref.
// expect: std::cref
#include <recsys.hpp>

#include <cstddef>
#include <functional>
#include <span>

struct tower {
    tower() = default;
    tower(tower const&) = delete;
    std::size_t n_items() const { return 3; }
    void score(recsys::user_index, std::span<float> out) const {
        for (auto& score : out) score = 0;
    }
};

void use(tower const& mine) {
#if defined(MISTAKE)
    (void)recsys::candidates().from("tower", mine, 3);
#else
    (void)recsys::candidates().from("tower", std::cref(mine), 3);
#endif
}
