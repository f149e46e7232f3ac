// SPDX-License-Identifier: MIT
// Door of the room retrieval: who can recommend, what is eligible, lists of the best items, similar ones, candidates. Depends on core, data, matrix.
#if defined(RECSYS_VERSION) && RECSYS_VERSION != 100
#error "recsys: two versions of the library meet in one file; include one of them"
#endif
#ifndef RECSYS_RETRIEVAL_DOOR_HPP
#define RECSYS_RETRIEVAL_DOOR_HPP

#include <recsys/retrieval/best_items.hpp>
#include <recsys/retrieval/candidates.hpp>
#include <recsys/retrieval/eligible.hpp>
#include <recsys/retrieval/factor_index.hpp>
#include <recsys/retrieval/factor_join.hpp>
#include <recsys/retrieval/factor_list_maker.hpp>
#include <recsys/retrieval/factor_lists.hpp>
#include <recsys/retrieval/factor_pairs.hpp>
#include <recsys/retrieval/factor_rough.hpp>
#include <recsys/retrieval/factor_scorer.hpp>
#include <recsys/retrieval/factor_search.hpp>
#include <recsys/retrieval/fallback.hpp>
#include <recsys/retrieval/lists.hpp>
#include <recsys/retrieval/prepared.hpp>
#include <recsys/retrieval/recommend.hpp>
#include <recsys/retrieval/recommend_options.hpp>
#include <recsys/retrieval/recommender.hpp>
#include <recsys/retrieval/rough_list.hpp>
#include <recsys/retrieval/scorer.hpp>
#include <recsys/retrieval/seen_marks.hpp>
#include <recsys/retrieval/similarity.hpp>
#include <recsys/retrieval/top_k.hpp>

#endif
