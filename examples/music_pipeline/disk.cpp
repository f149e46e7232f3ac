// SPDX-License-Identifier: MIT
#include "disk.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>

#include <recsys.hpp>

#include "play_source.hpp"

namespace music {

namespace fs = std::filesystem;

namespace {

// Of a row with ids of eight digits.
constexpr double training_candidate_row = 30, candidate_row = 28, recommendation_row = 42, personal_row = 80, similar_row = 26,
                 item_row = 110;
constexpr double interaction_row = 31, catalog_row = 130; // of data that is made; a track and all that its ids name
constexpr double number_share = 0.35, text_share = 0.6;   // of the same table as CSV that a column file takes
constexpr double packed_data_share = 0.2;                 // of the interactions, with their times as times
constexpr double events_per_user = 162, active_share = 0.57;
constexpr double large_table = 1e9;

double file_bytes(fs::path const& path) {
    std::error_code none;
    auto const n = fs::file_size(path, none);
    return none ? 0 : static_cast<double>(n);
}

/// Rows of a table, and the bytes of one as CSV: those of a CSV file by the length of its first ones.
double estimated_rows(std::string const& path, double& row_bytes) {
    if (is_column_file(path)) {
        row_bytes = interaction_row;
        return static_cast<double>(recsys::column_file(path).size());
    }
    std::string head(std::size_t{1} << 20, '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(in.gcount()));
    auto const lines = static_cast<double>(std::count(head.begin(), head.end(), '\n'));
    row_bytes = lines == 0 ? 0 : static_cast<double>(head.size()) / lines;
    return row_bytes == 0 ? 0 : file_bytes(path) / row_bytes;
}

/// Nobody gets more candidates than there are tracks.
double list_length(options const& set, input_size const& n) { return std::min(static_cast<double>(set.candidates), n.tracks); }

std::string amount(double bytes) {
    char out[32];
    if (bytes < 1e9) std::snprintf(out, sizeof out, "%.0f MB", bytes / 1e6);
    else std::snprintf(out, sizeof out, "%.1f GB", bytes / 1e9);
    return out;
}

}

input_size size_of_input(std::string const& folder) {
    input_size n;
    double track_row = 0;
    auto const tracks = find_table(folder, "tracks");
    n.events = estimated_rows(find_table(folder, "interactions"), n.event_bytes);
    n.tracks = estimated_rows(tracks, track_row);
    n.users = n.events / events_per_user;
    n.catalog_bytes = file_bytes(tracks) + file_bytes(find_table(folder, "catalog_names"));
    n.label_users = n.future_users = active_share * n.users;
    return n;
}

input_size size_of_made(options const& set) {
    input_size n;
    n.users = static_cast<double>(set.users), n.tracks = static_cast<double>(set.tracks), n.events = static_cast<double>(set.events);
    n.event_bytes = interaction_row, n.catalog_bytes = catalog_row * n.tracks;
    n.label_users = n.future_users = active_share * n.users;
    n.is_made = true;
    return n;
}

double events_bytes(input_size const& n) { return n.events * (n.event_bytes + 12); }
double personal_bytes(input_size const& n) { return 5 * n.users * personal_row; }
double candidates_for_train_bytes(options const& set, input_size const& n) {
    return n.label_users * list_length(set, n) * training_candidate_row;
}
double candidates_to_rank_bytes(options const& set, input_size const& n) { return n.future_users * list_length(set, n) * candidate_row; }
double recommendations_bytes(options const& set, input_size const& n) { return n.future_users * list_length(set, n) * recommendation_row; }

bool is_column_table(options const& set, double csv_bytes) {
    return set.tables == "columns" || (set.tables == "auto" && csv_bytes > large_table);
}

std::vector<file_need> files_of(options const& set, input_size const& n) {
    std::vector<file_need> out;
    auto const table = [&](std::string const& name, double bytes, double column_share) {
        bool const as_columns = is_column_table(set, bytes);
        out.push_back({name + (as_columns ? ".rsc" : ".csv"), as_columns ? column_share * bytes : bytes});
    };
    table("events", events_bytes(n), text_share);
    table("personal_als", personal_bytes(n), text_share);
    if (!set.no_candidate_tables) {
        table("candidates_for_train", candidates_for_train_bytes(set, n), number_share);
        table("candidates_to_rank", candidates_to_rank_bytes(set, n), number_share);
    }
    table("recommendations", recommendations_bytes(set, n), number_share);
    out.push_back({"similar_items.csv", 5 * n.tracks * similar_row});
    out.push_back({"items.csv", n.tracks * item_row});
    if (n.is_made) {
        double const share = set.as_columns ? packed_data_share : 1;
        std::string const ending = set.as_columns ? ".rsc" : ".csv";
        out.push_back({"data/interactions" + ending, share * n.events * n.event_bytes});
        out.push_back({"data/catalog_names" + ending, n.catalog_bytes});
    }
    out.push_back({"steps/events.rsm", 16 * n.events + 12 * n.users});
    out.push_back({"steps/names.rsc", n.catalog_bytes});
    double const model = (n.users + n.tracks) * static_cast<double>(set.factors) * 4;
    double const rows = n.label_users * static_cast<double>(set.negatives + 3) * 90;
    out.push_back({"als.rsm", model});
    for (auto const* const suffix : {"", "_tuned"}) {
        if (*suffix != '\0' && !set.tune_als) continue;
        out.push_back({std::string("als_t2") + suffix + ".rsm", model});
        out.push_back({std::string("steps/als_t0") + suffix + ".rsm", model});
        out.push_back({std::string("steps/rows") + suffix + ".rsm", rows});
    }
    std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.bytes > b.bytes; });
    return out;
}

std::string check_disk(options const& set, input_size const& n) {
    auto const files = files_of(set, n);
    double all = 0, missing = 0;
    std::string largest;
    for (auto const& file : files) {
        all += file.bytes;
        missing += std::max(0.0, file.bytes - file_bytes(fs::path(set.out) / file.name));
        if (file.bytes > large_table / 10) largest += (largest.empty() ? ": " : ", ") + file.name + ' ' + amount(file.bytes);
    }
    // A file that is written anew stands beside the old one until it is whole.
    if (missing < all && !files.empty()) missing += files.front().bytes;
    double const free = set.pretend_free > 0 ? set.pretend_free : static_cast<double>(fs::space(set.out).available);
    auto const said = "The results take about " + amount(all) + " of disk" + largest + ". " + set.out + " has " + amount(free) + " free";
    if (missing > free)
        throw std::runtime_error(
            said + ", about " + amount(missing) +
            " are needed yet. Give another --out, or leave tables out or packed: --no-candidate-tables, --tables columns");
    return said + '.';
}

} // namespace music
