/**
 * The loop: make a case from a seed, check it, keep its input when it reached something new. The same seed on the same
 * corpus makes the same cases in the same order, whatever the clock says.
 */
import { mixSeed, SeededGenerator } from '@carillon/sip-parser/testing'
import { type CaseId, formatCaseId, hashOf, inputOf } from './case-id.ts'
import { type Failure, failureOf } from './failure.ts'
import { Probe, type Slowest } from './probe.ts'
import type { Target } from './target.ts'

/** An input that reached something new, and what. */
export interface KeptInput {
  readonly seeds: readonly number[]
  readonly input: Uint8Array
  readonly reached: readonly string[]
}

/** What a run has done so far. */
export interface Progress {
  readonly cases: number
  /** Different behaviours seen. */
  readonly features: number
  readonly corpusEntries: number
  readonly keptInputs: number
  readonly slowest: Slowest & { readonly caseId: string }
}

/** Settings of a run. */
export interface FuzzerOptions {
  readonly seed: number
  /** Entries of the corpus; the target's own seeds come before them. */
  readonly corpus?: readonly Uint8Array[]
  /** Told of each case before it is checked, and of each input that is tried while one is made smaller. */
  readonly announce?: (id: CaseId, input: Uint8Array) => void
}

/** Mutations on top of one another at most: what a case needs to be made again stays short. */
const lineageMax = 12
/** Larger inputs are checked and not built upon. */
const keptBytesMax = 16_384
const keptInputsMax = 5_000

/** Runs the cases of one target. */
export class Fuzzer {
  readonly corpus: readonly Uint8Array[]
  readonly corpusHash: string
  readonly kept: KeptInput[] = []
  private readonly features = new Set<string>()
  private readonly probe = new Probe()
  private readonly seed: number
  private readonly announce: (id: CaseId, input: Uint8Array) => void
  private cases = 0
  private current: CaseId = { seeds: [] }
  private slowestCase: CaseId = { entry: 0 }

  constructor(
    readonly target: Target,
    options: FuzzerOptions,
  ) {
    this.corpus = [...target.seeds, ...(options.corpus ?? [])]
    this.corpusHash = hashOf(this.corpus)
    this.seed = options.seed
    this.announce = options.announce ?? (() => {})
  }

  /** Checks the next case: first the corpus as it is, then mutations. Returns what went wrong, if anything did. */
  step(): Failure | undefined {
    const number = this.cases
    this.cases += 1
    return this.check(number < this.corpus.length ? { entry: number } : { seeds: this.nextSeeds(number) })
  }

  /** Checks one case by its name, for seeing it again. */
  check(id: CaseId): Failure | undefined {
    this.current = id
    const input = inputOf(id, this.target, this.corpus)
    this.announce(id, input)
    this.probe.begin()
    try {
      this.target.check(input, this.probe)
    } catch (thrown) {
      return this.failure(id, input, thrown)
    } finally {
      if (this.probe.hasNewSlowest) this.slowestCase = id
    }
    this.keep(id, input)
    return undefined
  }

  /** Checks an input that no case made. */
  checkInput(input: Uint8Array): Failure | undefined {
    this.announce({ seeds: [] }, input)
    this.probe.begin()
    try {
      this.target.check(input, this.probe)
      return undefined
    } catch (thrown) {
      return this.failure({ entry: 0 }, input, thrown)
    }
  }

  /** What an input reaches, or the oracle that it fails; for making it smaller. */
  tryInput(input: Uint8Array): { readonly features: ReadonlySet<string>; readonly oracle?: string } {
    this.announce(this.current, input)
    this.probe.begin()
    try {
      this.target.check(input, this.probe)
      return { features: this.probe.features }
    } catch (thrown) {
      return { features: this.probe.features, oracle: failureOf(thrown).oracle }
    }
  }

  get progress(): Progress {
    return {
      cases: this.cases,
      features: this.features.size,
      corpusEntries: this.corpus.length,
      keptInputs: this.kept.length,
      slowest: { ...this.probe.slowest, caseId: formatCaseId(this.slowestCase, this.corpusHash) },
    }
  }

  /** Half of the cases change the corpus, half what was kept, the newest of it most often. */
  private nextSeeds(number: number): readonly number[] {
    const caseSeed = mixSeed(this.seed, number)
    const generator = new SeededGenerator(mixSeed(caseSeed, 1))
    if (this.kept.length === 0 || generator.once(2)) return [caseSeed]
    const newest = generator.once(2) ? Math.max(0, this.kept.length - 50) : 0
    const parent = this.kept[generator.between(newest, this.kept.length - 1)]
    return parent === undefined || parent.seeds.length >= lineageMax ? [caseSeed] : [...parent.seeds, caseSeed]
  }

  private keep(id: CaseId, input: Uint8Array): void {
    const reached = [...this.probe.features].filter((feature) => !this.features.has(feature))
    if (reached.length === 0) return
    for (const feature of reached) this.features.add(feature)
    if ('entry' in id || input.length > keptBytesMax || this.kept.length >= keptInputsMax) return
    this.kept.push({ seeds: id.seeds, input, reached })
  }

  private failure(id: CaseId, input: Uint8Array, thrown: unknown): Failure {
    const { oracle, message } = failureOf(thrown)
    return { target: this.target.name, caseId: formatCaseId(id, this.corpusHash), oracle, message, input }
  }
}
