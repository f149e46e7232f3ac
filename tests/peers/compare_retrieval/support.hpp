// SPDX-License-Identifier: MIT
// What the measured program needs besides the library: raw arrays, arguments, one line of JSON, time, memory, quality.
#ifndef RECSYS_TESTS_COMPARE_RETRIEVAL_SUPPORT_HPP
#define RECSYS_TESTS_COMPARE_RETRIEVAL_SUPPORT_HPP

#include <recsys_under_test.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace compare {

namespace rs = recsys;

// --- files and arguments --------------------------------------------------------------------------

template <class Value> std::vector<Value> read_array(std::string const& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) throw std::runtime_error("cannot read " + path);
    auto const bytes = static_cast<std::size_t>(file.tellg());
    if (bytes % sizeof(Value) != 0) throw std::runtime_error(path + " is no whole number of elements");
    std::vector<Value> out(bytes / sizeof(Value));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(bytes));
    if (!file) throw std::runtime_error("cannot read " + path);
    return out;
}
template <class Value> void write_array(std::string const& path, std::span<Value const> values) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<char const*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path);
}

/// JOB name=value name=value ...
class arguments {
public:
    arguments(int argc, char** argv) {
        for (int i = 2; i < argc; ++i) {
            std::string const given = argv[i];
            auto const equals = given.find('=');
            if (equals == std::string::npos) throw std::runtime_error("expected name=value, got " + given);
            m_values[given.substr(0, equals)] = given.substr(equals + 1);
        }
    }
    bool has(std::string const& name) const { return m_values.count(name) != 0; }
    std::string text(std::string const& name) const {
        auto const found = m_values.find(name);
        if (found == m_values.end()) throw std::runtime_error("missing: " + name + "=");
        return found->second;
    }
    std::string text(std::string const& name, std::string const& otherwise) const { return has(name) ? text(name) : otherwise; }
    double number(std::string const& name) const {
        auto const given = text(name);
        std::size_t end = 0;
        double const value = std::stod(given, &end);
        if (end != given.size()) throw std::runtime_error(name + "= expects a number, got " + given);
        return value;
    }
    double number(std::string const& name, double otherwise) const { return has(name) ? number(name) : otherwise; }
    std::size_t count(std::string const& name, std::size_t otherwise) const {
        double const n = number(name, static_cast<double>(otherwise));
        if (!(n >= 0 && n < 1e15 && n == std::floor(n))) throw std::runtime_error(name + "= expects a whole number from 0");
        return static_cast<std::size_t>(n);
    }

private:
    std::map<std::string, std::string> m_values;
};

/// The matrix of a part, "train" or "test". Its width is that of both.
inline rs::csr read_matrix(std::string const& folder, std::string const& part, std::size_t n_items) {
    auto offsets = read_array<std::int64_t>(folder + "/" + part + ".indptr.i64");
    std::size_t const n_users = offsets.size() - 1;
    auto items = read_array<rs::item_index>(folder + "/" + part + ".indices.i32");
    auto values = read_array<float>(folder + "/" + part + ".data.f32");
    return rs::csr(n_users, n_items, rs::detail::shared_array<std::int64_t>(std::move(offsets)),
                   rs::detail::shared_array<rs::item_index>(std::move(items)), rs::detail::shared_array<float>(std::move(values)));
}

// --- the answer -----------------------------------------------------------------------------------

class json_line {
public:
    json_line& add(char const* name, double value) {
        char text[40];
        std::snprintf(text, sizeof text, "%.9g", value);
        return put(name, std::isfinite(value) ? text : "null");
    }
    json_line& add(char const* name, std::string const& value) { return put(name, '"' + value + '"'); }
    void print() const { std::printf("{%s}\n", m_text.c_str()); }

private:
    json_line& put(char const* name, std::string const& value) {
        m_text += (m_text.empty() ? "\"" : ", \"") + std::string(name) + "\": " + value;
        return *this;
    }
    std::string m_text;
};

class stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count(); }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

/// The most memory that the process has had so far; not a number where the system does not say.
inline double peak_megabytes() {
#if defined(__linux__)
    std::ifstream status("/proc/self/status"); // getrusage counts the program that started this one
    for (std::string word; status >> word;)
        if (word == "VmHWM:") {
            double kilobytes = 0;
            status >> kilobytes;
            return kilobytes / 1024;
        }
#endif
    return std::nan("");
}

/// The value below which a share of the others lies.
inline double quantile(std::vector<double> values, double share) {
    if (values.empty()) return std::nan("");
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

/// A fingerprint of bits: equal results have equal ones.
class fingerprint {
public:
    template <class Value> fingerprint& add(Value const& value) {
        std::uint64_t bits = 0;
        static_assert(sizeof(Value) <= sizeof bits);
        std::memcpy(&bits, &value, sizeof value);
        m_state = (m_state ^ bits) * 0x9E3779B97F4A7C15u;
        m_state ^= m_state >> 29;
        return *this;
    }
    std::string text() const {
        char out[20];
        std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(m_state));
        return out;
    }

private:
    std::uint64_t m_state = 0xCBF29CE484222325u;
};

// --- quality --------------------------------------------------------------------------------------

/// NDCG@10 of lists of users, binary gains; users without test items do not count. Source: Järvelin & Kekäläinen (2002).
class ndcg_at_10 {
public:
    template <class List> void add(List const& list, std::span<rs::item_index const> wanted) {
        if (wanted.empty()) return;
        double gain = 0, ideal = 0;
        for (std::size_t place = 0; place < 10; ++place) {
            double const worth = 1 / std::log2(static_cast<double>(place) + 2);
            if (place < wanted.size()) ideal += worth;
            if (place < list.size() && std::binary_search(wanted.begin(), wanted.end(), list[place].item)) gain += worth;
        }
        m_sum += gain / ideal, ++m_users;
    }
    double value() const { return m_sum / static_cast<double>(m_users); }

private:
    double m_sum = 0;
    std::size_t m_users = 0;
};

/// The objective of ALS at any factors, in double: what both sides minimise, by one program. O((users + items) f^2 + entries f).
class als_objective {
public:
    als_objective(std::span<float const> users, std::span<float const> items, std::size_t n_factors)
        : m_users(users), m_items(items), m_f(n_factors) {}

    double operator()(rs::csr const& matrix, double alpha, double regularization) const {
        auto const of_users = gramian(m_users), of_items = gramian(m_items);
        double loss = 0;
        for (std::size_t i = 0; i < of_users.size(); ++i) loss += of_users[i] * of_items[i]; // every pair as if it were absent
        for (std::size_t j = 0; j < m_f; ++j) loss += regularization * (of_users[j * m_f + j] + of_items[j * m_f + j]);
        for (std::size_t u = 0; u < matrix.n_users(); ++u) {
            auto const user = static_cast<rs::user_index>(u);
            auto const seen = matrix.seen(user);
            auto const weights = matrix.weights(user);
            double row = 0;
            for (std::size_t i = 0; i < seen.size(); ++i) {
                double const score = product(u, rs::to_size(seen[i])), rest = (weights[i] > 0 ? 1 : 0) - score;
                row += (1 + alpha * std::abs(static_cast<double>(weights[i]))) * rest * rest - score * score;
            }
            loss += row;
        }
        return loss;
    }

private:
    double product(std::size_t user, std::size_t item) const {
        double sum = 0;
        for (std::size_t j = 0; j < m_f; ++j)
            sum += static_cast<double>(m_users[user * m_f + j]) * static_cast<double>(m_items[item * m_f + j]);
        return sum;
    }
    std::vector<double> gramian(std::span<float const> table) const {
        std::vector<double> out(m_f * m_f, 0.0);
        for (std::size_t at = 0; at < table.size(); at += m_f)
            for (std::size_t i = 0; i < m_f; ++i)
                for (std::size_t j = 0; j < m_f; ++j)
                    out[i * m_f + j] += static_cast<double>(table[at + i]) * static_cast<double>(table[at + j]);
        return out;
    }

    std::span<float const> m_users, m_items;
    std::size_t m_f;
};

}

#endif
