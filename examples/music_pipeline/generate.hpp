// SPDX-License-Identifier: MIT
// Makes a listening log shaped like that of a music service with a million tracks, at any size, as the three files of the pipeline.
//
// The same options give the same bytes on every machine whose compiler does not fuse multiplications and additions. Time and memory
// grow linearly with the events, some 25 bytes an event. What the log is shaped like, and how near it comes, is in the check that generate() returns.
#ifndef RECSYS_EXAMPLES_MUSIC_GENERATE_HPP
#define RECSYS_EXAMPLES_MUSIC_GENERATE_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <recsys/core.hpp>

namespace music {

struct generator_options {
    std::uint64_t users = 13'700;
    std::uint64_t tracks = 10'000;
    std::uint64_t events = 2'220'000;
    double repeats = 0;             ///< share of the events that repeat an earlier (user, track) pair; 0 = each pair once
    double unknown_tracks = 0.0005; ///< share of the events whose track is in no table
    bool id_time_order = false;     ///< within a user dates never decrease with the track's id, an artefact that leaks the future
    std::uint64_t seed = 42;
    unsigned threads = 0;                    ///< 0 = all; the files do not depend on it
    bool columns = false;                    ///< column files instead of CSV files: the same tables in a fifth of the bytes
    recsys::progress_callback progress = {}; ///< called from the calling thread
};

/// A figure of the real log, scaled to the size at hand, beside that of the log that was made.
struct check_line {
    std::string what;
    double wanted = 0;
    double got = 0;
};

/// Writes `tracks.csv`, `catalog_names.csv` and `interactions.csv` (or .rsc, in place of them) into an existing folder and returns what was
/// wanted and got.
/// @throws recsys::option_error where the options do not go together, csv::error where a file cannot be written, recsys::cancelled where
/// progress stops it.
std::vector<check_line> generate(generator_options const& options, std::string const& folder);

/// The lines as a table of three columns.
std::string to_text(std::vector<check_line> const& lines);

}

#endif
