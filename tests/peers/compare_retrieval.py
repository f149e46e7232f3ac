#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Retrieval beside its peers: ALS, lists, similar items, one user, fold-in. Prints a table in Markdown, with the CPU's name.

    python3 tests/peers/compare_retrieval.py --quick            a minute after the first time: a tiny log, one round; its figures mean nothing
    python3 tests/peers/compare_retrieval.py                    100,000 users x 50,000 items, 8 M training entries, three rounds: hours
    python3 tests/peers/compare_retrieval.py --only als64 --only top1 --threads 2
    python3 tests/peers/compare_retrieval.py --list             the names of the comparisons
    python3 tests/peers/compare_retrieval.py --only growth      1 M, 10 M and 100 M events: some 3 GB on disk, 4 GB of memory

Everything is made under .build/compare_retrieval: our programs (g++ -O2, from the parts), the data, and a virtual environment with the peers. Each
measurement is a process of its own; ours and theirs take turns, round by round; a ratio is the median of those of the rounds, and above 1 where ours
is faster. All runs of the last call are kept in runs.jsonl, the table in report.md. Needs cmake, a C++20 compiler, Eigen 3.4 and Python 3.11 or 3.12.
"""
import functools
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "common"))
from machine import blas_settings, clean_environment, peer_environment, peer_python  # noqa: E402
from session import CXX_FLAGS, TOP, Session, parser_of  # noqa: E402

REQUIREMENTS = ["implicit==0.7.3", "faiss-cpu==1.15.1", "numpy==1.26.4", "scipy==1.17.1", "threadpoolctl==3.8.0"]
PEERS = TOP / "tests/peers/compare_retrieval/peers.py"
SIZES = {"XS": (2_000, 1_500, 60_000), "S": (20_000, 10_000, 1_000_000), "M": (100_000, 50_000, 10_000_000)}
GROWTH = {"1 M": (10_000, 2_000, 1_000_000), "10 M": (100_000, 20_000, 10_000_000), "100 M": (1_000_000, 200_000, 100_000_000)}
QUICK_GROWTH = {"0.1 M": (1_000, 1_000, 100_000), "0.3 M": (3_000, 3_000, 300_000)}
NOTE = "Median (least-most) of the rounds; a ratio above 1: ours is faster. Quality is NDCG@10 of 10,000 users, for similar items the mean cosine."


class RetrievalSession(Session):
    def __init__(self, options):
        super().__init__("compare_retrieval", ["recsys_retrieval_job", "recsys_make_data"], NOTE, options)
        self.size = options.size or ("XS" if options.quick else "M")
        self.iterations = 3 if options.quick else 10
        self.queries = 200 if options.quick else 2000

    def log_data(self, name, shape):
        return self.data(name, "recsys_make_data", shape)

    def main_data(self):
        return self.log_data(self.size, SIZES[self.size])

    def factors(self, alpha, regularization):
        """The prefix of factors that both sides read: 64 of them, fitted by ours."""
        prefix = self.main_data() / f"factors64_{alpha}_{regularization}_{self.iterations}"
        if not Path(f"{prefix}.items.f32").exists():
            self.say(f"fitting factors with alpha {alpha}")
            self.ours("als", f"data={self.main_data()}", f"alpha={alpha}", f"regularization={regularization}", f"iterations={self.iterations}",
                      f"save={prefix}")
        return prefix

    def ours(self, job, *arguments, flags="plain"):
        return self.run("ours", [self.build(flags) / "recsys_retrieval_job", job, *arguments, *self.level_words()])

    def peer(self, job, lib, *arguments):
        """implicit threads over rows and calls a BLAS of one thread; faiss lets the BLAS thread."""
        threads = self.options.threads
        env = peer_environment(threads, threads if lib.startswith("faiss") else 1, self.blas)
        return self.run(lib, [self.python, PEERS, job, f"lib={lib}", *arguments], env)

    @functools.cached_property
    def python(self):
        return peer_python(self.work, REQUIREMENTS)

    @functools.cached_property
    def blas(self):
        return blas_settings(json.loads(self.checked([self.python, PEERS, "blas"], clean_environment()))["kernels"], self.options.level)


# --- comparisons ------------------------------------------------------------------------------------


def compare_als(session, factors):
    common = [f"data={session.main_data()}", f"factors={factors}", f"threads={session.options.threads}"]
    fit = [*common, f"iterations={session.iterations}"]
    ours = {f"exact, {factors} factors": lambda: session.ours("als", *fit), f"CG, {factors} factors": lambda: session.ours("als", *fit, "solver=cg")}
    peers = {"implicit CG": lambda: session.peer("als", "implicit_cg", *fit),
             "implicit Cholesky": lambda: session.peer("als", "implicit_cholesky", *common, "iterations=2")}
    answers = session.interleave(f"als{factors}", {**ours, **peers})
    for answer in answers["implicit Cholesky"]:
        answer.pop("ndcg@10")  # after two iterations it is not that of the others
    for label in ours:
        session.table.add(f"ALS {label}", "s an iteration", "iteration_s", answers[label], {peer: answers[peer] for peer in peers}, "ndcg@10")


def compare_loss(session, factors):
    """Time of a whole fit until the loss is that of implicit's conjugate gradients; one program computes both losses."""
    common = [f"data={session.main_data()}", f"factors={factors}"]
    threads = f"threads={session.options.threads}"
    answers = {"ALS exact": [], "ALS CG": [], "implicit CG": []}
    for number in range(session.rounds):
        session.say(f"loss{factors}: round {number + 1} of {session.rounds}")
        prefix = session.work / f"loss{factors}"
        theirs = session.peer("als", "implicit_cg", *common, threads, f"iterations={session.iterations}", f"save={prefix}")
        target = session.ours("loss", *common, f"from={prefix}")
        answers["implicit CG"].append({"reached_s": theirs["fit_s"], "ndcg@10": target["ndcg@10"]})
        for solver in ("exact", "cg"):
            label = "ALS exact" if solver == "exact" else "ALS CG"
            answers[label].append(session.ours("als", *common, threads, "iterations=40", f"solver={solver}", f"until_loss={target['loss']}"))
    for label in ("ALS exact", "ALS CG"):
        session.table.add(f"{label}, {factors} factors, to the same loss", "s", "reached_s", answers[label], {"implicit CG": answers["implicit CG"]}, "ndcg@10")


def compare_top(session, alpha, regularization, normalised=False):
    arguments = [f"data={session.main_data()}", f"from={session.factors(alpha, regularization)}", "k=100", f"threads={session.options.threads}"]
    arguments += ["normalised=1"] if normalised else []
    arguments += [f"users={session.options.users}"] if session.options.users else []
    libs = {"implicit": "implicit", "faiss flat, seen not removed": "faiss"}
    if alpha == 1 and not normalised:
        libs["faiss flat, seen dropped after"] = "faiss_filtered"
    contestants = {"ours": lambda: session.ours("top", *arguments)}
    contestants |= {label: lambda lib=lib: session.peer("top", lib, *arguments) for label, lib in libs.items()}
    answers = session.interleave(f"top, alpha {alpha}", contestants)
    users = f"{answers['ours'][0]['users']:,.0f} users"
    work = f"top-100 for {users}, seen removed, {'normalised factors' if normalised else f'alpha {alpha}'}"
    session.table.add(work, "s", "seconds", answers.pop("ours"), answers, "ndcg@10")


def compare_similar(session):
    arguments = [f"data={session.main_data()}", f"from={session.factors(1, 10)}", "k=6", f"threads={session.options.threads}"]
    contestants = {"ours": lambda: session.ours("similar", *arguments)}
    contestants |= {label: lambda lib=lib: session.peer("similar", lib, *arguments) for label, lib in {"implicit": "implicit", "faiss flat": "faiss"}.items()}
    answers = session.interleave("similar", contestants)
    session.table.add("6 similar for all items, cosine", "s", "seconds", answers.pop("ours"), answers, "mean_score")


def compare_calls(session, job, work, libs, *more):
    arguments = [f"data={session.main_data()}", f"from={session.factors(1, 10)}", *more]
    contestants = {"ours": lambda: session.ours(job, *arguments)}
    contestants |= {label: lambda lib=lib: session.peer(job, lib, *arguments) for label, lib in libs.items()}
    answers = session.interleave(job, contestants)
    mine = answers.pop("ours")
    for share in ("p50", "p99"):
        theirs = {label: given for label, given in answers.items() if f"{share}_us" in given[0]}
        session.table.add(f"{work}, {share}", "us", f"{share}_us", mine, theirs)


def compare_one_user(session):
    compare_calls(session, "one_user", "top-100 of one user", {"implicit": "implicit", "faiss flat, seen not removed": "faiss"}, "k=100",
                  f"queries={session.queries}")


def compare_fold_in(session):
    plays = 20 if session.size == "XS" else 50  # so that there are such users
    compare_calls(session, "fold_in", f"fold-in of a user with {plays} plays",
                  {"implicit, one by one": "implicit", "implicit, all at once": "implicit_batch"}, f"plays={plays}", f"queries={session.queries // 4}")


def compare_growth(session):
    """Ours alone: what a million entries take, as the log grows. Beside the smallest log a ratio of 1 is linear growth."""
    smallest = {}
    for name, shape in (QUICK_GROWTH if session.options.quick else GROWTH).items():
        arguments = [f"data={session.log_data(name, shape)}", f"threads={session.options.threads}"]
        answers = session.interleave(f"growth, {name}", {
            "build": lambda: session.ours("build", *arguments),
            "exact": lambda: session.ours("als", *arguments, "factors=64", "iterations=2", "judged=0"),
            "cg": lambda: session.ours("als", *arguments, "factors=64", "iterations=2", "judged=0", "solver=cg")})
        for of_label in answers.values():
            for answer in of_label:
                millions = answer["entries"] / 1e6
                for key in ("seconds", "iteration_s"):
                    if key in answer:
                        answer["per_million_s"] = answer[key] / millions
                answer["per_million_mb"] = answer["peak_mb"] / millions
        for label, work in {"build": "matrix and transpose from rows", "exact": "ALS 64 exact, an iteration", "cg": "ALS 64 CG, an iteration"}.items():
            beside = {f"the same of {before} events": answer for before, answer in [smallest.setdefault(label, (name, answers[label]))] if before != name}
            session.table.add(f"{name} events: {work}", "s a million entries", "per_million_s", answers[label], beside)
            session.table.add(f"{name} events: {work}, peak memory", "MB a million entries", "per_million_mb", answers[label], beside)


def own_jobs(session, threads):
    data = f"data={session.main_data()}"
    return {"ALS 64 exact": (["als", data, f"iterations={session.iterations}", f"threads={threads}"], "iteration_s", "s an iteration"),
            "ALS 64 CG": (["als", data, f"iterations={session.iterations}", f"threads={threads}", "solver=cg"], "iteration_s", "s an iteration"),
            "top-100, alpha 1": (["top", data, f"from={session.factors(1, 10)}", f"threads={threads}"]
                                 + ([f"users={session.options.users}"] if session.options.users else []), "seconds", "s")}


def compare_threads(session):
    """Ours alone: two threads beside one; the results must be the same bits."""
    for work, (two, key, unit) in own_jobs(session, 2).items():
        one = own_jobs(session, 1)[work][0]
        answers = session.interleave(work, {"two": lambda: session.ours(*two), "one": lambda: session.ours(*one)})
        if len({answer["bits"] for of_label in answers.values() for answer in of_label}) != 1:
            sys.exit(f"{work}: one and two threads do not give the same bits")
        session.table.add(f"{work}, 2 threads", unit, key, answers["two"], {"1 thread, same bits": answers["one"]})


def compare_flags(session):
    """Ours alone: plain -O2 beside what a user can get from the compiler."""
    for work, (command, key, unit) in own_jobs(session, session.options.threads).items():
        answers = session.interleave(work, {"plain": lambda: session.ours(*command), "native": lambda: session.ours(*command, flags="native")})
        session.table.add(f"{work}, {CXX_FLAGS['plain']}", unit, key, answers["plain"], {f"ours with {CXX_FLAGS['native']}": answers["native"]})


COMPARISONS = {
    "als64": lambda s: compare_als(s, 64),
    "als128": lambda s: compare_als(s, 128),
    "loss256": lambda s: compare_loss(s, 256),
    "loss512": lambda s: compare_loss(s, 512),
    "top1": lambda s: compare_top(s, 1, 10),
    "top20": lambda s: compare_top(s, 20, 0.1),
    "top40": lambda s: compare_top(s, 40, 10),
    "top_normalised": lambda s: compare_top(s, 1, 10, normalised=True),
    "similar": compare_similar,
    "one_user": compare_one_user,
    "fold_in": compare_fold_in,
    "threads": compare_threads,
    "flags": compare_flags,
    "growth": compare_growth,
}


def main():
    parser = parser_of(__doc__, COMPARISONS, "a tiny log")
    parser.add_argument("--size", choices=SIZES, help="default: M, with --quick XS")
    parser.add_argument("--users", type=int, help="lists for the first so many users; default: all")
    options = parser.parse_args()
    if options.list:
        return print("\n".join(COMPARISONS))
    session = RetrievalSession(options)
    for name in options.only or COMPARISONS:
        COMPARISONS[name](session)
    return session.finish(session.size)


if __name__ == "__main__":
    main()
