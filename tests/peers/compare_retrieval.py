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
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "compare_retrieval"))
from machine import cpu_name, peer_environment, peer_python  # noqa: E402
from report import Table  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
WORK = TOP / ".build/compare_retrieval"
SIZES = {"XS": (2_000, 1_500, 60_000), "S": (20_000, 10_000, 1_000_000), "M": (100_000, 50_000, 10_000_000)}
GROWTH = {"1 M": (10_000, 2_000, 1_000_000), "10 M": (100_000, 20_000, 10_000_000), "100 M": (1_000_000, 200_000, 100_000_000)}
QUICK_GROWTH = {"0.1 M": (1_000, 1_000, 100_000), "0.3 M": (3_000, 3_000, 300_000)}
CXX_FLAGS = {"plain": "-O2", "native": "-O3 -march=native"}


class Session:
    """Where things are, and how a contestant is run."""

    def __init__(self, options):
        self.options = options
        self.size = options.size or ("XS" if options.quick else "M")
        self.rounds = options.rounds or (1 if options.quick else 3)
        self.iterations = 3 if options.quick else 10
        self.queries = 200 if options.quick else 2000
        self.table = Table()
        WORK.mkdir(parents=True, exist_ok=True)
        self.log = (WORK / "runs.jsonl").open("w", encoding="utf-8")
        self.built = set()

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def checked(self, command, env=None):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=env, check=False)
        if done.returncode != 0:
            sys.exit(f"failed ({done.returncode}): {' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    def build(self, flags="plain"):
        folder = WORK / f"build_{flags}"
        if flags not in self.built:
            self.say(f"building ours ({CXX_FLAGS[flags]})")
            self.checked(["cmake", "-S", TOP, "-B", folder, "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_CXX_FLAGS={CXX_FLAGS[flags]}",
                          "-DRECSYS_BUILD_EXAMPLES=OFF", "-DRECSYS_TEST_STRUCTURE=OFF", "-DRECSYS_BUILD_BENCHMARKS=ON"])
            self.checked(["cmake", "--build", folder, "--target", "recsys_retrieval_job", "recsys_make_data"])
            self.built.add(flags)
        return folder / "tests/bench"

    def data(self, name, shape):
        """A folder with raw arrays. meta.json is written last: where it stands, they are whole."""
        folder = WORK / "data" / f"{name.replace(' ', '')}_{'_'.join(map(str, shape))}"
        if not (folder / "meta.json").exists():
            self.say(f"making data {name}")
            folder.mkdir(parents=True, exist_ok=True)
            self.checked([self.build() / "recsys_make_data", folder, *shape])
        return folder

    def main_data(self):
        return self.data(self.size, SIZES[self.size])

    def factors(self, alpha, regularization):
        """The prefix of factors that both sides read: 64 of them, fitted by ours."""
        prefix = self.main_data() / f"factors64_{alpha}_{regularization}_{self.iterations}"
        if not Path(f"{prefix}.items.f32").exists():
            self.say(f"fitting factors with alpha {alpha}")
            self.ours("als", f"data={self.main_data()}", f"alpha={alpha}", f"regularization={regularization}", f"iterations={self.iterations}",
                      f"save={prefix}")
        return prefix

    def run(self, label, command, env):
        out = json.loads(self.checked(command, env).splitlines()[-1])
        self.log.write(json.dumps({"contestant": label, "command": [str(word) for word in command[1:]], "load": os.getloadavg()[0], **out}) + "\n")
        self.log.flush()
        return out

    def ours(self, job, *arguments, flags="plain"):
        return self.run("ours", [self.build(flags) / "recsys_retrieval_job", job, *arguments], None)

    def peer(self, job, lib, *arguments):
        threads = self.options.threads
        env = peer_environment(WORK, threads, blas_threads=threads if lib.startswith("faiss") else 1)
        return self.run(lib, [peer_python(WORK), TOP / "tests/peers/compare_retrieval/peers.py", job, f"lib={lib}", *arguments], env)

    def interleave(self, name, contestants):
        """{label: a function that runs it}; every round runs all. Returns {label: [an answer a round]}."""
        answers = {label: [] for label in contestants}
        for number in range(self.rounds):
            for label, call in contestants.items():
                self.say(f"{name}: round {number + 1} of {self.rounds}: {label}")
                answers[label].append(call())
        return answers


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
        prefix = WORK / f"loss{factors}"
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
        arguments = [f"data={session.data(name, shape)}", f"threads={session.options.threads}"]
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tiny log and one round: whether it runs, not how fast")
    parser.add_argument("--size", choices=SIZES, help="default: M, with --quick XS")
    parser.add_argument("--rounds", type=int, help="default: 3, with --quick 1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--users", type=int, help="lists for the first so many users; default: all")
    parser.add_argument("--only", action="append", choices=COMPARISONS, help="a comparison; may be given several times")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        return print("\n".join(COMPARISONS))
    session = Session(options)
    for name in options.only or COMPARISONS:
        COMPARISONS[name](session)
    heading = f"{cpu_name()}, {os.cpu_count()} cores, {options.threads} thread{'s' if options.threads > 1 else ''}, {session.rounds} round{'s' if session.rounds > 1 else ''}, data {session.size}"
    text = session.table.markdown(heading)
    (WORK / "report.md").write_text(text, encoding="utf-8")
    return print(text)


if __name__ == "__main__":
    main()
