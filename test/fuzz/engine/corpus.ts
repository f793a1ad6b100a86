/** The corpus on disk: one file an input, bytes as they are; and the torture messages of the RFCs when they are at hand. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Failure } from './failure.ts'
import type { Fuzzer } from './fuzzer.ts'
import { minimise } from './minimise.ts'
import type { TargetName } from './target.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Where the corpus is unless the command says otherwise. */
export const corpusFolder: string = join(root, 'test/fuzz/corpus')
/** Files and bytes of one target that are kept at most: the corpus is part of the repository. */
const filesMax = 90
const bytesMax = 48_000
const fileBytesMax = 4_096
const keepMsMax = 60_000

/** The entries for a target, in the order of their names. */
export function readCorpus(target: TargetName, folder: string = corpusFolder): readonly Uint8Array[] {
  const own = readFolder(join(folder, target), '.txt')
  if (target !== 'message' && target !== 'stream') return own
  const conformance = resolve(root, process.env.CARILLON_CONFORMANCE_DIR ?? '../shared/conformance')
  return [...own, ...['rfc4475', 'rfc5118'].flatMap((set) => readFolder(join(conformance, set), '.dat'))]
}

function readFolder(folder: string, ending: string): Uint8Array[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith(ending))
  return names.sort().map((name) => new Uint8Array(readFileSync(join(folder, name))))
}

/** Writes the input of a failure, and its smaller form; returns the path to show. */
export function writeFailure(failure: Failure, folder: string): string {
  const place = join(folder, failure.target, 'failures')
  mkdirSync(place, { recursive: true })
  const name = createHash('sha256').update(failure.input).digest('hex').slice(0, 12)
  writeFileSync(join(place, `${name}.txt`), failure.input)
  if (failure.small !== undefined) writeFileSync(join(place, `${name}.small.txt`), failure.small)
  return relative(process.cwd(), join(place, `${name}.txt`))
}

/**
 * Writes what a run has kept, made smaller, those inputs first that reached most, as long as each adds something to the
 * others and there is room. Returns how many were written.
 */
export function writeKept(fuzzer: Fuzzer, folder: string): number {
  const place = join(folder, fuzzer.target.name)
  mkdirSync(place, { recursive: true })
  const there = readFolder(place, '.txt')
  let bytes = there.reduce((sum, entry) => sum + entry.length, 0)
  let files = there.length
  const covered = new Set(fuzzer.corpus.flatMap((entry) => [...fuzzer.tryInput(entry).features]))
  const until = performance.now() + keepMsMax
  let written = 0
  for (const { input, reached } of fuzzer.kept.toSorted((one, other) => other.reached.length - one.reached.length)) {
    const wanted = reached.filter((feature) => !covered.has(feature))
    if (wanted.length === 0) continue
    if (files >= filesMax || performance.now() > until) break
    const small = minimise(input, (candidate) => {
      const { features, oracle } = fuzzer.tryInput(candidate)
      return oracle === undefined && wanted.every((feature) => features.has(feature))
    })
    if (small.length > fileBytesMax || bytes + small.length > bytesMax) continue
    writeFileSync(join(place, `${createHash('sha256').update(small).digest('hex').slice(0, 12)}.txt`), small)
    for (const feature of fuzzer.tryInput(small).features) covered.add(feature)
    bytes += small.length
    files += 1
    written += 1
  }
  return written
}
