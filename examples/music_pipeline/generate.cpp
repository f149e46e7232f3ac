// SPDX-License-Identifier: MIT
#include "generate.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "generate_catalog.hpp"
#include "generate_check.hpp"
#include "generate_files.hpp"
#include "generate_log.hpp"
#include "generate_names.hpp"
#include "generate_shapes.hpp"
#include "generate_watch.hpp"

namespace music {

namespace {

void check(generator_options const& o) {
    using recsys::detail::throw_option;
    if (o.users < 20 || o.users > 50'000'000) throw_option("generate: users must be in [20, 50000000], got ", o.users);
    if (o.tracks < 40 || o.tracks > 20'000'000) throw_option("generate: tracks must be in [40, 20000000], got ", o.tracks);
    if (o.events < 5 * o.users || o.events > 4'000'000'000)
        throw_option("generate: events must be in [5 x users, 4000000000], got ", o.events);
    if (!(o.repeats >= 0 && o.repeats <= 0.9)) throw_option("generate: repeats must be in [0, 0.9], got ", o.repeats);
    if (!(o.unknown_tracks >= 0 && o.unknown_tracks <= 0.1))
        throw_option("generate: unknown_tracks must be in [0, 0.1], got ", o.unknown_tracks);
    double const pairs = static_cast<double>(o.events) * (1 - o.repeats);
    if (pairs > 0.2 * static_cast<double>(o.users) * static_cast<double>(o.tracks))
        throw_option("generate: ", o.events, " events are too many for ", o.users, " users and ", o.tracks,
                     " tracks: at most a fifth of all pairs may occur");
}

/// Of what goes on in one thread alone (the catalogue, names and their files, the market, the check), two go on at a time.
std::vector<check_line> make(generator_options const& options, std::string const& folder, watch& on) {
    auto const n_pairs = options.events - count_repeats(options) - count_unknown(options);
    auto catalog_made = on.beside([&] { return make_catalog(options, n_pairs, on); });
    auto plays = plays_per_user(options.users, options.tracks, options.events, on);
    auto random = random_for(options.seed, stream::sizes);
    random.shuffle(plays);
    auto users = order_of_users(options, plays, on);
    auto const catalog = on.wait_for(catalog_made);
    auto names_written = on.beside([&] {
        auto names = make_names(catalog, options.seed, on);
        write_catalog(options, catalog, names, folder, on);
        return names;
    });
    auto const log = make_log(options, plays, std::move(users), catalog, on);
    auto const names = on.wait_for(names_written);
    auto checked = on.beside([&] { return check_log(options, catalog, names, log, on); });
    on.begin("interactions", options.events);
    write_log(options, catalog, log, folder, on);
    return on.wait_for(checked);
}

}

std::vector<check_line> generate(generator_options const& options, std::string const& folder) {
    check(options);
    watch on(options.progress, recsys::detail::team(options.threads).size() > 1);
    try {
        return make(options, folder, on);
    } catch (...) { on.rethrow(); }
}

std::string to_text(std::vector<check_line> const& lines) {
    std::string out;
    char text[160];
    for (auto const& line : lines) {
        std::snprintf(text, sizeof text, "    %-72s %10.4g %10.4g\n", line.what.c_str(), line.wanted, line.got);
        out += text;
    }
    std::snprintf(text, sizeof text, "    %-72s %10s %10s\n", "", "wanted", "got");
    return text + out;
}

}
