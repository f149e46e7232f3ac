// SPDX-License-Identifier: MIT
// What measured programs need besides the library: raw arrays, arguments, one line of JSON, time, memory, fingerprints.
#ifndef RECSYS_TESTS_PEERS_MEASURED_HPP
#define RECSYS_TESTS_PEERS_MEASURED_HPP

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

}

#endif
