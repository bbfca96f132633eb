#!/usr/bin/env bash
# Measure, then write docs/performance.md: benchmarks/run.sh MODEL [name ...]
# MODEL is a trained model (a run's model/) of the I+T view. Without names all run.
# MNER_DATA names the real posts; without it the packaged sample's are taken. Run it on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-.venv/bin/python}"
known="crf cold_start predict_throughput predict_throughput_folded train_throughput systems scaling memory_stream context_build context_memory serve gallery sub_tokens int8_peak ocr"
model="${1:-}"
if [ ! -d "$model" ]; then
    echo "usage: benchmarks/run.sh MODEL [name ...]" >&2
    echo "  MODEL: directory of a trained model; names: $known" >&2
    exit 2
fi
shift
[ -x benchmarks/.peers/bin/python ] || echo "no benchmarks/.peers: peers in it go unmeasured; run benchmarks/peers.sh" >&2

# context_build takes a quarter of an hour for each repetition, context_memory half an hour.
# The stream of 1,000,000 and 50,000 posts takes ten minutes:
#   STREAM_TINY_POSTS=1000000 STREAM_POSTS=50000 benchmarks/run.sh MODEL memory_stream

# Threads that wait without spinning: the sides take turns, and none should burn the other's cores.
export GOMP_SPINCOUNT=100

measure() {
    case "$1" in
        crf) "$python" benchmarks/crf.py --least-seconds 1 --threads 1 ;;
        cold_start) "$python" benchmarks/cold_start.py --model "$model" --repetitions 5 ;;
        predict_throughput) "$python" benchmarks/predict_throughput.py --model "$model" --posts 320 --repetitions 3 ;;
        predict_throughput_folded)
            "$python" benchmarks/predict_throughput.py --model "$model" --posts 320 --repetitions 3 --links fold
            ;;
        train_throughput) "$python" benchmarks/train_throughput.py --posts 160 --warmup-steps 4 --repetitions 3 ;;
        systems) "$python" benchmarks/systems.py --repetitions 3 ;;
        scaling) "$python" benchmarks/scaling.py --model "$model" --repetitions 3 ;;
        context_build) "$python" benchmarks/context_build.py --repetitions 3 --pictures "${BUILD_PICTURES:-500}" --many "${BUILD_MANY:-5000}" ;;
        context_memory) "$python" benchmarks/context_memory.py --pictures "${MEMORY_PICTURES:-5000}" ;;
        serve) "$python" benchmarks/serve.py --repetitions 3 ;;
        sub_tokens) "$python" benchmarks/sub_tokens.py ;;
        int8_peak) "$python" benchmarks/int8_peak.py --repetitions 7 ;;
        ocr) "$python" benchmarks/ocr.py --threads 1 --repetitions 3 ;;
        gallery) "$python" benchmarks/gallery.py --repetitions 5 ;;
        memory_stream)
            "$python" benchmarks/memory_stream.py --model "$model" \
                --posts "${STREAM_POSTS:-20000}" --tiny-posts "${STREAM_TINY_POSTS:-200000}"
            ;;
        *) echo "no benchmark $1; there are: $known" >&2 && return 2 ;;
    esac
}

failed=0
for name in ${*:-$known}; do
    echo "== $name, $(date +%T)" >&2
    measure "$name" || { failed=1; echo "== $name failed" >&2; }
done
"$python" -m lab.report
exit "$failed"
