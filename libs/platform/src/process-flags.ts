import { availableParallelism } from 'node:os';

const CORES_FOR_GC_THREADS = 4;

/**
 * Where a few cores carry doors and PostgreSQL together, threads that help to collect the young generation take from the others more than
 * they give. The old one is still marked beside the work: without any threads (`--single-threaded-gc`) its collections stopped decision-api
 * for 30 to 45 ms every ten seconds. At half load p99 was 103 ms with it and 22 ms without in one run of each, and 16 to 40 ms in later ones
 * (2026-11-22).
 */
const FEW_CORES: readonly string[] = availableParallelism() < CORES_FOR_GC_THREADS ? ['--no-parallel-scavenge'] : [];

/**
 * How Node runs our doors. In production give the same flags to whatever starts the processes.
 *
 * What a call makes dies with it. With a young generation of 32 MiB a fifth of decision-api's time goes into collecting it, with 64 MiB a
 * tenth, and with 128 MiB less memory is left for everything else and nothing is gained (measured 2026-11-22 by `npm run bench decisions`:
 * 8,500, 10,100 and 7,000 decisions/s over HTTP, two cores).
 *
 * V8 notes where objects come from that outlive collections, takes a busy moment for the rule, and from then on makes those in the old
 * generation: dead there, they keep all that hangs on them, and each collection of the young one copies 7 to 15 % of what calls have left.
 * With everything born young the gateway spent 405 instead of 438 us of its main thread on a record, and decision-api 71 instead of 74 us
 * on a decision over HTTP, 54 instead of 57 over a stream (2026-11-22, six and three interleaved pairs of runs).
 *
 * Not here: `--max-old-space-size=2000`, below which V8 lets the heap grow to twice what lives at most. decision-api stayed at 384 to 418 MiB where
 * it takes 382 to 554, but in two of five runs a decision cost an eighth to a fifth more.
 */
export const DOOR_FLAGS: readonly string[] = ['--max-semi-space-size=64', '--no-allocation-site-pretenuring', ...FEW_CORES];

/**
 * The worker holds a few pages of lines and a second's facts at a time. With these it stays below 400 MiB however long a batch is (with the
 * flags of doors it grew to 590): where the heap may become large, V8 lets it grow to four times what lives before it looks. A young
 * generation of 16 MiB took 60 MiB less and about a tenth more of its CPU (2026-11-22, 150,000 sealed lines).
 */
export const WORKER_FLAGS: readonly string[] = ['--max-semi-space-size=32', '--max-old-space-size=1024', ...FEW_CORES];
