/**
 * What passes between the thread that fuzzes and the one that watches it: the job, messages, and memory in which the
 * former writes the case it is at, so that the latter knows it even when the thread hangs.
 */
import type { CaseId } from './case-id.ts'
import type { Failure } from './failure.ts'
import type { Progress } from './fuzzer.ts'
import type { TargetName } from './target.ts'

/** A run of one target. */
export interface Job {
  readonly target: TargetName
  /** A module that exports `target`, instead of the one that the name stands for. */
  readonly module?: string
  readonly seed: number
  /** The run ends after so long, or after so many cases. */
  readonly seconds: number
  readonly casesMax: number
  readonly corpusFolder: string
  /** One case only. */
  readonly caseId?: string
  /** One input only. */
  readonly input?: Uint8Array
  /** Writes what was kept into the corpus at the end. */
  readonly isKeeping: boolean
  /** Goes on after a failure and reports each oracle once. */
  readonly isGoingOn: boolean
}

/** What the fuzzing thread says. */
export type JobMessage =
  | { readonly kind: 'begun'; readonly corpusEntries: number; readonly corpusHash: string }
  | { readonly kind: 'failure'; readonly failure: Failure }
  | { readonly kind: 'done'; readonly progress: Progress; readonly milliseconds: number; readonly written: number }

/** Messages may be twice the parser's limit; longer inputs are cut in the report. */
const inputBytesMax = 524_288
const seedsMax = 16
const counterAt = 0
const entryAt = 1
const seedCountAt = 2
const seedsAt = 3
const lengthAt = seedsAt + seedsMax
const headerBytes = 4 * (lengthAt + 1)

/** The case that the fuzzing thread is at, readable from another thread. */
export class SharedCase {
  readonly buffer: SharedArrayBuffer
  private readonly header: Int32Array
  private readonly bytes: Uint8Array

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(headerBytes + inputBytesMax)) {
    this.buffer = buffer
    this.header = new Int32Array(buffer, 0, lengthAt + 1)
    this.bytes = new Uint8Array(buffer, headerBytes)
  }

  /** Counts the cases: as long as it changes, nothing hangs. */
  get counter(): number {
    return Atomics.load(this.header, counterAt)
  }

  write(id: CaseId, input: Uint8Array): void {
    const seeds = 'entry' in id ? [] : id.seeds
    this.header[entryAt] = 'entry' in id ? id.entry : -1
    this.header[seedCountAt] = seeds.length
    this.header.set(seeds, seedsAt)
    this.header[lengthAt] = Math.min(input.length, inputBytesMax)
    this.bytes.set(input.subarray(0, inputBytesMax))
    Atomics.add(this.header, counterAt, 1)
  }

  read(): { readonly id: CaseId; readonly input: Uint8Array } {
    const entry = this.header[entryAt] ?? -1
    const count = this.header[seedCountAt] ?? 0
    const seeds = [...this.header.subarray(seedsAt, seedsAt + count)].map((seed) => seed >>> 0)
    return { id: entry >= 0 ? { entry } : { seeds }, input: this.bytes.slice(0, this.header[lengthAt]) }
  }
}
