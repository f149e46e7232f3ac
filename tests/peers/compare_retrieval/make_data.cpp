// SPDX-License-Identifier: MIT
// Writes a large log (tests/support/interaction_world.hpp) as raw little-endian arrays, which any language reads with one call each:
// train.indptr.i64, train.indices.i32, train.data.f32 (users x items, rows one after another, items rising), the same for test, and meta.json.
//
//   make_data FOLDER USERS ITEMS EVENTS [SEED]        the folder must exist
#include <recsys_under_test.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/interaction_world.hpp"

namespace {

class output {
public:
    explicit output(std::string const& path) : m_path(path), m_file(path, std::ios::binary) { check(); }
    template <class Value> void write(std::span<Value const> values) {
        m_file.write(reinterpret_cast<char const*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
        check();
    }
    void close() {
        m_file.close();
        check();
    }

private:
    void check() const {
        if (!m_file) throw std::runtime_error("make_data: cannot write " + m_path);
    }
    std::string m_path;
    std::ofstream m_file;
};

/// The three arrays of one part.
class matrix_files {
public:
    explicit matrix_files(std::string const& prefix)
        : m_indptr(prefix + ".indptr.i64"), m_indices(prefix + ".indices.i32"), m_data(prefix + ".data.f32") {
        m_indptr.write(std::span<std::int64_t const>(&m_entries, 1));
    }
    void add(interaction_world::rows const& some) {
        std::vector<std::int64_t> ends;
        for (auto const end : some.ends) ends.push_back(m_entries + end);
        m_entries += static_cast<std::int64_t>(some.items.size());
        m_indptr.write(std::span<std::int64_t const>(ends));
        m_indices.write(std::span<std::int32_t const>(some.items));
        m_data.write(std::span<float const>(some.counts));
    }
    std::int64_t close() {
        m_indptr.close(), m_indices.close(), m_data.close();
        return m_entries;
    }

private:
    std::int64_t m_entries = 0;
    output m_indptr, m_indices, m_data;
};

void make(std::string const& folder, interaction_world::shape const& shape) {
    recsys::detail::team workers;
    interaction_world::world const world(shape, workers);
    matrix_files train(folder + "/train"), test(folder + "/test");
    interaction_world::for_each_block(world, workers,
                                      [&](interaction_world::block const& some) { train.add(some.train), test.add(some.test); });
    auto const n_train = train.close(), n_test = test.close();
    std::string const meta = "{\"users\": " + std::to_string(shape.n_users) + ", \"items\": " + std::to_string(shape.n_items) +
                             ", \"train_nnz\": " + std::to_string(n_train) + ", \"test_nnz\": " + std::to_string(n_test) +
                             ", \"seed\": " + std::to_string(shape.seed) + "}\n";
    output file(folder + "/meta.json"); // last: where it stands, the arrays are whole
    file.write(std::span<char const>(meta));
    file.close();
    std::fputs(meta.c_str(), stdout);
}

std::size_t number(char const* text) {
    std::size_t end = 0;
    auto const n = std::stoull(text, &end);
    if (text[end] != '\0' || n == 0) throw std::runtime_error(std::string("make_data: expected a number from 1, got ") + text);
    return static_cast<std::size_t>(n);
}

}

int main(int argc, char** argv) {
    if (argc != 5 && argc != 6) return std::fputs("make_data FOLDER USERS ITEMS EVENTS [SEED]\n", stderr), 2;
    try {
        make(argv[1], {number(argv[2]), number(argv[3]), number(argv[4]), argc == 6 ? number(argv[5]) : 7});
    } catch (std::exception const& e) { return std::fprintf(stderr, "%s\n", e.what()), 1; }
}
