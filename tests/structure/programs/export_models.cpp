// SPDX-License-Identifier: MIT
// Writes boosters as C++ (exported_0.hpp ...) and what they say of strange rows (exported_rows.hpp), for use_exported.cpp.
#include <support/exported_booster.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace {

bool write(std::string const& name, std::string const& text) {
    auto* const file = std::fopen(name.c_str(), "wb");
    if (!file) return false;
    bool const ok = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    return std::fclose(file) == 0 && ok;
}
std::string quoted(std::string const& text) {
    std::string out;
    for (char const c : text) {
        char octal[8];
        std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += octal;
    }
    return "\"" + out + "\"";
}
std::string number(float x) {
    if (std::isnan(x)) return "NAN";
    if (std::isinf(x)) return x < 0 ? "-INFINITY" : "INFINITY";
    char hex[64];
    std::snprintf(hex, sizeof hex, "%af", static_cast<double>(x));
    return hex;
}
/// A row as the arguments of a constructor of any of the exported rows.
std::string arguments(exported_booster::row const& r) {
    std::string out = number(r.price) + ", " + number(r.size) + ", ";
    out += r.brand ? "std::string_view(" + quoted(*r.brand) + ")" : "std::nullopt";
    out += r.shop ? ", std::int64_t{" + std::to_string(*r.shop + 1) + " - 1}, {" : ", std::nullopt, {";
    for (auto const& tag : r.tags) out += quoted(tag) + ", ";
    return "{" + out + "}}";
}

}

int main() {
    auto const strange = exported_booster::rows(500, 2, true);
    auto const frame = exported_booster::frame();
    auto const options = exported_booster::all_options();
    std::string expected = "#define EXPORTED_RAW", rows = "#define EXPORTED_ROWS";
    std::size_t joins[3] = {};
    for (std::size_t i = 0; i < options.size(); ++i) {
        auto const model = exported_booster::fit(options[i]);
        for (auto const& key : model.state().space.keys) ++joins[static_cast<std::size_t>(key.with)];
        auto const n = std::to_string(i);
        if (!write("exported_" + n + ".hpp", recsys::export_cpp(model, "exported_" + n))) return 1;
        for (double const raw : model.predict_raw(frame)) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, &raw, sizeof bits);
            expected += " \\\n    " + std::to_string(bits) + "u,";
        }
    }
    for (auto const& r : strange) rows += " \\\n    " + arguments(r) + ",";
    // The comparison means something only if the models have every kind of statistic.
    if (joins[0] == 0 || joins[1] == 0 || joins[2] == 0) return std::puts("no model has joins of every kind"), 1;
    return write("exported_rows.hpp", expected + "\n" + rows + "\n") ? 0 : 1;
}
